#!/usr/bin/python3
# timeout: 240
"""Roles: every operation of schema/openapi.yaml called by a member of every built-in role, and of roles of the
organisation's own that tell all permissions apart, answers missing_permission exactly where the role has not what the
operation needs.  Then: what roles may be made of, by whom, and what a change of one does to its members."""
import os
import pathlib
import re
import sys
import types

from checks import check, ended_well, failures, refused, result
from operations import call, operations
from stack import Api, Control, Postgres

SRC = pathlib.Path(os.environ["POSTERN_SRC"])
TMP = pathlib.Path(os.environ["POSTERN_TMP"])
PASSWORD = "correct horse battery"
BUILT_IN = ["admin", "manager", "editor", "analyst", "viewer", "sender"]


def sign_up(control, name):
    made = Api(control.url).post("/v1/auth/signup", {"organization": name, "email": f"admin@{name}.test", "password": PASSWORD})
    return Api(control.url, made["token"])


def enter(control, api, email, role):
    invited = api.post("/v1/members", {"email": email, "role": role})
    return Api(control.url, Api(control.url).post("/v1/auth/verify", {"token": invited["token"], "password": PASSWORD})["token"]), invited["id"]


def ids_of_nothing(ops):
    prefixes = dict(re.findall(r'schema: {type: string, pattern: "\^(\w+)_\[a-z2-7\]{13}\$"}\n      example: (\w+)', (SRC / "schema/openapi.yaml").read_text()))
    examples = {e.split("_")[0]: e for e in prefixes.values()}
    names = {}
    for op in ops:
        for name in op.params:
            short = {"organization_id": "org"}.get(name, name[:3])
            names[name] = next((v for k, v in examples.items() if k.startswith(short[:3])), "nobody@nowhere.test")
    return names


def refused_for_role(api, op, ids):
    """Nothing is there by these ids, and the body says nothing, so that what is allowed changes nothing either."""
    body = {} if op.type == "application/json" and op.method != "GET" else b"x" if op.type else None
    status, reply = call(api, op, op.url(ids), body)
    return status == 403 and isinstance(reply, dict) and reply.get("code") == "missing_permission", status


def every_route_as_every_role(control):
    ops = [o for o in operations() if o.permission]
    api = sign_up(control, "matrix")
    permissions = api.get("/v1/me")["permissions"]
    member, who = enter(control, api, "member@matrix.test", "viewer")
    known = {r["name"]: set(r["permissions"]) for r in api.get("/v1/roles")["data"]}
    check(sorted(known) == sorted(BUILT_IN), f"the built-in roles: {sorted(known)}")
    for bit in range(5):  # no two permissions are in the same ones of these roles
        for side in (0, 1):
            some = [p for i, p in enumerate(permissions) if i >> bit & 1 == side]
            api.post("/v1/roles", {"name": f"bit-{bit}-{side}", "permissions": some})
            known[f"bit-{bit}-{side}"] = set(some)
    check(len(permissions) <= 32, "five bits tell all permissions apart")
    ids, n = ids_of_nothing(ops), 0
    for role in ["admin"] + [r for r in known if r != "admin"]:
        api.call("PATCH", f"/v1/members/{who}", {"role": role})
        check(set(member.get("/v1/me")["permissions"]) == known[role] and member.get("/v1/me")["role"] == role, f"a member who is {role} is told so")
        for op in ops:
            said, status = refused_for_role(member, op, ids)
            check(said == (op.permission not in known[role]), f"{op.where} as {role}: {status}")
            n += 1
    return n


