#!/usr/bin/python3
# timeout: 120
# sanitize: yes
"""One person in several organisations: linked by proof alone (an invitation accepted while logged in, a session shown beside
another), gone over to with the other side's own second factor, unlinked by whoever could have opened an account for somebody
else.  And the attacks: equal addresses, other tenants' ids, removed and disabled members, suspended organisations, sessions that
an organisation's own sign-in began, fixation over a switch, and the database's role past the daemon's code."""
import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys
import time
import types
import urllib.request

from checks import check, ended_well, failures, refused, result
from stack import Api, ApiError, Control, Failure, Postgres

TMP = pathlib.Path(os.environ["POSTERN_TMP"])
PASSWORD = "correct horse battery"
OTHER = "seven quiet lamps on water"
TOKEN = "platform-token-of-this-test-0123456789"
ADMIN = "127.0.0.1:8082"


def sign_up(control, name, email=None, password=PASSWORD):
    made = Api(control.url).post("/v1/auth/signup", {"organization": name, "email": email or f"admin@{name}.test", "password": password})
    api = Api(control.url, made["token"])
    api.org, api.user = made["user"]["org"]["id"], made["user"]["id"]
    return api


def log_in(control, email, password=PASSWORD, org=None):
    body = {"email": email, "password": password, **({"org": org} if org else {})}
    return Api(control.url, Api(control.url).post("/v1/auth/login", body)["token"])


def invite(admin, email, role="editor"):
    return admin.post("/v1/members", {"email": email, "role": role})


def member(control, admin, email, role="editor", password=PASSWORD):
    """A member with a password of their own, logged in."""
    made = Api(control.url).post("/v1/auth/verify", {"token": invite(admin, email, role)["token"], "password": password})
    api = Api(control.url, made["token"])
    api.org, api.user = made["user"]["org"]["id"], made["user"]["id"]
    return api


def link(api, **what):
    return api.post("/v1/me/organisations", what)


def switch(api, org):
    return api.post("/v1/auth/switch", {"organisation": org})


def names(api):
    return [o["name"] for o in api.get("/v1/me/organisations")["data"]]


def actions(admin, user):
    return [(a["action"], json.dumps(a)) for a in admin.get("/v1/audit?limit=200")["data"] if a["object"] == user]


def code_of(secret):
    if time.time() % 30 > 27:
        time.sleep(30.1 - time.time() % 30)
    return subprocess.run(["oathtool", "--totp", "--base32", secret], check=True, capture_output=True, text=True).stdout.strip()


def set_up(api, pg):
    secret = api.call("PUT", "/v1/me/totp")["secret"]
    api.token = api.post("/v1/me/totp/confirm", {"code": code_of(secret)})["session"]["token"]
    pg.psql("UPDATE user_totp SET last_step = 0", "postern")
    return secret


