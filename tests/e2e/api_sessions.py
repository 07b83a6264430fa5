#!/usr/bin/python3
# timeout: 90
# sanitize: yes
"""Sessions of people: the cookie that browsers take from no other host, ids that nobody knew before, what a page of
another site cannot do, how long they last, where they are seen, and what happens when an old token comes again."""
import os
import pathlib
import sys
import types

from checks import check, ended_well, failures, refused, result
from stack import Api, Control, Postgres

TMP = pathlib.Path(os.environ["POSTERN_TMP"])
PASSWORD = "correct horse battery"
NAME = "__Host-postern_session"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"


def sign_up(control, name):
    api = Api(control.url)
    made = api.post("/v1/auth/signup", {"organization": name, "email": f"admin@{name}.test", "password": PASSWORD})
    return Api(control.url, made["token"]), made, api.headers["Set-Cookie"]


def log_in(control, name, **headers):
    return Api(control.url).post("/v1/auth/login", {"email": f"admin@{name}.test", "password": PASSWORD}, headers=headers)


def cookies_are_for_this_host_alone(control):
    api, made, cookie = sign_up(control, "cookie")
    parts = cookie.split("; ")
    check(parts[0] == f"{NAME}={made['token']}", f"its name: {parts[0][:40]}")
    check(sorted(p.split("=")[0] for p in parts[1:]) == ["HttpOnly", "Max-Age", "Path", "SameSite", "Secure"], f"what browsers want of this name: {cookie}")
    check("Path=/" in parts and "SameSite=Strict" in parts, f"{cookie}")
    browser = Api(control.url)
    check(browser.get("/v1/me", headers={"Cookie": f"a=b; {parts[0]}; c=d"})["id"] == made["user"]["id"], "the cookie is a credential")
    for name in ("postern_session", "__Host-Postern_session", "__hOST-postern_session", "__Secure-postern_session", "x__Host-postern_session"):
        refused(401, "not_authenticated", browser.get, "/v1/me", headers={"Cookie": f"{name}={made['token']}"})
    out = Api(control.url, made["token"])
    out.post("/v1/auth/logout")
    check(out.headers["Set-Cookie"].startswith(f"{NAME}=; ") and "Max-Age=0" in out.headers["Set-Cookie"], f"logging out takes it away: {out.headers['Set-Cookie']}")


def nobody_knew_the_id_before(control):
    """Session fixation: what a thief plants in a browser is not what its owner logs in to."""
    _, planted, _ = sign_up(control, "thief")
    sign_up(control, "owner")
    owner = log_in(control, "owner", Cookie=f"{NAME}={planted['token']}", **{"X-CSRF-Token": planted["csrf"]})
    check(owner["token"] != planted["token"] and owner["token"].split("_")[1] != planted["token"].split("_")[1], "a login makes a new session")
    check(Api(control.url, planted["token"]).get("/v1/me")["email"] == "admin@thief.test", "the planted one is still its thief's")
    mine = Api(control.url, owner["token"])
    proved = mine.post("/v1/me/proof", {"password": PASSWORD})
    check(proved["token"] != owner["token"] and proved["csrf"] != owner["csrf"], "and so does each change of what it may do")


