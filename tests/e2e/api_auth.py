#!/usr/bin/python3
# timeout: 240
# sanitize: yes
# thread: yes
"""Credentials and conventions of the API, against the real daemon and database: sessions, keys, members, CSRF, the brake
on logins, strict bodies, idempotency keys, pages, ETags."""
import concurrent.futures
import os
import pathlib
import sys
import threading
import time
import types
import urllib.parse

from checks import check, ended_well, failures, refused, result, wait_for
from stack import Api, ApiError, Control, Postgres

TMP = pathlib.Path(os.environ["POSTERN_TMP"])
PASSWORD = "correct horse battery"


def raw(control, request):
    """Bytes on a connection of its own; the status of the reply, or None when it was closed without one."""
    host = urllib.parse.urlsplit(control.url)
    import socket
    with socket.create_connection((host.hostname, host.port), 10) as s:
        s.sendall(request)
        s.settimeout(10)
        try:
            head = s.recv(4096)
        except ConnectionError:
            return None
    return int(head.split()[1]) if head.startswith(b"HTTP/1.1 ") else None


def sign_up(control, name):
    made = Api(control.url).post("/v1/auth/signup", {"organization": name, "email": f"admin@{name}.test", "password": PASSWORD})
    return Api(control.url, made["token"]), made


def sessions(control):
    api, made = sign_up(control, "sessions")
    anybody = Api(control.url)
    refused(401, "wrong_credentials", anybody.post, "/v1/auth/login", {"email": "admin@sessions.test", "password": "not this one"})
    refused(401, "wrong_credentials", anybody.post, "/v1/auth/login", {"email": "nobody@sessions.test", "password": PASSWORD})
    again = anybody.post("/v1/auth/login", {"email": "ADMIN@Sessions.test", "password": PASSWORD})
    other = Api(control.url, again["token"])
    check(again["user"]["id"] == made["user"]["id"], "an address is the same in any letter case")
    check(len(api.get("/v1/me/sessions")["data"]) == 2, "both sessions are listed")
    api.call("PATCH", "/v1/me", {"password": "another long one", "current_password": PASSWORD})
    refused(401, None, other.get, "/v1/me")
    check(api.get("/v1/me")["email"] == "admin@sessions.test", "the session that changed the password lives on")
    refused(401, "wrong_credentials", anybody.post, "/v1/auth/login", {"email": "admin@sessions.test", "password": PASSWORD})
    refused(422, None, api.call, "PATCH", "/v1/me", {"password": "another long one 2", "current_password": "wrong"})
    # with the cookie, changes need the CSRF value
    cookie = {"Cookie": f"postern_session={api.token}"}
    browser = Api(control.url)
    check(browser.get("/v1/me", headers=cookie)["id"] == made["user"]["id"], "the cookie is a credential")
    refused(403, "csrf", browser.call, "PATCH", "/v1/me", {"name": "X"}, headers=cookie)
    refused(403, "csrf", browser.call, "PATCH", "/v1/me", {"name": "X"}, headers={**cookie, "X-CSRF-Token": "x" * 43})
    named = browser.call("PATCH", "/v1/me", {"name": "X"}, headers={**cookie, "X-CSRF-Token": made["csrf"]})
    check(named["name"] == "X", "with the CSRF value the cookie changes things")
    api.post("/v1/auth/logout")
    refused(401, None, api.get, "/v1/me")
    # one address in two organisations
    anybody.post("/v1/auth/signup", {"organization": "two", "email": "admin@sessions.test", "password": "another long one"})
    refused(409, "org_required", anybody.post, "/v1/auth/login", {"email": "admin@sessions.test", "password": "another long one"})
    chosen = anybody.post("/v1/auth/login", {"email": "admin@sessions.test", "password": "another long one", "org": made["user"]["org"]["id"]})
    check(chosen["user"]["org"]["name"] == "sessions", "the organisation named is the one entered")