def roles_are_made_of_what_one_has(control):
    api = sign_up(control, "made")
    chef, chef_id = None, None
    for name, code in (("admin", "built_in"), ("-x", "invalid_name"), ("Xy", "invalid_name"), ("x_y", "invalid_name"), ("x-", "invalid_name")):
        p = refused(422, None, api.post, "/v1/roles", {"name": name, "permissions": ["org.read"]})
        check([e["code"] for e in p.get("errors", [])] == [code], f"{name}: {p.get('errors')}")
    for body in ({"name": "x"}, {"name": "x", "permissions": []}, {"name": "x", "permissions": ["all"]}, {"name": "x", "permissions": ["org.read"], "permits": 7},
                 {"name": "x", "permissions": ["org.read"], "built_in": True}, {"name": "x", "permissions": [7]}):
        refused(422, None, api.post, "/v1/roles", body)
    chief = api.post("/v1/roles", {"name": "staff-chief", "title": "Chief of staff", "permissions": ["members.read", "members.write", "org.read"]})
    check(chief["permissions"] == ["org.read", "members.read", "members.write"] and not chief["built_in"] and chief["members"] == 0, f"made: {chief}")
    refused(409, "already_exists", api.post, "/v1/roles", {"name": "staff-chief", "permissions": ["org.read"]})
    chef, chef_id = enter(control, api, "chef@made.test", "staff-chief")
    check(api.get("/v1/roles/staff-chief")["members"] == 1, "who has it is counted")
    # one who manages members makes nothing larger than their own
    refused(422, None, chef.post, "/v1/roles", {"name": "more", "permissions": ["org.write"]})
    api.post("/v1/roles", {"name": "larger", "permissions": ["org.read", "org.write"]})
    for method, path, body in (("PATCH", "/v1/roles/larger", {"title": "x"}), ("PATCH", "/v1/roles/larger", {"permissions": ["org.read"]}), ("DELETE", "/v1/roles/larger", None)):
        refused(403, "missing_permission", chef.call, method, path, body, headers={"If-Match": "*"})
    refused(422, None, chef.call, "PATCH", "/v1/roles/staff-chief", {"permissions": ["org.read", "members.write", "org.write"]}, headers={"If-Match": "*"})
    refused(422, None, chef.post, "/v1/members", {"email": "l@made.test", "role": "larger"})
    refused(422, None, chef.call, "PATCH", f"/v1/members/{chef_id}", {"role": "admin"})
    for method in ("PATCH", "DELETE"):
        refused(409, "built_in", api.call, method, "/v1/roles/editor", {} if method == "PATCH" else None, headers={"If-Match": "*"})
    refused(428, None, api.call, "PATCH", "/v1/roles/larger", {"title": "x"})
    api.get("/v1/roles/larger")
    tag = api.headers["ETag"]
    api.call("PATCH", "/v1/roles/larger", {"title": "Larger"}, etag=tag)
    refused(412, None, api.call, "PATCH", "/v1/roles/larger", {"title": "Other"}, etag=tag)
    refused(409, "role_in_use", api.call, "DELETE", "/v1/roles/staff-chief")
    refused(422, None, api.post, "/v1/members", {"email": "u@made.test", "role": "unheard-of"})
    # another organisation's role is no role here
    other = sign_up(control, "elsewhere")
    refused(422, None, other.post, "/v1/members", {"email": "u@elsewhere.test", "role": "larger"})
    refused(404, None, other.get, "/v1/roles/larger")
    # the last admin stays, whatever own roles there are
    me = api.get("/v1/me")["id"]
    api.post("/v1/roles", {"name": "all", "permissions": api.get("/v1/me")["permissions"]})
    refused(409, "last_admin", api.call, "PATCH", f"/v1/members/{me}", {"role": "all"})
    api.call("PATCH", f"/v1/members/{chef_id}", {"role": "viewer"})
    api.call("DELETE", "/v1/roles/staff-chief")
    refused(404, None, api.get, "/v1/roles/staff-chief")


def a_change_of_a_role_is_one_of_its_members(control):
    api = sign_up(control, "change")
    api.post("/v1/roles", {"name": "maker", "permissions": ["keys.write", "keys.read", "contacts.read"]})
    member, _ = enter(control, api, "m@change.test", "maker")
    invited = api.post("/v1/members", {"email": "later@change.test", "role": "maker"})
    key = Api(control.url, member.post("/v1/keys", {"name": "k", "scopes": ["contacts.read"]})["key"])
    key.get("/v1/contacts")
    refused(403, "missing_permission", member.get, "/v1/templates")
    # an invitation for the smaller role is none for the larger
    api.call("PATCH", "/v1/roles/maker", {"permissions": ["keys.write", "keys.read", "contacts.read", "templates.read"]}, headers={"If-Match": "*"})
    check(member.get("/v1/templates")["data"] == [], "a permission more holds at once")
    refused(422, "invalid_token", Api(control.url).post, "/v1/auth/verify", {"token": invited["token"], "password": PASSWORD})
    # a permission less ends the keys that need it, and this is said before
    less = {"permissions": ["keys.write", "keys.read", "templates.read"]}
    refused(409, "keys_end", api.call, "PATCH", "/v1/roles/maker", less, headers={"If-Match": "*"})
    key.get("/v1/contacts")
    api.call("PATCH", "/v1/roles/maker?end_keys=true", less, headers={"If-Match": "*"})
    refused(403, "missing_permission", member.get, "/v1/contacts")
    refused(401, "key_maker_may_not", key.get, "/v1/contacts")


def main():
    pg = Postgres(TMP)
    pg.start()
    control = Control(TMP, os.environ["POSTERN_BUILD"], pg, types.SimpleNamespace(link=TMP / "no-engine.sock"),
                      options={"auth.burst": 1000, "auth.password_memory": "8M"})
    try:
        control.start()
        n = every_route_as_every_role(control)
        roles_are_made_of_what_one_has(control)
        a_change_of_a_role_is_one_of_its_members(control)
        ended_well(control)
        result(f"{n} calls of routes by roles")
    finally:
        control.stop()
        pg.stop()
    return 1 if failures else 0


sys.exit(main())
