"""Holds what the control plane answers, and what it takes, to schema/openapi.yaml.  stack.Api calls check() for every
request while POSTERN_CONTRACT is set, as tests/e2e/run does: each end-to-end script tests the document too.

An answer must have a documented status, type and schema, and the headers that the document promises.  Stricter than a
client has to be, an answer's objects may have no member that the document does not name.  A request that was accepted
must be one that the document allows.  The first breach raises, and fails the script even where the exception is caught.
POSTERN_CONTRACT=tell only tells the breaches, all of them, at the end; POSTERN_CONTRACT=each, as the scripts api_* have
it, wants each operation to name each error that it answers: 4XX is for what any path answers (ANYWHERE).
"""
import atexit
import json
import os
import pathlib
import re
import urllib.parse

import jsonschema
import yaml

DOCUMENT = pathlib.Path(__file__).resolve().parents[2] / "schema/openapi.yaml"
METHODS = {"get", "post", "put", "patch", "delete"}
# A header of this kind is part of the contract: where it comes, the document says so.
TOLD = re.compile(r"(?i)etag|location|retry-after|idempotency-.*|x-request-id|ratelimit.*|x-ratelimit.*|deprecation|sunset")
ANYWHERE = {405, 406, 408, 414, 417, 431}
SHARED = {"#/components/responses/refused", "#/components/responses/failed"}
formats = jsonschema.FormatChecker(formats=())


@formats.checks("date-time")
def is_time(value):
    return not isinstance(value, str) or re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", value) is not None


@formats.checks("email")
def is_email(value):
    return not isinstance(value, str) or "@" in value


class Breach(AssertionError):
    """The document and the daemon disagree."""


def closed(node):
    """The schema with every object closed that names its properties."""
    if isinstance(node, list):
        return [closed(n) for n in node]
    if not isinstance(node, dict):
        return node
    made = {k: closed(v) for k, v in node.items()}
    if isinstance(made.get("properties"), dict) and "type" in made:
        made.setdefault("additionalProperties", False)
    return made


class Contract:
    def __init__(self, path=DOCUMENT):
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        self.doc = yaml.load(path.read_text(), loader)  # noqa: S506 - a safe loader
        self.strict = {"components": closed(self.doc["components"])}
        self.routes = []
        for template, item in self.doc["paths"].items():
            pattern = re.compile(re.sub(r"{\w+}", "[^/]+", template))
            self.routes += [(method, pattern, template, op) for method, op in item.items() if method in METHODS]
        # A path that names a collection goes before one whose parameter would take its name.
        self.routes.sort(key=lambda r: r[2].count("{"))
        self.validators = {}

    def operation(self, method, path):
        for m, pattern, template, op in self.routes:
            if m == method.lower() and pattern.fullmatch(path):
                return template, op
        return None, None

    def resolve(self, node):
        while "$ref" in node:
            target = self.doc
            for part in node["$ref"].lstrip("#/").split("/"):
                target = target[part.replace("~1", "/").replace("~0", "~")]
            node = target
        return node

    def errors(self, schema, value, document):
        key = id(schema), document is self.doc
        if key not in self.validators:
            resolver = jsonschema.RefResolver("", document)
            self.validators[key] = jsonschema.Draft202012Validator(
                closed(schema) if document is self.strict else schema, resolver=resolver, format_checker=formats)
        return [f"{'/'.join(map(str, e.absolute_path))}: {e.message[:300]}" for e in self.validators[key].iter_errors(value)]

    def response(self, op, status):
        for key in (str(status), f"{status // 100}XX", "default"):
            if key in op["responses"]:
                return self.resolve(op["responses"][key])
        return None

    def answer(self, op, status, headers, body):
        said = self.response(op, status)
        if said is None:
            return [f"the status {status} is not documented"]
        by_range = op["responses"].get(f"{status // 100}XX", {}).get("$ref") if str(status) not in op["responses"] else None
        if os.environ.get("POSTERN_CONTRACT") == "each" and by_range in SHARED and status not in ANYWHERE:
            return [f"the status {status} is one of its range only: name it"]
        bad = self.headers(said, headers)
        content, kind = said.get("content", {}), (headers.get("Content-Type") or "").split(";")[0].strip()
        if not content:
            return bad + ([f"a body of {len(body)} bytes, where none is documented"] if body else [])
        if kind not in content:
            return bad + [f"the type {kind!r} is not documented, but {', '.join(content)}"]
        if not kind.endswith("json"):
            return bad
        return bad + self.errors(content[kind]["schema"], json.loads(body), self.strict)

    def headers(self, said, headers):
        promised = {name.lower(): self.resolve(h) for name, h in said.get("headers", {}).items()}
        bad = [f"the header {name} is not documented" for name in headers if TOLD.fullmatch(name) and name.lower() not in promised]
        for name, header in promised.items():
            value = headers.get(name)
            if value is None:
                # What is answered again for a key is the body alone.
                again = headers.get("Idempotency-Replayed") is not None
                bad += [f"no header {name}"] if header.get("required") and not again else []
                continue
            if header["schema"].get("type") == "integer":
                value = int(value)
            bad += [f"header {name}: {e}" for e in self.errors(header["schema"], value, self.doc)]
        return bad

    def request(self, op, query, sent, body):
        """What an accepted request did that the document does not allow."""
        named = {(p["in"], p["name"].lower()) for p in map(self.resolve, op.get("parameters", []))}
        bad = [f"the query's {name} was taken, but is not documented" for name, _ in query if ("query", name.lower()) not in named]
        for p in map(self.resolve, op.get("parameters", [])):
            if p["in"] == "header" and p.get("required") and p["name"].lower() not in sent:
                bad.append(f"taken without the header {p['name']}, which is documented as required")
        said = op.get("requestBody")
        kind = sent.get("content-type", "").split(";")[0].strip()
        if body is None:
            return bad + (["taken without a body, which is documented as required"] if said and said.get("required") else [])
        if said is None or kind not in said["content"]:
            # {} with an operation that takes no body is what simple clients send.
            return bad + ([] if body == b"{}" else [f"a body of type {kind!r} was taken, but is not documented"])
        if kind.endswith("json") and isinstance(body, bytes):
            bad += [f"request {e}" for e in self.errors(said["content"][kind]["schema"], json.loads(body), self.doc)]
        return bad

    def check(self, method, url, sent, body, status, headers, text):
        """sent: header names in lower case.  body: what was sent, as bytes or a file, or None."""
        parts = urllib.parse.urlsplit(url)
        # An escaped slash belongs to its segment.
        path = "/".join(urllib.parse.unquote(s).replace("/", "_") for s in parts.path.split("/"))
        template, op = self.operation(method, path)
        if op is None:
            return [] if status in (400, 401, 404, 405) else [f"{method} {parts.path}: {status}, but not in the document"]
        bad = self.answer(op, status, headers, text)
        if status < 300:
            bad += self.request(op, urllib.parse.parse_qsl(parts.query, keep_blank_values=True), sent, body)
        return [f"{method} {template}: {status}: {b}" for b in bad]


_contract = None
_breaches = []


def _fail():
    if _breaches:
        print("\n".join(f"CONTRACT {b}" for b in _breaches[:100]), flush=True)
        os._exit(1)


def check(*exchange):
    global _contract
    if _contract is None:
        _contract = Contract()
        atexit.register(_fail)
    bad = [b for b in _contract.check(*exchange) if b not in _breaches]
    _breaches.extend(bad)
    if bad and os.environ["POSTERN_CONTRACT"] != "tell":
        raise Breach("; ".join(bad))
