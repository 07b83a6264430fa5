#!/usr/bin/python3
# timeout: 120
# sanitize: yes
# thread: yes
"""API keys: two secrets for a while, use per day without a write per request, owners and what ends with their rights, what
is said before a key ends, test keys."""
import os
import pathlib
import sys
import time
import types

from checks import check, ended_well, failures, refused, result, wait_for
from stack import Api, ApiError, Control, Postgres

TMP = pathlib.Path(os.environ["POSTERN_TMP"])
PASSWORD = "correct horse battery"


def sign_up(control, name):
    made = Api(control.url).post("/v1/auth/signup", {"organization": name, "email": f"admin@{name}.test", "password": PASSWORD})
    return Api(control.url, made["token"]), made["user"]["id"]


def enter(control, api, email, role):
    invited = api.post("/v1/members", {"email": email, "role": role, "name": email.split("@")[0]})
    return Api(control.url, Api(control.url).post("/v1/auth/verify", {"token": invited["token"], "password": PASSWORD})["token"]), invited["id"]


def two_secrets(control, api):
    made = api.post("/v1/keys", {"name": "two", "scopes": ["domains.read"]})
    path = f"/v1/keys/{made['id']}"
    check(made["old_secret_until"] is None and made["live"] and made["dies_because"] is None, f"a new key has one secret: {made}")
    second = api.post(path + "/regenerate", {"overlap": 3600})
    check(second["key"] != made["key"] and second["key"][:34] == made["key"][:34], "another secret, the same key")
    for secret in (made, second):
        check(Api(control.url, secret["key"]).get("/v1/domains")["data"] == [], "both secrets are good")
    check(wait_for(lambda: api.get(path)["old_secret_used_at"] is not None), "that the old one is in use is shown")
    until = api.get(path)["old_secret_until"]
    check(until > time.strftime("%Y-%m-%dT%H:%M", time.gmtime(time.time() + 3500)), f"until when: {until}")
    third = api.post(path + "/regenerate")
    refused(401, "not_authenticated", Api(control.url, made["key"]).get, "/v1/domains")
    check(Api(control.url, second["key"]).get("/v1/domains")["data"] == [], "the one before is the old one now")
    short = api.post(path + "/regenerate", {"overlap": 2})
    check(Api(control.url, third["key"]).get("/v1/domains")["data"] == [], "within the overlap")
    check(wait_for(lambda: status(control, third["key"]) == 401, 15), "after it the old one ends by itself")
    last = api.post(path + "/regenerate", {"overlap": 0})
    refused(401, "not_authenticated", Api(control.url, short["key"]).get, "/v1/domains")
    check(Api(control.url, last["key"]).get("/v1/domains")["data"] == [], "the last one goes on")
    check("key" not in api.get(path), "no secret is shown again")
    refused(422, "out_of_range", api.post, path + "/regenerate", {"overlap": -1})
    few = Api(control.url, api.post("/v1/keys", {"name": "few", "scopes": ["keys.write"]})["key"])
    refused(403, "missing_permission", few.post, path + "/regenerate", {})
    refused(403, "missing_permission", few.call, "PATCH", path, {"name": "mine"})
    api.call("DELETE", path)
    refused(409, "key_ended", api.post, path + "/regenerate", {})
    refused(409, "key_ended", api.call, "PATCH", path, {"name": "again"})


def status(control, secret):
    try:
        Api(control.url, secret).get("/v1/domains")
        return 200
    except ApiError as e:
        return e.status


def use_is_counted(control, api, pg):
    made = api.post("/v1/keys", {"name": "counted", "scopes": ["domains.read"]})
    user, path = Api(control.url, made["key"]), f"/v1/keys/{made['id']}"
    check(api.get(path + "/usage")["data"] == [], "a key that was never used has no days")
    before = int(pg.psql("SELECT n_tup_upd FROM pg_stat_user_tables WHERE relname = 'api_keys'", "postern") or 0)
    for _ in range(300):
        user.get("/v1/domains")
    for _ in range(7):
        refused(403, "missing_permission", user.get, "/v1/contacts")
    check(wait_for(lambda: sum(d["requests"] for d in api.get(path + "/usage")["data"]) == 307), f"each is counted once: {api.get(path + '/usage')}")
    check(sum(d["refused"] for d in api.get(path + "/usage")["data"]) == 7, "those refused are told apart")
    check(api.get(path)["last_used_ip"] == "127.0.0.1", "from where")
    check(wait_for(lambda: int(pg.psql("SELECT n_tup_upd FROM pg_stat_user_tables WHERE relname = 'api_keys'", "postern")) > before), "it was written")
    wrote = int(pg.psql("SELECT n_tup_upd FROM pg_stat_user_tables WHERE relname = 'api_keys'", "postern")) - before
    check(wrote < 60, f"307 requests wrote {wrote} times")
    refused(400, "invalid_days", api.get, path + "/usage?days=0")
    check(len(api.get(path + "/usage?days=1")["data"]) == 1, "a day back is today")
    user.get("/v1/domains")
    control.stop()
    control.start()
    check(sum(d["requests"] for d in api.get(path + "/usage")["data"]) == 308, "what was not written yet is written at the end")
    pg.psql("UPDATE api_key_days SET day = day - 401", "postern")
    control.stop()
    control.start()
    check(wait_for(lambda: pg.psql("SELECT count(*) FROM api_key_days", "postern") == "0"), "after 400 days a day is forgotten")


