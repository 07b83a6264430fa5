#!/usr/bin/python3
# timeout: 240
# sanitize: yes
"""One source for what a body may be: schema/openapi.yaml.  For every operation with a JSON body, bodies are made at random out of
its schema.  One that the document allows is never refused as written wrongly, neither by the table that the daemon makes of the
document nor by a handler with an opinion of its own; one that breaks the document in one place is refused, and the pointer
names the place.  Parameters of the query likewise.  That the document's JSON Schema agrees is looked at with a library that knows nothing
of ours."""
import json
import os
import pathlib
import random
import re
import string
import sys
import types
import urllib.parse

import jsonschema
import yaml
from checks import check, ended_well, failures, result
from operations import METHODS, SRC, Operation
from stack import Api, ApiError, Control, Postgres, own

TMP = pathlib.Path(os.environ["POSTERN_TMP"])
SEED = int(os.environ.get("POSTERN_SEED", "0")) or random.randrange(1, 1 << 31)
TURNS = 12
# What a body is refused with that is written wrongly; a handler may have reasons of other kinds.
# Members of a provider's configuration depend on its preset: their room reads them.
WITHIN = ("/config",)
WRITTEN_WRONGLY = {"wrong_type", "required", "unknown_member", "out_of_range", "invalid_text", "invalid_time", "invalid"}
# Operations where a member is required only beside another one, which no table says.
BESIDE = {("POST", "/v1/suppressions/batch"), ("POST", "/v1/auth/login"), ("PATCH", "/v1/me"), ("POST", "/v1/smtp-routes"),
          ("PATCH", "/v1/smtp-routes/{smtp_route_id}"), ("POST", "/v1/me/proof"), ("POST", "/v1/me/organisations"),
          ("POST", "/v1/campaigns/{campaign_id}/send")}
TOKEN = "platform-token-of-this-test-0123456789"
EMAILS = ["a@b.test", "somebody@example.test"]
TIMES = ["2031-01-31T12:00:00Z", "2031-12-31T23:59:59.25Z"]
# These end what the script lives on; they are called with bodies that are refused alone.
NOT_DONE = {("PATCH", "/v1/me"), ("POST", "/v1/me/address"), ("POST", "/v1/admin/orgs/{org_id}/suspend")}


class Maker:
    def __init__(self, doc, rng):
        self.doc, self.rng = doc, rng

    def resolve(self, node):
        while "$ref" in node:
            target = self.doc
            for part in node["$ref"].lstrip("#/").split("/"):
                target = target[part]
            node = target
        return node

    def value(self, node):
        node = self.resolve(node)
        if "anyOf" in node:
            return self.value(self.rng.choice(node["anyOf"]))
        types = node.get("type")
        types = types if isinstance(types, list) else [types]
        if "null" in types and self.rng.random() < 0.2:
            return None
        kind = next(t for t in types if t != "null")
        return getattr(self, kind)(node)

    def string(self, node):
        rng = self.rng
        if "enum" in node:
            return rng.choice([w for w in node["enum"] if w is not None])
        if node.get("format") in ("email", "date-time"):
            return rng.choice(EMAILS if node["format"] == "email" else TIMES)
        low, high = node.get("minLength", 0), node.get("maxLength", 10 ** 6)
        if "pattern" in node:
            # Small letters fit all patterns but those with a prefix.
            prefix = re.match(r"\^(\w+_)\[a-z2-7\]\{13\}\$", node["pattern"])
            return prefix[1] + "a" * 12 + "b" if prefix else "".join(rng.choice(string.ascii_lowercase) for _ in range(max(low, rng.randrange(2, 9))))
        length = max(low, rng.choice([low, min(high, low + 1), min(high, 30), high if high <= 4000 else 30]))
        # Secrets are bounded in bytes besides.
        signs = "abc9" if node.get("writeOnly") else "abcÄ漢😀 9" if node.get("format") == "text" else "abcÄ漢😀9"
        return "".join(rng.choice(signs) for _ in range(length))

    def integer(self, node):
        return self.rng.choice(node["enum"] if "enum" in node else [node["minimum"], node.get("maximum", node["minimum"] + 1)])

    def boolean(self, _node):
        return self.rng.random() < 0.5

    def array(self, node):
        n = max(node.get("minItems", 0), self.rng.randrange(0, 3))
        made = [self.value(node["items"]) for _ in range(min(n, node["maxItems"]))]
        return made[:1] if node.get("uniqueItems") else made

    def object(self, node):
        required = node.get("required", [])
        return {k: self.value(v) for k, v in node.get("properties", {}).items() if k in required or self.rng.random() < 0.6}

    # ---- breaking ---------------------------------------------------------------------------

    def broken(self, schema, body):
        """A body that breaks the schema in one place, and the pointer to it."""
        schema = self.resolve(schema)
        ways = [self.stranger] + [lambda s, b, n=n, w=w: self.member(s, b, n, w) for n in schema.get("properties", {})
                                  for w in ("type", "long", "gone", "control", "word")]
        self.rng.shuffle(ways)
        for way in ways:
            made = way(schema, body)
            if made is not None:
                return made
        raise AssertionError("nothing to break")

    def stranger(self, _schema, body):
        return {**body, "a_stranger": 1}, "/a_stranger"

    def member(self, schema, body, name, way):
        node = self.resolve(schema["properties"][name])
        kinds = node.get("type", "any")
        kinds = kinds if isinstance(kinds, list) else [kinds]
        if way == "gone":
            return ({k: v for k, v in body.items() if k != name}, f"/{name}") if name in schema.get("required", []) else None
        if way == "type":
            return {**body, name: 1.5}, f"/{name}"
        if "string" not in kinds or node.get("format") in ("email", "date-time"):
            return ({**body, name: "no"}, f"/{name}") if "string" in kinds and way == "word" else None
        if way == "long" and node.get("maxLength", 10 ** 9) <= 5000:
            return {**body, name: "a" * (node["maxLength"] + 1)}, f"/{name}"
        if way == "control":
            return {**body, name: "a\x01b"}, f"/{name}"
        if way == "word" and "enum" in node:
            return {**body, name: "no_such_word"}, f"/{name}"
        return None