def a_page_of_another_site_can_do_nothing(control):
    """It can make a browser send the cookie, and a form; it cannot read the CSRF value, nor send JSON unasked."""
    api, made, _ = sign_up(control, "forged")
    _, other, _ = sign_up(control, "other")
    cookie = {"Cookie": f"{NAME}={made['token']}", "Origin": "https://evil.test"}
    browser = Api(control.url)
    for value in (None, "", "x" * 43, other["csrf"], made["token"]):
        headers = {**cookie, **({} if value is None else {"X-CSRF-Token": value})}
        for method, path, body in (("PATCH", "/v1/me", {"name": "X"}), ("DELETE", "/v1/me/sessions", None), ("POST", "/v1/contacts", {"email": "x@forged.test"}),
                                   ("PUT", "/v1/me/totp", None), ("POST", "/v1/auth/logout", {})):
            refused(403, "csrf", browser.call, method, path, body, headers=headers)
    for kind in ("application/x-www-form-urlencoded", "text/plain", "multipart/form-data; boundary=x"):
        refused(415, None, browser.call, "POST", "/v1/auth/login", b'{"email": "admin@forged.test", "password": "x"}', content_type=kind)
    browser.get("/v1/me", headers=cookie)
    check("Access-Control-Allow-Origin" not in browser.headers, "and it reads no answers")
    check(browser.call("PATCH", "/v1/me", {"name": "X"}, headers={**cookie, "X-CSRF-Token": made["csrf"]})["name"] == "X", "our own page can")


def they_end(control, pg):
    api, made, _ = sign_up(control, "ends")
    old = Api(control.url, log_in(control, "ends")["token"])
    pg.psql("UPDATE sessions SET last_seen_at = now() - interval '2 days 1 second' WHERE id = (SELECT max(id) FROM sessions)", "postern")
    refused(401, "not_authenticated", old.get, "/v1/me")
    check(len(api.get("/v1/me/sessions")["data"]) == 1, "what was not used for long is no session")
    old.token = log_in(control, "ends")["token"]
    pg.psql("UPDATE sessions SET expires_at = now() WHERE id = (SELECT max(id) FROM sessions)", "postern")
    refused(401, "not_authenticated", old.get, "/v1/me")
    # going on under a new id makes it last no longer
    before = api.get("/v1/me/sessions")["data"][0]["expires_at"]
    pg.psql("UPDATE sessions SET expires_at = expires_at - interval '3 days', created_at = created_at - interval '3 days'", "postern")
    api.token = api.post("/v1/me/proof", {"password": PASSWORD})["token"]
    mine = api.get("/v1/me/sessions")["data"]
    check(len(mine) == 1 and mine[0]["expires_at"] < before and mine[0]["created_at"] < made["user"]["created_at"], f"it ends when it would have: {mine}")


def people_see_where_they_are(control):
    api, _, _ = sign_up(control, "seen")
    token = log_in(control, "seen", **{"User-Agent": FIREFOX, "X-Forwarded-For": "203.0.113.7"})["token"]
    found = [s for s in api.get("/v1/me/sessions")["data"] if not s["current"]]
    check([(s["device"], s["ip"], s["agent"]) for s in found] == [("Firefox on Linux", "203.0.113.7", FIREFOX)], f"device and place: {found}")
    other, _, _ = sign_up(control, "stranger")
    refused(404, None, other.call, "DELETE", f"/v1/me/sessions/{found[0]['id']}")
    api.call("DELETE", f"/v1/me/sessions/{found[0]['id']}")
    refused(401, "not_authenticated", Api(control.url, token).get, "/v1/me")


def an_old_token_that_comes_again_ends_what_it_became(control, pg):
    api, made, _ = sign_up(control, "reuse")
    tokens = [api.token]
    for _ in range(2):
        api.token = api.post("/v1/me/proof", {"password": PASSWORD})["token"]
        tokens.append(api.token)
    other = Api(control.url, log_in(control, "reuse")["token"])
    refused(401, "not_authenticated", Api(control.url, tokens[0]).get, "/v1/me")
    api.get("/v1/me")  # a request of the same page that was on its way
    check(len(api.get("/v1/me/sessions")["data"]) == 2, "what was replaced is not shown")
    pg.psql("UPDATE sessions SET replaced_at = now() - interval '2 minutes' WHERE replaced_at IS NOT NULL", "postern")
    wrong = tokens[0][:-1] + ("A" if tokens[0][-1] != "A" else "B")
    refused(401, "not_authenticated", Api(control.url, wrong).get, "/v1/me")
    api.get("/v1/me")  # who knows the id alone ends nothing
    refused(401, "not_authenticated", Api(control.url, tokens[0]).get, "/v1/me")
    refused(401, "not_authenticated", api.get, "/v1/me")
    other.get("/v1/me")
    lines = [a["action"] for a in other.get("/v1/audit?limit=200")["data"]]
    check(lines.count("session.reused") == 1, f"and the audit says so: {lines}")