def an_invitation_is_accepted(control):
    home, there = sign_up(control, "home"), sign_up(control, "there")
    ann = member(control, home, "ann@home.test")
    check(names(ann) == ["home"], "at first there is one")
    asked = invite(there, "ann@elsewhere.test", "analyst")
    for bad in ({}, {"invitation": asked["token"], "session": ann.token}, {"session": ann.token, "password": OTHER}, {"invitation": asked["token"], "role": "admin"},
                {"invitation": asked["token"], "password": "password12"}):
        refused(422, None, ann.post, "/v1/me/organisations", bad)
    for bad in ("tok_none", asked["token"][:-4] + "AAAA", ann.token, there.post(f"/v1/members/{there.user}/reset")["token"]):
        refused(422, "invalid_token", link, ann, invitation=bad)
    joined = link(ann, invitation=asked["token"], name="Ann")
    check(joined == {**joined, "id": there.org, "name": "there", "role": "analyst", "current": False, "status": "active"}, f"joined: {joined}")
    check(names(ann) == ["home", "there"], "both are listed")
    refused(422, "invalid_token", link, ann, invitation=asked["token"])
    mine = there.get(f"/v1/members/{asked['id']}")
    check((mine["status"], mine["name"], mine["email"]) == ("active", "Ann", "ann@elsewhere.test"), f"the member there: {mine}")
    over = switch(ann, there.org)
    new = Api(control.url, over["token"])
    check(over["user"]["id"] == asked["id"] and over["user"]["org"]["id"] == there.org and over["user"]["role"] == "analyst", f"the session there: {over['user']}")
    check(ann.get("/v1/me")["org"]["name"] == "home", "the session here stays")
    check([(o["name"], o["current"]) for o in new.get("/v1/me/organisations")["data"]] == [("home", False), ("there", True)], "from there both are listed too")
    check(Api(control.url, switch(new, home.org)["token"]).get("/v1/me")["id"] == ann.user, "and the way back is open")
    # both sides are told, and neither learns of the other
    for admin, user, foreign in ((home, ann.user, (there.org, "there", asked["id"])), (there, asked["id"], (home.org, "home", ann.user))):
        lines = actions(admin, user)
        check("user.organisation_linked" in [a for a, _ in lines], f"the audit has the link: {[a for a, _ in lines]}")
        said = "".join(t for _, t in lines) + json.dumps(admin.get("/v1/members")) + json.dumps(admin.get(f"/v1/members/{user}"))
        check(not any(f'"{f}"' in said for f in foreign), "an admin sees nothing of the other organisation")
    check("login.switched" in [a for a, _ in actions(there, asked["id"])], "the audit there says how they came")
    check("login.switched" in [a for a, _ in actions(home, ann.user)], "and the one here, of the way back")
    # a key is no person
    key = Api(control.url, home.post("/v1/keys", {"name": "k", "scopes": ["contacts.read"]})["key"])
    for call in ((key.get, "/v1/me/organisations"), (switch, key, there.org), (key.call, "DELETE", f"/v1/me/organisations/{there.org}")):
        refused(403, "session_required", *call)
    return home, there, ann, asked["id"]


def a_session_there_is_shown(control, pg):
    one, two = sign_up(control, "one"), sign_up(control, "two")
    bob, rob = member(control, one, "bob@one.test"), member(control, two, "rob@two.test", password=OTHER)
    # nobody but who holds both, now, with passwords
    refused(422, "invalid_session", link, bob, session=rob.token[:-3] + "AAA")
    refused(409, "already_linked", link, bob, session=bob.token)
    pg.psql("UPDATE sessions SET proved_at = now() - interval '11 minutes' WHERE org_id = (SELECT org_id FROM orgs WHERE name = 'two')", "postern")
    refused(422, "invalid_session", link, bob, session=rob.token)
    rob = log_in(control, "rob@two.test", OTHER)
    pg.psql("UPDATE sessions SET proved_at = now() - interval '11 minutes' WHERE org_id = (SELECT org_id FROM orgs WHERE name = 'one')", "postern")
    refused(403, "proof_required", link, bob, session=rob.token)
    bob.token = bob.post("/v1/me/proof", {"password": PASSWORD})["token"]
    pg.psql("UPDATE sessions SET own = false WHERE org_id = (SELECT org_id FROM orgs WHERE name = 'two')", "postern")
    refused(422, "invalid_session", link, bob, session=rob.token)
    rob = log_in(control, "rob@two.test", OTHER)
    ended = log_in(control, "rob@two.test", OTHER)
    ended.post("/v1/auth/logout")
    refused(422, "invalid_session", link, bob, session=ended.token)
    check(names(bob) == ["one"], "nothing of this linked them")
    check(link(bob, session=rob.token)["name"] == "two" and names(bob) == names(rob) == ["one", "two"], "two sessions link")
    refused(409, "already_linked", link, bob, session=rob.token)
    # what was proved here is not proved there, where they have a password
    over = Api(control.url, switch(bob, two.org)["token"])
    refused(403, "proof_required", over.call, "PUT", "/v1/me/totp")
    refused(403, "proof_required", link, over, invitation="tok_none")
    refused(422, None, over.post, "/v1/me/proof", {"password": PASSWORD})
    over.token = over.post("/v1/me/proof", {"password": OTHER})["token"]
    over.call("PUT", "/v1/me/totp")
    # links of links are one person; two members of one organisation are not
    three = sign_up(control, "three")
    link(three, session=over.token)
    check(names(bob) == names(three) == ["one", "three", "two"], f"links of links: {names(bob)}")
    twin, alien = member(control, one, "twin@one.test"), member(control, sign_up(control, "four"), "t@four.test")
    link(twin, session=alien.token)
    refused(409, "two_members", link, three, session=alien.token)
    check(names(alien) == ["four", "one"] and names(three) == ["one", "three", "two"], "who is somebody else stays so")
    # leaving
    refused(404, None, bob.call, "DELETE", f"/v1/me/organisations/{alien.org}")
    bob.call("DELETE", f"/v1/me/organisations/{two.org}")
    check(names(bob) == ["one", "three"] and names(rob) == ["two"], "left")
    refused(404, None, switch, bob, two.org)
    refused(404, None, bob.call, "DELETE", f"/v1/me/organisations/{two.org}")
    for admin, user in ((one, bob.user), (two, rob.get("/v1/me")["id"])):
        check("user.organisation_unlinked" in [a for a, _ in actions(admin, user)], "the audit of each side has the end")
    check(rob.get("/v1/me")["org"]["name"] == "two", "they are members there as before")
    three.call("DELETE", f"/v1/me/organisations/{three.org}")
    check(names(bob) == ["one"] and names(three) == ["three"], "one's own id ends the links of this one")