class Target:
    def __init__(self, control, pg):
        made = Api(control.url).post("/v1/auth/signup", {"organization": "Bodies", "email": "admin@bodies.test", "password": "correct horse battery"})
        self.owner, self.stranger = Api(control.url, made["token"]), Api(control.url)
        self.platform = Api("http://127.0.0.1:8082", TOKEN)
        self.owner.token = self.owner.post("/v1/me/proof", {"password": "correct horse battery"}).get("token", self.owner.token)
        lists = self.owner.post("/v1/lists", {"name": "A"})
        template = self.owner.post("/v1/templates", {"name": "T", "subject": "S", "text": "x", "alias": "tee"})
        self.ids = {"list_id": lists["id"], "template_id": template["id"], "email": "who@example.test", "name": "reporter",
                    "field_id": self.owner.post("/v1/fields", {"name": "city", "type": "text"})["id"],
                    "contact_id": self.owner.post("/v1/contacts", {"email": "who@example.test"})["id"],
                    "campaign_id": self.owner.post("/v1/campaigns", {"name": "C"})["id"],
                    "domain_id": self.owner.post("/v1/domains", {"name": "bodies.test"})["id"],
                    "key_id": self.owner.post("/v1/keys", {"name": "K", "scopes": ["org.read"]})["id"],
                    "user_id": self.owner.post("/v1/members", {"email": "other@bodies.test", "role": "viewer"})["id"],
                    "smtp_credential_id": self.owner.post("/v1/smtp-credentials", {"name": "app"})["id"],
                    "smtp_route_id": self.owner.post("/v1/smtp-routes", {"name": "relay", "host": "relay.bodies.test", "domains": ["*"]})["id"],
                    "provider_id": self.owner.post("/v1/identity-providers", {"name": "P", "kind": "oidc", "config": {
                        "issuer": "https://login.bodies.test", "client_id": "c"}, "secret": "a secret"})["id"],
                    "org_id": self.owner.get("/v1/org")["id"]}
        self.owner.post("/v1/roles", {"name": "reporter", "permissions": ["org.read"]})

    def api(self, op):
        if "admin" in op.op.get("x-listeners", ["api"]):
            return self.platform
        return self.stranger if op.op.get("security") == [] else self.owner

    def send(self, op, body):
        """Status and the problem, or 200 and nothing."""
        url = op.url(self.ids)
        try:
            self.api(op).call(op.method, url, body, headers={"If-Match": "*"}, raw=True)
            return 200, {}
        except ApiError as e:
            return e.status, e.body if isinstance(e.body, dict) else {}