def changed(control, api):
    made = api.post("/v1/keys", {"name": "changes", "scopes": ["domains.read", "contacts.read"]})
    user, path = Api(control.url, made["key"]), f"/v1/keys/{made['id']}"
    api.call("PATCH", path, {"name": "renamed", "scopes": ["domains.read"], "cidrs": ["127.0.0.0/8", "2001:db8::/32"]})
    shown = api.get(path)
    check((shown["name"], shown["scopes"], shown["cidrs"]) == ("renamed", ["domains.read"], ["127.0.0.0/8", "2001:db8::/32"]), f"changed: {shown}")
    refused(403, "missing_permission", user.get, "/v1/contacts")
    api.call("PATCH", path, {"cidrs": ["2001:db8::/32"]})
    refused(403, "address_not_allowed", user.get, "/v1/domains")
    soon = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
    api.call("PATCH", path, {"cidrs": [], "expires_at": soon})
    check(api.get(path)["dies_because"] == "expires" and user.get("/v1/domains")["data"] == [], "it lives, and is said to end")
    api.call("PATCH", path, {"expires_at": None})
    check(api.get(path)["dies_because"] is None, "without an end")
    refused(422, "in_the_past", api.call, "PATCH", path, {"expires_at": "2020-01-01T00:00:00Z"})
    refused(422, "unknown_scope", api.call, "PATCH", path, {"scopes": ["everything"]})
    refused(422, "invalid_network", api.call, "PATCH", path, {"cidrs": ["10.0.0.0/33"]})
    tag = api.get(path) and api.headers["ETag"]
    api.call("PATCH", path, {"name": "a"}, etag=tag)
    refused(412, "version_mismatch", api.call, "PATCH", path, {"name": "b"}, etag=tag)


def ends_with_its_owner(control, api, me):
    """Whoever takes the owner's rights away is asked first; a key can have another owner."""
    other, other_id = enter(control, api, "other@keys.test", "admin")
    made = [other.post("/v1/keys", {"name": name, "scopes": ["domains.read"]}) for name in ("stays", "goes")]
    check(made[0]["owner"] == {"id": other_id, "name": "other"}, f"its owner: {made[0]['owner']}")
    stays, goes = (Api(control.url, m["key"]) for m in made)
    for what in ({"role": "manager"}, {"role": "viewer"}, {"status": "disabled"}):
        said = refused(409, "keys_end", api.call, "PATCH", f"/v1/members/{other_id}", what)
        check([k["name"] for k in said.get("keys", [])] == ["stays", "goes"], f"{what}: the refusal names the keys: {said}")
    said = refused(409, "keys_end", api.call, "DELETE", f"/v1/members/{other_id}")
    check({k["dies_because"] for k in said.get("keys", [])} == {"owner_inactive"}, f"and why: {said}")
    check(stays.get("/v1/domains")["data"] == [] and api.get(f"/v1/members/{other_id}")["role"] == "admin", "nothing was changed")
    api.call("PATCH", f"/v1/members/{other_id}", {"name": "Other"})
    taken = api.call("PATCH", f"/v1/keys/{made[0]['id']}", {"owner": me})
    check(taken["owner"]["id"] == me and taken["created_by"]["id"] == other_id, "it has another owner, and the same maker")
    clerk = enter(control, api, "clerk@keys.test", "manager")[1]
    refused(422, "owner_may_not", api.call, "PATCH", f"/v1/keys/{made[0]['id']}", {"owner": clerk})
    refused(422, "unknown_owner", api.call, "PATCH", f"/v1/keys/{made[0]['id']}", {"owner": "usr_aaaaaaaaaaaaa"})
    api.call("PATCH", f"/v1/members/{other_id}?end_keys=true", {"role": "manager"})
    refused(401, "key_maker_may_not", goes.get, "/v1/domains")
    shown = api.get(f"/v1/keys/{made[1]['id']}")
    check((shown["live"], shown["dies_because"]) == (False, "owner_may_not"), f"it says why it is dead: {shown}")
    api.call("DELETE", f"/v1/members/{other_id}")
    refused(401, "key_maker_inactive", goes.get, "/v1/domains")
    check(api.get(f"/v1/keys/{made[1]['id']}")["dies_because"] == "owner_inactive", "removed")
    check(stays.get("/v1/domains")["data"] == [], "the key with another owner goes on")
    ended = [a["object"] for a in api.get("/v1/audit?limit=200")["data"] if a["action"] == "key.ended"]
    check(ended == [made[1]["id"]], f"the audit knows what ended: {ended}")
    return other_id