def the_other_side_asks_for_its_own_factor(control, pg):
    here, there = sign_up(control, "factor-here"), sign_up(control, "factor-there")
    eve, eva = member(control, here, "eve@factor.test"), member(control, there, "eva@factor.test", password=OTHER)
    link(eve, session=eva.token)
    mine, theirs = set_up(eve, pg), set_up(eva, pg)
    asked = switch(eve, there.org)
    check("token" not in asked and asked["factors"] == ["totp", "recovery"], f"a challenge and no session: {list(asked)}")
    answer = {"challenge": asked["challenge"], "factor": "totp"}
    refused(422, "wrong_code", Api(control.url).post, "/v1/auth/login/factor", {**answer, "code": code_of(mine)})
    over = Api(control.url, Api(control.url).post("/v1/auth/login/factor", {**answer, "code": code_of(theirs)})["token"])
    check(over.get("/v1/me")["org"]["name"] == "factor-there", "the code of the other side lets in")
    over.call("PUT", "/v1/me/totp")
    check("token" not in switch(over, here.org), "and so does the way back ask")
    # who must set one up there may do nothing else there, whatever they have here
    must = sign_up(control, "must")
    link(eve, invitation=invite(must, "eve@must.test")["token"])
    must.call("PATCH", "/v1/org", {"require_factor": True})
    bare = Api(control.url, switch(eve, must.org)["token"])
    refused(403, "factor_required", bare.get, "/v1/campaigns")
    refused(403, "factor_required", switch, bare, here.org)
    # without a password there the proof comes along: it is theirs to set up
    set_up(bare, pg)
    bare.get("/v1/campaigns")
    eve.token = eve.post("/v1/me/proof", {"password": PASSWORD, "code": code_of(mine)})["token"]
    old = sign_up(control, "old-proof")
    link(eve, invitation=invite(old, "eve@old.test")["token"])
    pg.psql("UPDATE sessions SET proved_at = now() - interval '11 minutes'", "postern")
    stale = Api(control.url, switch(eve, old.org)["token"])
    refused(403, "proof_required", stale.call, "PUT", "/v1/me/totp")


def equal_addresses_link_nothing(control):
    a, b = sign_up(control, "same-a", "same@mail.test"), sign_up(control, "same-b", "same@mail.test")
    check(names(a) == ["same-a"] and names(b) == ["same-b"], "the same address and password is not the same person")
    refused(404, None, switch, a, b.org)
    refused(409, "org_required", Api(control.url).post, "/v1/auth/login", {"email": "same@mail.test", "password": PASSWORD})
    strange = refused(404, None, switch, a, "org_" + "a" * 13)
    theirs = refused(404, None, switch, a, b.org)
    strip = {"request_id", "instance"}
    check({k: v for k, v in strange.items() if k not in strip} == {k: v for k, v in theirs.items() if k not in strip}, f"no oracle: {strange} {theirs}")
    refused(404, None, a.call, "DELETE", f"/v1/me/organisations/{b.org}")
    refused(404, None, a.call, "DELETE", f"/v1/me/organisations/{a.org}")