def faults(problem):
    return [(e["pointer"], e["code"]) for e in problem.get("errors", [])]


def allowed(target, op, body):
    status, problem = target.send(op, body)
    wrong = [f for f in faults(problem) if f[1] in WRITTEN_WRONGLY and not (f[1] == "required" and (op.method, op.path) in BESIDE) and not f[0].startswith(WITHIN)]
    code = problem.get("code")
    check(status < 500 and not wrong and not (status == 400 and code in ("invalid", "invalid_json", "body_required")),
          f"seed {SEED}: {op.where}: {json.dumps(body)[:300]} is as the document says, but: {status} {code} {wrong}")


def refused(target, op, body, pointer):
    status, problem = target.send(op, body)
    check(status == 422 and any(p == pointer or p.startswith(pointer + "/") for p, _ in faults(problem)),
          f"seed {SEED}: {op.where}: {json.dumps(body)[:300]} breaks {pointer}, but: {status} {faults(problem)}")


def bodies(doc, target, maker):
    done = 0
    for path, item in doc["paths"].items():
        for method in METHODS:
            op = Operation(path, method, item[method]) if method in item else None
            if op is None or not op.type or not op.type.endswith("json"):
                continue
            schema = op.op["requestBody"]["content"][op.type]["schema"]
            judge = jsonschema.Draft202012Validator(schema, resolver=jsonschema.RefResolver("", doc))
            done += 1
            for _ in range(TURNS):
                body = maker.value(schema)
                body.pop("require_factor", None)  # nobody here has one
                check(judge.is_valid(body), f"seed {SEED}: {op.where}: {json.dumps(body)[:200]}: the schema's own library refuses it")
                if (op.method, path) not in NOT_DONE:
                    allowed(target, op, body)
                refused(target, op, *maker.broken(schema, body))
    return done


def queries(doc, target):
    """A value that is none is refused by the name of its parameter, whatever the handler is."""
    done = 0
    for path, item in doc["paths"].items():
        for method in METHODS:
            if method not in item:
                continue
            op = Operation(path, method, item[method])
            params = [target.maker.resolve(p) for p in item[method].get("parameters", [])]
            if not all(p in target.ids for p in op.params) or op.type and not op.type.endswith("json"):
                continue
            for p in params:
                schema = target.maker.resolve(p["schema"])
                if p["in"] != "query" or p["name"] == "after":
                    continue
                bad = {"integer": ["0", "x", "99999", "-1", "1.0"], "boolean": ["yes", "1", ""]}.get(schema["type"], ["\x01", "no/such"] if schema.keys() & {"enum", "pattern", "format"} else ["\x01"])
                for value in bad:
                    url = op.url(target.ids) + "?" + urllib.parse.urlencode({p["name"]: value})
                    try:
                        target.api(op).call(op.method, url, {} if op.type else None, headers={"If-Match": "*"}, raw=True)
                        check(False, f"{op.where}: ?{p['name']}={value!r} was taken")
                    except ApiError as e:
                        check(e.status == 400 and e.body["code"] == f"invalid_{p['name']}", f"{op.where}: ?{p['name']}={value!r}: {e}")
                    done += 1
    return done


def main():
    pg, doc = Postgres(TMP), yaml.safe_load((SRC / "schema/openapi.yaml").read_text())
    pg.start()
    token = TMP / "admin.token"
    token.write_text(TOKEN + "\n")
    own(token)
    control = Control(TMP, os.environ["POSTERN_BUILD"], pg, types.SimpleNamespace(link=TMP / "none"), options={
        "http.admin.listen": "127.0.0.1:8082", "http.admin.token_file": token, "auth.burst": 1000000, "auth.account_burst": 1000000})
    control.start()
    target = Target(control, pg)
    target.maker = Maker(doc, random.Random(SEED))
    operations, values = bodies(doc, target, target.maker), queries(doc, target)
    check(operations > 40 and values > 30, f"{operations} operations with a body, {values} values of parameters")
    ended_well(control)
    pg.stop()
    result(f"seed {SEED}: {operations} operations, {values} values of parameters")
    return 1 if failures else 0


sys.exit(main())