def is_told_of(control, api, pg):
    """With mail: the admins and the owner are written to, each once."""
    second, second_id = enter(control, api, "second@keys.test", "admin")
    second.post("/v1/keys", {"name": "theirs", "scopes": ["domains.read"]})
    pg.psql("UPDATE api_keys SET warned = 0", "postern")
    control.stop()
    control.options["mail.from"] = "no-reply@platform.test"
    control.start()

    def told():
        return sorted(pg.psql("SELECT address FROM platform_mail WHERE kind = 10", "postern").split())
    api.call("PATCH", f"/v1/members/{second_id}?end_keys=true", {"role": "viewer"})
    both = ["admin@keys.test", "second@keys.test"]
    check(told() == both, f"of what ended by a change of role: {told()}")
    pg.psql("DELETE FROM platform_mail", "postern")

    def ending(seconds):
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))
        return api.post("/v1/keys", {"name": f"ends {seconds}", "scopes": ["domains.read"], "expires_at": at})["id"]
    ending(30 * 86400)
    week = ending(6 * 86400)
    check(wait_for(lambda: told() == both[:1]), f"a week before: {told()}")
    api.call("PATCH", f"/v1/keys/{week}", {"expires_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))})
    check(wait_for(lambda: told() == both[:1] * 2), f"a new end is told of: {told()}")
    ending(7200)
    check(wait_for(lambda: told() == both[:1] * 3), f"one that is near is told of once: {told()}")
    check(pg.psql("SELECT string_agg(warned::text, ',' ORDER BY id) FROM api_keys WHERE name LIKE 'ends %'", "postern") == "0,2,2", "who was told what")
    check(told() == both[:1] * 3, "nothing is told twice")


def test_keys(control, api):
    made = api.post("/v1/keys", {"name": "try", "scopes": ["domains.read", "keys.write", "keys.read"], "test": True})
    check(made["key"].startswith("mk_test_") and made["test"], f"a test key looks like one: {made['key'][:8]}")
    user = Api(control.url, made["key"])
    check(user.get("/v1/domains")["data"] == [], "it answers")
    refused(401, None, Api(control.url, made["key"].replace("mk_test_", "mk_live_")).get, "/v1/domains")
    live = api.post("/v1/keys", {"name": "live", "scopes": ["domains.read"]})
    refused(401, None, Api(control.url, live["key"].replace("mk_live_", "mk_test_")).get, "/v1/domains")
    refused(422, "test_key", user.post, "/v1/keys", {"name": "more", "scopes": ["domains.read"]})
    check(user.post("/v1/keys", {"name": "more", "scopes": ["domains.read"], "test": True})["test"], "a test key makes test keys")
    for method, path, body in (("PATCH", "", {"name": "x"}), ("POST", "/regenerate", {}), ("DELETE", "", None)):
        refused(403, "test_key", user.call, method, f"/v1/keys/{live['id']}{path}", body)
    sender = Api(control.url, api.post("/v1/keys", {"name": "s", "scopes": ["smtp.write", "members.write"], "test": True})["key"])
    refused(403, "test_key", sender.post, "/v1/smtp-credentials", {"name": "shop"})
    refused(403, "test_key", sender.post, "/v1/members", {"email": "x@keys.test", "role": "sender"})
    again = user.post(f"/v1/keys/{made['id']}/regenerate", {})
    check(again["key"].startswith("mk_test_"), "its next secret is one of a test key too")


def main():
    pg = Postgres(TMP)
    pg.start()
    control = Control(TMP, os.environ["POSTERN_BUILD"], pg, types.SimpleNamespace(link=TMP / "no-engine.sock"),
                      options={"auth.password_memory": "8M", "auth.burst": 100, "auth.wrong_burst": 1000})
    try:
        control.start()
        api, me = sign_up(control, "keys")
        two_secrets(control, api)
        changed(control, api)
        test_keys(control, api)
        ends_with_its_owner(control, api, me)
        use_is_counted(control, api, pg)
        is_told_of(control, api, pg)
        ended_well(control)
        result()
    finally:
        control.stop()
        pg.stop()
    return 1 if failures else 0


sys.exit(main())