def who_is_out_stays_out(control, pg, platform):
    home, club = sign_up(control, "out-home"), sign_up(control, "out-club")
    kim = member(control, home, "kim@out.test")
    asked = invite(club, "kim@club.test")
    link(kim, invitation=asked["token"])
    inside = Api(control.url, switch(kim, club.org)["token"])
    who = f"/v1/members/{asked['id']}"
    # disabled there, and again active, which needs a password or an invitation
    club.call("PATCH", who, {"status": "disabled"})
    refused(401, None, inside.get, "/v1/me")
    refused(404, None, switch, kim, club.org)
    check(names(kim) == ["out-home"], "who is disabled is not told of it")
    club.call("PATCH", who, {"status": "active"})
    refused(404, None, switch, kim, club.org)
    # removed there, and invited again: that is another member
    club.call("DELETE", who)
    refused(404, None, switch, kim, club.org)
    again = invite(club, "kim@club.test")
    Api(control.url).post("/v1/auth/verify", {"token": again["token"], "password": OTHER})
    refused(404, None, switch, kim, club.org)
    check(pg.psql("SELECT count(*) FROM person_members m JOIN orgs o ON o.org_id = m.org WHERE o.name = 'out-club'", "postern") == "0", "nothing is left of the link")
    link(kim, session=log_in(control, "kim@club.test", OTHER).token)
    # disabled at home
    home.call("PATCH", f"/v1/members/{kim.user}", {"status": "disabled"})
    refused(401, None, switch, kim, club.org)
    refused(404, None, switch, log_in(control, "kim@club.test", OTHER), home.org)
    home.call("PATCH", f"/v1/members/{kim.user}", {"status": "active"})
    kim.token = log_in(control, "kim@out.test").token
    # suspended: one may look, there and from there
    org = club.org
    platform.post(f"/v1/admin/orgs/{org}/suspend", {})
    check([o["status"] for o in kim.get("/v1/me/organisations")["data"]] == ["suspended", "active"], "it is listed as suspended")
    inside = Api(control.url, switch(kim, org)["token"])
    refused(403, "org_suspended", inside.post, "/v1/lists", {"name": "x"})
    check("token" in switch(inside, home.org), "and left again")
    platform.post(f"/v1/admin/orgs/{org}/resume", {})


def an_organisation_opens_its_own_door_only(control, pg):
    """What an admin can do to a member's account (a reset, no second factor, a sign-in of the organisation's own) must not lead on."""
    victim, evil = sign_up(control, "victim"), sign_up(control, "evil")
    v = member(control, victim, "v@victim.test")

    def linked():
        e = log_in(control, "v@evil.test", OTHER) if evil.seen else member(control, evil, "v@evil.test", password=OTHER)
        evil.seen = True
        link(v, session=e.token)
        check(names(e) == ["evil", "victim"], "linked")
        return e
    evil.seen = False
    e = linked()
    who = e.get("/v1/me")["id"]
    taken = Api(control.url).post("/v1/auth/verify", {"token": evil.post(f"/v1/members/{who}/reset")["token"], "password": PASSWORD + "!"})
    thief = Api(control.url, taken["token"])
    check(names(thief) == ["evil"] and names(v) == ["victim"], "a reset ends the link")
    refused(404, None, switch, thief, victim.org)
    refused(404, None, thief.call, "DELETE", f"/v1/me/organisations/{victim.org}")
    Api(control.url).post("/v1/auth/verify", {"token": evil.post(f"/v1/members/{who}/reset")["token"], "password": OTHER})
    e = linked()
    secret = set_up(e, pg)
    evil.call("DELETE", f"/v1/members/{who}/factor")
    check(names(v) == ["victim"] and secret, "a factor that somebody else removed ends it")
    e = linked()
    # as a sign-in of the organisation's own begins it: not by the person's password
    pg.psql("UPDATE sessions SET own = false WHERE org_id = (SELECT org_id FROM orgs WHERE name = 'evil')", "postern")
    check(names(e) == ["evil"], "the organisation's own sign-in sees itself alone")
    for call in ((switch, e, victim.org), (link, e)):
        refused(403, "password_required", *call, **({"session": v.token} if call[0] is link else {}))
    refused(404, None, e.call, "DELETE", f"/v1/me/organisations/{victim.org}")
    check(names(v) == ["evil", "victim"], "and changes nothing elsewhere")
    e.token = e.post("/v1/me/proof", {"password": OTHER})["token"]
    check(names(e) == ["evil", "victim"] and "token" in switch(e, victim.org), "with the person's password it is theirs")
    # an unfinished login carries no more than its first factor
    set_up(e, pg)
    v2 = Api(control.url, v.token)
    asked = switch(v2, evil.org)
    for token in (asked["challenge"], asked["challenge"].replace("tok_", "ses_")):
        refused(401, None, Api(control.url, token).get, "/v1/me/organisations")
        refused(422, None, link, v2, session=token)
        refused(422, "invalid_token", link, v2, invitation=token)