def keys(control):
    api, made = sign_up(control, "keys")
    key = api.post("/v1/keys", {"name": "one", "scopes": ["domains.read"]})
    user = Api(control.url, key["key"])
    check(user.get("/v1/domains")["data"] == [], "a key answers within its scope")
    check(Api(control.url).get("/v1/domains", headers={"X-Api-Key": key["key"]})["data"] == [], "X-Api-Key is a credential too")
    refused(403, "missing_permission", user.post, "/v1/domains", {"name": "x.test"})
    check("key" not in api.get(f"/v1/keys/{key['id']}"), "the secret is shown once")
    check(wait_for(lambda: api.get(f"/v1/keys/{key['id']}")["last_used_at"] is not None), "its use is noted")
    for i in (-1, 40):
        changed = key["key"][:i] + ("A" if key["key"][i] != "A" else "B") + (key["key"][i + 1:] if i != -1 else "")
        refused(401, None, Api(control.url, changed).get, "/v1/domains")
    api.call("DELETE", f"/v1/keys/{key['id']}")
    refused(401, None, user.get, "/v1/domains")
    here = api.post("/v1/keys", {"name": "here", "scopes": ["domains.read"], "cidrs": ["127.0.0.0/8"]})
    there = api.post("/v1/keys", {"name": "there", "scopes": ["domains.read"], "cidrs": ["192.0.2.0/24", "2001:db8::/32"]})
    check(Api(control.url, here["key"]).get("/v1/domains")["data"] == [], "a key of this network answers")
    refused(403, "address_not_allowed", Api(control.url, there["key"]).get, "/v1/domains")
    soon = api.post("/v1/keys", {"name": "soon", "scopes": ["domains.read"],
                                 "expires_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 2))})
    check(Api(control.url, soon["key"]).get("/v1/domains")["data"] == [], "a key answers before it expires")
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        try:
            Api(control.url, soon["key"]).get("/v1/domains")
            time.sleep(0.2)
        except ApiError as e:
            check(e.status == 401, f"an expired key: {e.status}")
            break
    else:
        check(False, "an expired key still answers")
    refused(422, "in_the_past", api.post, "/v1/keys", {"name": "x", "scopes": ["domains.read"], "expires_at": "2020-01-01T00:00:00Z"})
    refused(422, "unknown_scope", api.post, "/v1/keys", {"name": "x", "scopes": ["everything"]})
    refused(422, "invalid_network", api.post, "/v1/keys", {"name": "x", "scopes": ["domains.read"], "cidrs": ["here"]})
    small = api.post("/v1/keys", {"name": "small", "scopes": ["keys.write"]})
    refused(422, "missing_permission", Api(control.url, small["key"]).post, "/v1/keys", {"name": "more", "scopes": ["contacts.write"]})
    # a key that manages members can neither make a member with more permissions than its own nor take over such an account
    staff = Api(control.url, api.post("/v1/keys", {"name": "staff", "scopes": ["members.read", "members.write", "org.read", "templates.read",
                                                                               "messages.read", "send"]})["key"])
    refused(422, "missing_permission", staff.post, "/v1/members", {"email": "boss@keys.test", "role": "admin"})
    clerk = staff.post("/v1/members", {"email": "clerk@keys.test", "role": "sender"})
    refused(422, "missing_permission", staff.call, "PATCH", f"/v1/members/{clerk['id']}", {"role": "admin"})
    refused(403, "missing_permission", staff.post, f"/v1/members/{made['user']['id']}/reset")
    check("token" in staff.post(f"/v1/members/{clerk['id']}/reset"), "whom it could have made it can reset")


def a_key_with_few_scopes_does_not_end_one_with_more(control):
    api, _ = sign_up(control, "ends")

    def key(name, *scopes):
        made = api.post("/v1/keys", {"name": name, "scopes": list(scopes)})
        return Api(control.url, made["key"]), made["id"]
    few, few_id = key("few", "keys.write")
    wide, wide_id = key("wide", "keys.write", "contacts.read")
    other, other_id = key("other", "contacts.read", "domains.read")
    equal, equal_id = key("equal", "keys.write")
    for who, whom in ((few, wide_id), (few, other_id), (wide, other_id)):
        refused(403, "missing_permission", who.call, "DELETE", f"/v1/keys/{whom}")
    check(all(k["revoked_at"] is None for k in api.get("/v1/keys")["data"]), "what is refused changes nothing")
    few.call("DELETE", f"/v1/keys/{equal_id}")
    wide.call("DELETE", f"/v1/keys/{few_id}")
    wide.call("DELETE", f"/v1/keys/{wide_id}")
    api.call("DELETE", f"/v1/keys/{other_id}")
    check(all(k["revoked_at"] for k in api.get("/v1/keys")["data"]), "an equal or smaller one it ends, itself too; an admin ends all")
    refused(404, None, api.call, "DELETE", "/v1/keys/key_aaaaaaaaaaaaa")


def what_was_handed_over_ends_when_role_or_membership_changes(control):
    """A reset or an invitation is for the role and membership of its time."""
    api, _ = sign_up(control, "tokens")
    anybody = Api(control.url)

    def dead(token):
        refused(422, "invalid_token", anybody.post, "/v1/auth/verify", {"token": token, "password": PASSWORD})

    def reset(who):
        return api.post(f"/v1/members/{who}/reset")["token"]

    def change(who, **what):
        return api.call("PATCH", f"/v1/members/{who}", what)
    invited = api.post("/v1/members", {"email": "rises@tokens.test", "role": "viewer"})
    change(invited["id"], role="admin")
    dead(invited["token"])
    anybody.post("/v1/auth/verify", {"token": reset(invited["id"]), "password": PASSWORD})
    member = enter(control, api, "member@tokens.test", "viewer")[1]
    kept = reset(member)
    change(member, role="viewer")
    change(member, name="M")
    change(member, status="active")
    anybody.post("/v1/auth/verify", {"token": kept, "password": PASSWORD})
    for what in ({"role": "admin"}, {"role": "viewer"}, {"status": "disabled"}):
        kept = reset(member)
        change(member, **what)
        change(member, status="active")
        dead(kept)
    kept = reset(member)
    api.call("DELETE", f"/v1/members/{member}")
    dead(kept)
    mine, mine_id = enter(control, api, "mine@tokens.test", "viewer")
    kept = reset(mine_id)
    mine.call("PATCH", "/v1/me", {"password": "another long one", "current_password": PASSWORD})
    dead(kept)


def enter(control, api, email, role):
    """A member invited and logged in: its client and its id."""
    invited = api.post("/v1/members", {"email": email, "role": role, "name": email.split("@")[0]})
    return Api(control.url, Api(control.url).post("/v1/auth/verify", {"token": invited["token"], "password": PASSWORD})["token"]), invited["id"]


def member_with_more_is_out_of_reach(control):
    """Nobody removes, disables, resets or changes a member who may do what they may not."""
    api, made = sign_up(control, "reach")
    boss, second = made["user"]["id"], enter(control, api, "second@reach.test", "admin")[1]
    off = enter(control, api, "off@reach.test", "admin")[1]
    api.call("PATCH", f"/v1/members/{off}", {"status": "disabled"})
    waits = api.post("/v1/members", {"email": "waits@reach.test", "role": "manager"})["id"]
    viewer = enter(control, api, "viewer@reach.test", "viewer")[1]
    sender = enter(control, api, "sender@reach.test", "sender")[1]
    alone = Api(control.url, api.post("/v1/keys", {"name": "alone", "scopes": ["members.write"]})["key"])
    for who in (boss, second, off, waits, viewer, sender):
        refused(403, "missing_permission", alone.call, "DELETE", f"/v1/members/{who}")
        for change in ({"status": "disabled"}, {"status": "active"}, {"name": "N"}):
            refused(403, "missing_permission", alone.call, "PATCH", f"/v1/members/{who}", change)
        refused(403, "missing_permission", alone.post, f"/v1/members/{who}/reset")
    wide = Api(control.url, api.post("/v1/keys", {"name": "wide", "scopes": [
        "members.write", "members.read", "org.read", "templates.read", "messages.read", "send"]})["key"])
    for who in (boss, second, off, waits, viewer):
        refused(403, "missing_permission", wide.call, "PATCH", f"/v1/members/{who}", {"role": "sender"})
        refused(403, "missing_permission", wide.call, "DELETE", f"/v1/members/{who}")
    members_now = {m["id"]: (m["role"], m["status"]) for m in api.get("/v1/members")["data"]}
    check(members_now == {boss: ("admin", "active"), second: ("admin", "active"), off: ("admin", "disabled"), waits: ("manager", "invited"),
                          viewer: ("viewer", "active"), sender: ("sender", "active")}, f"what is refused changes nothing: {members_now}")
    check(wide.call("PATCH", f"/v1/members/{sender}", {"status": "disabled"})["status"] == "disabled", "a member with no more than the key is in reach")
    wide.call("DELETE", f"/v1/members/{sender}")
    refused(404, None, wide.call, "DELETE", f"/v1/members/{sender}")
    refused(404, None, wide.call, "PATCH", f"/v1/members/{sender}", {"name": "N"})
    api.call("DELETE", f"/v1/members/{second}")


def key_is_worth_what_its_maker_is(control):
    """A key lives no longer than its maker's right to make it; so does a key made by the key."""
    api, made = sign_up(control, "makers")
    other, other_id = enter(control, api, "other@makers.test", "admin")
    key = other.post("/v1/keys", {"name": "first", "scopes": ["contacts.read", "domains.write", "keys.write", "keys.read"]})
    first = Api(control.url, key["key"])
    child = first.post("/v1/keys", {"name": "child", "scopes": ["contacts.read", "domains.write"]})
    second = Api(control.url, child["key"])
    maker = {"id": other_id, "name": "other"}
    check(key["created_by"] == maker, f"a key shows who made it: {key.get('created_by')}")
    check(child["created_by"] == maker, "a key made by a key belongs to the member behind it")
    mine = api.post("/v1/keys", {"name": "mine", "scopes": ["contacts.read"]})
    check(mine["created_by"]["id"] == made["user"]["id"], "the first admin's key shows the first admin")
    shown = {k["name"]: k["created_by"]["id"] for k in api.get("/v1/keys")["data"]}
    check(shown == {"first": other_id, "child": other_id, "mine": made["user"]["id"]}, f"the list shows it too: {shown}")
    check(api.get(f"/v1/keys/{key['id']}")["created_by"] == maker, "so does the key alone")
    first.post("/v1/domains", {"name": "makers.test"})

    api.call("PATCH", f"/v1/members/{other_id}?end_keys=true", {"role": "viewer"})
    for k in (first, second):
        refused(401, "key_maker_may_not", k.get, "/v1/contacts")
    api.call("PATCH", f"/v1/members/{other_id}", {"role": "admin"})
    second.post("/v1/domains", {"name": "b.makers.test"})

    api.call("PATCH", f"/v1/members/{other_id}?end_keys=true", {"status": "disabled"})
    for k in (first, second):
        refused(401, "key_maker_inactive", k.get, "/v1/contacts")
    api.call("PATCH", f"/v1/members/{other_id}", {"status": "active"})
    check(first.get("/v1/contacts")["data"] == [], "a key goes on with its maker")

    api.call("DELETE", f"/v1/members/{other_id}?end_keys=true")
    for k in (first, second):
        refused(401, "key_maker_inactive", k.get, "/v1/contacts")
    check(api.get(f"/v1/keys/{key['id']}")["created_by"] == {"id": other_id, "name": None}, "a removed maker is still shown by its id")
    again = enter(control, api, "other@makers.test", "admin")[1]
    check(again != other_id, "the same address invited again is another member")
    refused(401, "key_maker_inactive", first.get, "/v1/contacts")
    check(Api(control.url, mine["key"]).get("/v1/contacts")["data"] == [], "the keys of others go on")
    api.call("DELETE", f"/v1/keys/{key['id']}")
    refused(401, "not_authenticated", first.get, "/v1/contacts")


def members(control):
    api, made = sign_up(control, "members")
    me = made["user"]["id"]
    invited = api.post("/v1/members", {"email": "editor@members.test", "role": "editor"})
    check(invited["status"] == "invited", "an invited member is not active yet")
    anybody = Api(control.url)
    refused(422, "invalid_token", anybody.post, "/v1/auth/verify", {"token": invited["token"][:-1] + "!", "password": PASSWORD})
    entered = anybody.post("/v1/auth/verify", {"token": invited["token"], "password": PASSWORD, "name": "Ed"})
    editor = Api(control.url, entered["token"])
    refused(422, "invalid_token", anybody.post, "/v1/auth/verify", {"token": invited["token"], "password": PASSWORD})
    check(entered["user"]["role"] == "editor" and entered["user"]["name"] == "Ed", "the invited enters in the role given")
    refused(403, "missing_permission", editor.post, "/v1/members", {"email": "x@members.test", "role": "admin"})
    refused(403, "missing_permission", editor.call, "PATCH", f"/v1/members/{invited['id']}", {"role": "admin"})
    refused(409, "last_admin", api.call, "PATCH", f"/v1/members/{me}", {"role": "viewer"})
    refused(409, "last_admin", api.call, "DELETE", f"/v1/members/{me}")
    check(api.get("/v1/me")["role"] == "admin", "a refused change changes nothing")
    api.call("PATCH", f"/v1/members/{invited['id']}", {"role": "viewer"})
    check("contacts.write" not in editor.get("/v1/me")["permissions"], "a role takes effect at once")
    api.call("PATCH", f"/v1/members/{invited['id']}", {"status": "disabled"})
    refused(401, None, editor.get, "/v1/me")
    refused(401, None, anybody.post, "/v1/auth/login", {"email": "editor@members.test", "password": PASSWORD})
    api.call("PATCH", f"/v1/members/{invited['id']}", {"status": "active"})
    reset = api.post(f"/v1/members/{invited['id']}/reset")
    anybody.post("/v1/auth/verify", {"token": reset["token"], "password": "a third long one"})
    anybody.post("/v1/auth/login", {"email": "editor@members.test", "password": "a third long one"})
    anybody.post("/v1/auth/password-reset", {"email": "editor@members.test"})
    anybody.post("/v1/auth/password-reset", {"email": "nobody@members.test"})
    actions = [a["action"] for a in api.get("/v1/audit?limit=200")["data"]]
    for action in ("org.created", "member.invited", "member.changed", "member.reset", "user.reset_requested"):
        check(action in actions, f"the audit has {action}")
    # two admins who demote each other at the same moment: one of them stays
    second = api.post("/v1/members", {"email": "second@members.test", "role": "admin"})
    two = Api(control.url, anybody.post("/v1/auth/verify", {"token": second["token"], "password": PASSWORD})["token"])

    def demote(who, whom):
        try:
            who.call("PATCH", f"/v1/members/{whom}", {"role": "viewer"})
            return 200
        except ApiError as e:
            return e.status
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        done = sorted(pool.map(demote, (api, two), (second["id"], me)))
    check(done[0] == 200 and done[1] in (403, 409), f"two admins demote each other: {done}")


def audit_chain(control, pg):
    broken = pg.psql("""SELECT count(*) FROM (SELECT hash, sha256(coalesce(lag(hash) OVER (PARTITION BY org_id ORDER BY id), '') ||
        convert_to(concat_ws(E'\\n', to_ms(at), actor_kind, actor_id, action, object, detail::text, request_id, ip), 'UTF8')) AS want
        FROM audit) s WHERE hash <> want""", "postern")
    check(broken == "0", f"{broken} rows of the audit do not follow the one before")
    check(int(pg.psql("SELECT count(*) FROM audit", "postern")) > 20, "the audit was written")
    check(pg.psql("SELECT has_table_privilege('cp_api', 'audit', 'UPDATE, DELETE, TRUNCATE')", "postern") == "f", "the audit is append-only")


def bodies(control):
    api, _ = sign_up(control, "bodies")

    def post(text, **kw):
        return api.call("POST", "/v1/keys", text.encode(), **kw)
    refused(400, "invalid_json", post, '{"name": "a", "name": "b"}')
    refused(400, "invalid_json", post, '{"name": "a"} x')
    refused(400, "invalid_json", post, '["name"]')
    refused(400, "invalid_json", api.call, "POST", "/v1/keys", b'{"name": "\xff"}')
    refused(400, "invalid_json", post, "[" * 100000)
    refused(415, "unsupported_media_type", post, "name=a", content_type="application/x-www-form-urlencoded")
    refused(413, "too_large", post, '{"name": "' + "a" * (1 << 20) + '"}')
    refused(413, "too_large", post, '{"name": "' + "a" * (15 << 20) + '"}')
    problem = refused(422, None, post, '{"name": 7, "scopes": "x", "more": 1}')
    pointers = {e["pointer"]: e["code"] for e in problem.get("errors", [])}
    check(pointers == {"/name": "wrong_type", "/scopes": "wrong_type", "/more": "unknown_member"}, f"each wrong member is pointed at: {pointers}")
    check(problem.get("instance", "").startswith("req_"), "a problem names its request")
    refused(422, None, post, '{"name": "a\\nb", "scopes": ["domains.read"]}')
    refused(400, "invalid_json", post, '{"name": "a\\u0000b", "scopes": ["domains.read"]}')
    refused(422, "required", post, "{}")
    refused(404, "no_such_route", api.get, "/v1/nothing")
    refused(405, "method_not_allowed", api.call, "PUT", "/v1/keys", {})
    refused(404, None, api.get, "/v1/domains/%00")
    refused(404, None, api.get, "/v1/domains/%zz")
    refused(404, None, api.get, "/v1/domains/..%2f..%2fetc")
    refused(404, None, api.get, "/v1/domains/%ff%fe")
    refused(400, "invalid_limit", api.get, "/v1/keys?limit=0")
    refused(400, "invalid_limit", api.get, "/v1/keys?limit=201")
    refused(400, "invalid_cursor", api.get, "/v1/keys?after=AAAA")
    check(raw(control, b"GET /v1/keys HTTP/1.1\r\nHost: x\r\nX-Long: " + b"a" * 200000 + b"\r\n\r\n") in (None, 413, 431), "headers are bounded")
    head = f"POST /v1/keys HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {api.token}\r\n".encode()
    check(raw(control, head + b"Content-Length: 99999999999\r\n\r\n") == 413, "a length past the bound is refused unread")
    check(raw(control, head + b"Content-Length: -1\r\n\r\n") in (None, 400), "a length below nothing is refused")
    check(raw(control, b"\x16\x03\x01\x02\x00garbage\r\n\r\n") in (None, 400), "what is no HTTP is refused")
    api.get("/v1/org")
    for name, value in (("X-Content-Type-Options", "nosniff"), ("Cache-Control", "no-store"), ("X-Frame-Options", "DENY"),
                        ("Cross-Origin-Resource-Policy", "same-origin"), ("Cross-Origin-Opener-Policy", "same-origin"), ("Referrer-Policy", "no-referrer"),
                        ("Permissions-Policy", "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()"),
                        ("Content-Security-Policy", "default-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")):
        check(api.headers[name] == value, f"{name}: {api.headers[name]}")


def idempotency(control):
    api, _ = sign_up(control, "idempotency")
    key = {"Idempotency-Key": "order-1"}
    one = api.post("/v1/domains", {"name": "one.test"}, headers=key)
    check(api.headers["Idempotency-Replayed"] is None, "the first answer is not a replay")
    two = api.post("/v1/domains", {"name": "one.test"}, headers=key)
    check(one == two and api.headers["Idempotency-Replayed"] == "true", "the same key and body give the same answer")
    check(api.headers["Location"].endswith(one["id"]), "its headers too")
    refused(422, "idempotency_mismatch", api.post, "/v1/domains", {"name": "two.test"}, headers=key)
    refused(409, "already_exists", api.post, "/v1/domains", {"name": "one.test"}, headers={"Idempotency-Key": "order-2"})
    api.call("DELETE", f"/v1/domains/{one['id']}")
    refused(409, "already_exists", api.post, "/v1/domains", {"name": "one.test"}, headers={"Idempotency-Key": "order-2"})
    refused(400, "invalid_idempotency_key", api.post, "/v1/domains", {"name": "x.test"}, headers={"Idempotency-Key": "a" * 256})
    other, _ = sign_up(control, "idempotency2")
    other.post("/v1/domains", {"name": "one.test"}, headers=key)
    check(other.headers["Idempotency-Replayed"] is None, "a key is the organisation's own")
    start = threading.Barrier(8)

    def same(_):
        mine = Api(control.url, api.token)
        start.wait()
        try:
            return 201, mine.post("/v1/domains", {"name": "race.test"}, headers={"Idempotency-Key": "race"})["id"]
        except ApiError as e:
            return e.status, e.body["code"]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        done = list(pool.map(same, range(8)))
    made = {body for status, body in done if status == 201}
    check(len(made) == 1, f"eight at once make one: {done}")
    check(all(s == 201 or (s, b) == (409, "idempotency_in_flight") for s, b in done), f"the others replay or are told to wait: {done}")
    check(len([d for d in api.get("/v1/domains")["data"] if d["name"] == "race.test"]) == 1, "one row is there")


def pages(control):
    api, _ = sign_up(control, "pages")
    names = [f"key {i}" for i in range(23)]
    for name in names:
        api.post("/v1/keys", {"name": name, "scopes": ["domains.read"]})
    seen, after = [], ""
    while after is not None:
        page = api.get(f"/v1/keys?limit=5{'&after=' + after if after else ''}")
        seen += [k["name"] for k in page["data"]]
        after = page["next"]
        check(len(page["data"]) <= 5, "a page is no longer than asked")
        if len(seen) == 10:
            api.call("DELETE", f"/v1/keys/{page['data'][0]['id']}")
            api.post("/v1/keys", {"name": "late", "scopes": ["domains.read"]})
    check(seen == names + ["late"], f"pages show every row once, in order, while others come: {seen}")
    one = api.get("/v1/org")
    tag = api.headers["ETag"]
    try:
        api.get("/v1/org", headers={"If-None-Match": tag})
        check(False, "an unchanged object is 304")
    except ApiError as e:
        check(e.status == 304, f"an unchanged object is 304, not {e.status}")
    api.call("PATCH", "/v1/org", {"name": "changed"}, etag=tag)
    refused(412, "version_mismatch", api.call, "PATCH", "/v1/org", {"name": "again"}, etag=tag)
    check(api.get("/v1/org")["name"] == "changed" and one["name"] == "pages", "a stale change changes nothing")


def swept(control, pg):
    """What has had its time goes, and nothing else."""
    pg.psql("UPDATE idempotency SET created_at = now() - interval '25 hours' WHERE key LIKE '%order-1'", "postern")
    pg.psql("UPDATE sessions SET expires_at = now() - interval '8 days' WHERE id = (SELECT min(id) FROM sessions)", "postern")
    before = [int(pg.psql(f"SELECT count(*) FROM {t}", "postern")) for t in ("idempotency", "sessions")]
    old = int(pg.psql("SELECT count(*) FROM idempotency WHERE key LIKE '%order-1'", "postern"))
    gone = int(pg.psql("SELECT sweep(1000)", "postern", "cp_ingest"))
    after = [int(pg.psql(f"SELECT count(*) FROM {t}", "postern")) for t in ("idempotency", "sessions")]
    check(old >= 1 and gone == old + 1 and after == [before[0] - old, before[1] - 1], f"swept: {gone} of {before}, {after} stay")
    check(raw(control, b"HEAD /health HTTP/1.1\r\nHost: x\r\n\r\n") == 200, "HEAD is answered as GET")


def platform(control):
    boss = Api("http://127.0.0.1:8082", "platform-token-for-tests-0123456789")
    refused(401, None, Api("http://127.0.0.1:8082", "x" * 36).get, "/v1/admin/orgs")
    refused(404, "no_such_route", Api(control.url, boss.token).get, "/v1/admin/orgs")
    made = boss.post("/v1/admin/orgs", {"name": "held", "admin_email": "admin@held.test", "admin_password": PASSWORD})
    api = Api(control.url, Api(control.url).post("/v1/auth/login", {"email": "admin@held.test", "password": PASSWORD})["token"])
    key = api.post("/v1/keys", {"name": "k", "scopes": ["org.read", "domains.write"]})
    boss.post(f"/v1/admin/orgs/{made['id']}/suspend", {"note": "complaints"})
    check(api.get("/v1/org")["status_note"] == "complaints", "a suspended organisation can still look")
    refused(403, "org_suspended", Api(control.url, key["key"]).post, "/v1/domains", {"name": "held.test"})
    boss.post(f"/v1/admin/orgs/{made['id']}/resume")
    Api(control.url, key["key"]).post("/v1/domains", {"name": "held.test"})
    refused(404, None, boss.get, "/v1/admin/orgs/org_aaaaaaaaaaaaa")
    return made["tenant"]


def scheduled(control, pg):
    """What is scheduled goes out by itself: an editor, who may not send, does not change it any more."""
    api, _ = sign_up(control, "scheduled")
    invited = api.post("/v1/members", {"email": "editor@scheduled.test", "role": "editor"})
    editor = Api(control.url, Api(control.url).post("/v1/auth/verify", {"token": invited["token"], "password": PASSWORD})["token"])
    c = editor.post("/v1/campaigns", {"name": "ours"})["id"]
    pg.psql("UPDATE campaigns SET status = 2, scheduled_at = now() + interval '1 day' WHERE name = 'ours'", "postern")
    refused(403, "missing_permission", editor.call, "PATCH", f"/v1/campaigns/{c}", {"all_contacts": True}, headers={"If-Match": "*"})
    refused(403, "missing_permission", editor.call, "DELETE", f"/v1/campaigns/{c}")
    # who may send gets as far as what the campaign lacks: a scheduled one is checked at each change
    refused(422, "required", api.call, "PATCH", f"/v1/campaigns/{c}", {"name": "mine"}, headers={"If-Match": "*"})
    pg.psql("UPDATE campaigns SET status = 1, scheduled_at = NULL WHERE name = 'ours'", "postern")
    editor.call("PATCH", f"/v1/campaigns/{c}", {"name": "draft"}, headers={"If-Match": "*"})


def brake(control):
    """The last: from here on this address has to wait."""
    api, _ = sign_up(control, "brake")
    statuses = []
    for _ in range(120):
        try:
            Api(control.url).post("/v1/auth/login", {"email": "nobody@nowhere.test", "password": "guess guess guess"})
        except ApiError as e:
            statuses.append(e.status)
    check(429 in statuses and statuses[0] == 401, f"guessing is braked: {statuses[:3]} ... {statuses[-3:]}")
    refused(429, "too_many_requests", api.call, "PATCH", "/v1/me", {"password": "another long one", "current_password": "a guess"})
    check(api.call("PATCH", "/v1/me", {"name": "B"})["name"] == "B", "what is no guess is not braked")
    check(Api(control.url).get("/health")["status"] == "ok", "others are still answered")


def database_away(control, pg):
    api, _ = sign_up(control, "away")
    pg.kill()
    refused(503, None, api.get, "/v1/org")
    check(Api(control.url).get("/health")["status"] == "ok", "the process lives without its database")
    refused(503, None, Api(control.url).get, "/ready")
    pg.start()
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            check(api.get("/v1/org")["name"] == "away", "what was committed is there after the database's crash")
            return
        except ApiError:
            time.sleep(0.2)
    check(False, "requests are answered again after the database came back")


def main():
    pg = Postgres(TMP)
    pg.start()
    (TMP / "token").write_text("platform-token-for-tests-0123456789\n")
    control = Control(TMP, os.environ["POSTERN_BUILD"], pg, types.SimpleNamespace(link=TMP / "no-engine.sock"),
                      options={"auth.burst": 100, "auth.per_minute": 1, "auth.password_memory": "8M", "http.admin.listen": "127.0.0.1:8082",
                               "http.admin.token_file": TMP / "token"})
    try:
        control.start()
        sessions(control)
        keys(control)
        a_key_with_few_scopes_does_not_end_one_with_more(control)
        what_was_handed_over_ends_when_role_or_membership_changes(control)
        member_with_more_is_out_of_reach(control)
        key_is_worth_what_its_maker_is(control)
        members(control)
        bodies(control)
        idempotency(control)
        pages(control)
        scheduled(control, pg)
        swept(control, pg)
        tenant = platform(control)
        rules = pg.psql("SELECT name || '=' || convert_from(value, 'UTF8') FROM engine_outbox ORDER BY seq", "postern").splitlines()
        check(rules == [f"hold/tenant/{tenant}=suspended by the platform", f"hold/tenant/{tenant}="], f"the engine is told to hold, then to go on: {rules}")
        audit_chain(control, pg)
        database_away(control, pg)
        brake(control)
        ended_well(control)
        result()
    finally:
        control.stop()
        pg.stop()
    return 1 if failures else 0


sys.exit(main())
