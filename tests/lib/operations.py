"""The operations of schema/openapi.yaml as the scripts call them that go through all of them: with their example body, and ids in
the place of its ${...}."""
import json
import os
import pathlib
import re
import urllib.parse

import yaml

from stack import ApiError

SRC = pathlib.Path(os.environ["POSTERN_SRC"])
METHODS = ("get", "post", "put", "patch", "delete")


class Operation:
    def __init__(self, path, method, op):
        self.path, self.method, self.op = path, method.upper(), op
        self.params = re.findall(r"{(\w+)}", path)
        content = op.get("requestBody", {}).get("content", {})
        self.type = next(iter(content), None)
        self.example = content[self.type].get("example") if self.type else None
        self.permission = op.get("x-permission")
        self.session = bool(op.get("x-session"))
        self.where = f"{self.method} {path}"

    def body(self, ids):
        """The example with ids in the place of ${...}; None without a body."""
        if self.example is None:
            return None
        def put(match):
            return ids[match.group(1)]
        if isinstance(self.example, str):
            return re.sub(r"\${(\w+)}", put, self.example).encode()
        return json.loads(re.sub(r"\${(\w+)}", put, json.dumps(self.example)))

    def names_ids(self):
        return self.example is not None and "${" in json.dumps(self.example)

    def url(self, ids):
        return re.sub(r"{(\w+)}", lambda m: urllib.parse.quote(ids[m.group(1)], safe=""), self.path)


def call(api, op, url, body):
    """Status and reply of one call; If-Match is given so that it is never what refuses."""
    headers = {"If-Match": "*"}
    kind = op.type or "application/json"
    try:
        reply = api.call(op.method, url, body, headers=headers, content_type=kind, raw=True)
        return 200, reply.decode(errors="replace")
    except ApiError as e:
        return e.status, e.body


def operations():
    doc = yaml.safe_load((SRC / "schema/openapi.yaml").read_text())
    for path, item in doc["paths"].items():
        for method, op in item.items():
            if method in METHODS and "api" in op.get("x-listeners", ["api"]) and op.get("security") != []:
                yield Operation(path, method, op)