def an_organisation_that_wants_its_own_sign_in(control, pg):
    """sso_only: passwords do not count there, so neither does one of another organisation; admins have a way in."""
    home, strict = sign_up(control, "sso-home"), sign_up(control, "sso-strict")
    lea = member(control, home, "lea@sso.test")
    link(lea, invitation=invite(strict, "lea@strict.test")["token"])
    late = invite(strict, "late@strict.test")["token"]
    link(home, session=strict.token)
    pg.psql("UPDATE orgs SET sso_only = true WHERE name = 'sso-strict'", "postern")
    refused(403, "sso_required", switch, lea, strict.org)
    refused(403, "sso_required", link, member(control, home, "late@sso.test"), invitation=late)
    check("token" in switch(home, strict.org), "an admin still comes in")


def the_operator_helps_an_admin(control, pg, platform):
    """Phone and recovery codes of the only admin are gone."""
    lone, other = sign_up(control, "lone"), sign_up(control, "lone-other")
    link(lone, session=other.token)
    ed = member(control, lone, "ed@lone.test")
    where = f"/v1/admin/orgs/{lone.org}/reset-factor"
    ask = {"email": "Admin@Lone.test", "reason": "called back"}
    refused(409, "no_factor", platform.post, where, ask)
    set_up(lone, pg)
    set_up(ed, pg)
    check("challenge" in Api(control.url).post("/v1/auth/login", {"email": "admin@lone.test", "password": PASSWORD}), "a code is asked for")
    refused(401, None, Api(platform.url, lone.token).post, where, ask)
    refused(404, "no_such_route", Api(control.url, TOKEN).post, where, ask)
    for body in ({"email": "admin@lone.test"}, {**ask, "reason": "  "}, {**ask, "force": True}):
        refused(422, None, platform.post, where, body)
    for email in ("ed@lone.test", "admin@lone-other.test", "nobody@lone.test"):
        refused(404, "no_such_admin", platform.post, where, {**ask, "email": email})
    refused(404, None, platform.post, f"/v1/admin/orgs/org_{'a' * 13}/reset-factor", ask)
    check(lone.get("/v1/me")["factors"]["totp"], "nothing of this removed it")
    platform.post(where, ask)
    refused(401, None, lone.get, "/v1/me")
    back = log_in(control, "admin@lone.test")
    check(names(back) == ["lone"] and names(other) == ["lone-other"], "the link has ended")
    line = next(a for a in back.get("/v1/audit")["data"] if a["action"] == "member.factor_removed")
    check(line["actor"] == "platform" and line["detail"] == {"reason": "called back"} and line["object"] == lone.user, f"the audit: {line}")
    check("challenge" in Api(control.url).post("/v1/auth/login", {"email": "ed@lone.test", "password": PASSWORD}), "others keep theirs")