def a_profile_is_its_persons_own(control, pg):
    api, made, _ = sign_up(control, "profile")
    me = api.get("/v1/me")
    wanted = {"new_device": True, "key_ends": True, "guessing": True}
    check((me["phone"], me["time_zone"], me["notifications"]) == ("", "", wanted), f"at first: {me}")
    me = api.call("PATCH", "/v1/me", {"phone": "+49 (30) 123-4567", "time_zone": "America/Argentina/Buenos_Aires", "notifications": {"key_ends": False}})
    check((me["phone"], me["time_zone"], me["notifications"]) == ("+49301234567", "America/Argentina/Buenos_Aires", {**wanted, "key_ends": False}), f"changed: {me}")
    check("49301234567" not in pg.psql("SELECT u::text FROM users u", "postern"), "the number is sealed in the database")
    check("123-4567" not in pg.psql("SELECT string_agg(a::text, '') FROM audit a", "postern"), "and not in the audit")
    check("phone" not in api.get("/v1/members")["data"][0], "members do not see it")
    for body, code in (({"phone": "030 1234567"}, "invalid_phone"), ({"phone": "+0123456789"}, "invalid_phone"), ({"phone": "+4912345678901234567"}, "invalid_phone"),
                       ({"phone": "+49 30 x"}, "invalid_phone"), ({"time_zone": "Mars/Olympus"}, "unknown_time_zone"), ({"time_zone": "../../../etc/passwd"}, "unknown_time_zone"),
                       ({"time_zone": "Europe"}, "unknown_time_zone"), ({"time_zone": "zone.tab"}, "unknown_time_zone"), ({"time_zone": "/Europe/Berlin"}, "unknown_time_zone"),
                       ({"notifications": {"password_changed": False}}, "unknown_member"), ({"notifications": {"new_device": 0}}, "wrong_type")):
        p = refused(422, None, api.call, "PATCH", "/v1/me", body)
        check([e["code"] for e in p.get("errors", [])] == [code], f"{body}: {p.get('errors')}")
    for body in ({"role": "admin"}, {"permissions": []}, {"email": "x@profile.test"}, {"factors": {}}, {"org": "x"}, {"mail_off": 1}, {"phone_seal": 1}):
        p = refused(422, None, api.call, "PATCH", "/v1/me", body)
        check([e["code"] for e in p.get("errors", [])] == ["unknown_member"], f"mass assignment of {body}: {p.get('errors')}")
    me = api.call("PATCH", "/v1/me", {"phone": "", "time_zone": ""})
    check((me["phone"], me["time_zone"]) == ("", ""), f"and gone: {me['phone']!r} {me['time_zone']!r}")


def main():
    pg = Postgres(TMP)
    pg.start()
    control = Control(TMP, os.environ["POSTERN_BUILD"], pg, types.SimpleNamespace(link=TMP / "no-engine.sock"),
                      options={"auth.burst": 1000, "auth.password_memory": "8M", "http.cookie_secure": "yes", "http.trusted_proxies": "127.0.0.1/32"})
    try:
        control.start()
        cookies_are_for_this_host_alone(control)
        nobody_knew_the_id_before(control)
        a_page_of_another_site_can_do_nothing(control)
        they_end(control, pg)
        people_see_where_they_are(control)
        an_old_token_that_comes_again_ends_what_it_became(control, pg)
        a_profile_is_its_persons_own(control, pg)
        ended_well(control)
        result()
    finally:
        control.stop()
        pg.stop()
    return 1 if failures else 0


sys.exit(main())