def a_switch_makes_a_new_session(control):
    here, there = sign_up(control, "fix-here"), sign_up(control, "fix-there")
    zoe = member(control, here, "zoe@fix.test")
    asked = invite(there, "zoe@there.test")
    link(zoe, invitation=asked["token"])
    login = Api(control.url).post("/v1/auth/login", {"email": "zoe@fix.test", "password": PASSWORD})

    def by_cookie(token, csrf, body):
        request = urllib.request.Request(control.url + "/v1/auth/switch", json.dumps(body).encode(), method="POST")
        request.add_header("Content-Type", "application/json")
        request.add_header("Cookie", f"{cookie}={token}")
        if csrf:
            request.add_header("X-CSRF-Token", csrf)
        try:
            with urllib.request.urlopen(request) as reply:
                return reply.status, dict(reply.headers), json.loads(reply.read())
        except urllib.error.HTTPError as e:
            return e.code, dict(e.headers), json.loads(e.read())
    secure = Api(control.url).call("POST", "/v1/auth/login", {"email": "zoe@fix.test", "password": PASSWORD})
    check(secure["token"] != login["token"], "each login is a session of its own")
    cookie = "postern_session"
    body = {"organisation": there.org}
    status, _, reply = by_cookie(login["token"], None, body)
    check((status, reply.get("code")) == (403, "csrf"), f"without the CSRF value: {status} {reply}")
    status, headers, reply = by_cookie(login["token"], login["csrf"], body)
    check(status == 200 and reply["token"] != login["token"] and reply["csrf"] != login["csrf"], f"a new token and CSRF value: {status}")
    check(headers["Set-Cookie"].startswith(f"{cookie}={reply['token']};") and "SameSite=Strict" in headers["Set-Cookie"], f"the cookie is the new one's: {headers.get('Set-Cookie')}")
    status, _, said = by_cookie(reply["token"], login["csrf"], {"organisation": here.org})
    check((status, said.get("code")) == (403, "csrf"), f"the old CSRF value is none of the new session: {status} {said}")
    check(Api(control.url, login["token"]).get("/v1/me")["org"]["name"] == "fix-here", "who knew the old token is not there")
    # a session that went on under another id, or ended, leads nowhere
    old = Api(control.url, login["token"])
    renewed = old.post("/v1/me/proof", {"password": PASSWORD})["token"]
    refused(401, None, switch, old, there.org)
    check("token" in switch(Api(control.url, renewed), there.org), "its successor does")
    Api(control.url, renewed).post("/v1/auth/logout")
    refused(401, None, switch, Api(control.url, renewed), there.org)
    # parts of two sessions are none
    mixed = reply["token"].rsplit("_", 1)[0] + "_" + login["token"].rsplit("_", 1)[1]
    refused(401, None, switch, Api(control.url, mixed), here.org)


def races_have_one_winner(control, pg):
    home, prize = sign_up(control, "race-home"), sign_up(control, "race-prize")
    people = [member(control, home, f"r{i}@race.test") for i in range(6)]
    asked = invite(prize, "r@prize.test")

    def go(api):
        try:
            return link(api, invitation=asked["token"])["name"]
        except ApiError as e:
            return e.status
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        got = list(pool.map(go, people))
    check(sorted(map(str, got)) == ["422"] * 5 + ["race-prize"], f"one invitation, six people at once: {got}")
    # all link all, in both directions at once: one person in the end, and no deadlock shows
    orgs = [sign_up(control, f"mesh-{i}") for i in range(4)]

    def tie(pair):
        try:
            link(orgs[pair[0]], session=orgs[pair[1]].token)
        except ApiError as e:
            return e.body.get("code")
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        said = list(pool.map(tie, [(i, j) for i in range(4) for j in range(4) if i != j]))
    check(set(said) <= {None, "already_linked"} and said.count(None) == 3, f"what was said: {said}")
    check(all(names(o) == [f"mesh-{i}" for i in range(4)] for o in orgs), f"all are one: {[names(o) for o in orgs]}")
    check(pg.psql("SELECT count(DISTINCT person) FROM person_members m JOIN orgs o ON o.org_id = m.org WHERE o.name LIKE 'mesh-%'", "postern") == "1", "one person")


def the_role_of_the_daemon_alone(control, pg, there, ann):
    """Past the daemon's code, with its role: the table is closed, and functions want the hash of a session's secret."""
    def as_api(org, sql):
        try:
            return pg.psql(f"BEGIN; SELECT set_config('app.org', '{org}', true) \\g /dev/null\n{sql}; ROLLBACK", "postern", "cp_api")
        except (Failure, subprocess.CalledProcessError) as e:
            return str(e) + str(getattr(e, "stderr", ""))
    here = int(pg.psql("SELECT org_id FROM orgs WHERE name = 'home'", "postern"))
    other = int(pg.psql("SELECT org_id FROM orgs WHERE name = 'there'", "postern"))
    for sql in ("SELECT * FROM person_members", "DELETE FROM person_members", "INSERT INTO person_members VALUES (1, 1, 1)"):
        check("permission denied" in as_api(here, sql), f"cp_api: {sql}: {as_api(here, sql)}")
    check("permission denied" in as_api(here, f"SELECT * FROM person_session({here}, 1, 'x')"), "whose session it is, is for functions alone")
    check(pg.psql("SELECT count(*) FROM person_members", "postern", "cp_owner") == "0", "the owner of the table sees no row either")
    session, secret = pg.psql(f"SELECT id, encode(secret_hash, 'hex') FROM sessions WHERE org_id = {here} AND user_id = (SELECT user_id FROM person_members"
                              f" WHERE org = {here}) ORDER BY id LIMIT 1", "postern").split("|")
    right, wrong = f"'\\x{secret}'", f"'\\x{secret[:-2]}00'"
    check(as_api(here, f"SELECT count(*) FROM person_organisations({session}, {right})") == "2", "with the hash it is told")
    for org, h in ((here, wrong), (other, right)):
        check(as_api(org, f"SELECT count(*) FROM person_organisations({session}, {h})") == "0", "without it, or for another organisation, nothing")
        check(as_api(org, f"SELECT count(*) FROM person_leave({session}, {h}, {other})") == "1" and
              as_api(org, f"SELECT person_leave({session}, {h}, {other})") == "", "nor is anything taken away")
    check(as_api(other, f"SELECT count(*) FROM person_enter({here}, {session}, {wrong}, 600000)") == "0", "nobody comes over")
    check(as_api(other, f"SELECT count(*) FROM person_enter({here}, {session}, {right}, 600000)") == "1", "who has it does")
    check(as_api(other, f"SELECT person_link((SELECT min(id) FROM users), {here}, {session}, {wrong}, 600000)") == "2", "and nobody is linked")
    check(names(ann) == ["home", "there"], "all is as before")


def main():
    pg = Postgres(TMP)
    pg.start()
    token = TMP / "admin.token"
    token.write_text(TOKEN + "\n")
    token.chmod(0o644)
    control = Control(TMP, os.environ["POSTERN_BUILD"], pg, types.SimpleNamespace(link=TMP / "no-engine.sock"),
                      options={"auth.burst": 10000, "auth.password_memory": "8M", "signup.per_hour": 1000, "http.admin.listen": ADMIN,
                               "http.admin.token_file": token, "http.cookie_secure": "no"})
    try:
        control.start()
        home, there, ann, _ = an_invitation_is_accepted(control)
        a_session_there_is_shown(control, pg)
        the_role_of_the_daemon_alone(control, pg, there, ann)
        the_other_side_asks_for_its_own_factor(control, pg)
        equal_addresses_link_nothing(control)
        who_is_out_stays_out(control, pg, Api(f"http://{ADMIN}", TOKEN))
        an_organisation_opens_its_own_door_only(control, pg)
        an_organisation_that_wants_its_own_sign_in(control, pg)
        the_operator_helps_an_admin(control, pg, Api(f"http://{ADMIN}", TOKEN))
        a_switch_makes_a_new_session(control)
        races_have_one_winner(control, pg)
        ended_well(control)
        result()
    finally:
        control.stop()
        pg.stop()
    return 1 if failures else 0


sys.exit(main())
