#!/usr/bin/python3
# timeout: 120
# sanitize: yes
"""The second factor, with a real app (oathtool) that is given what a real scanner (zbarimg) reads from the QR code: set
up, asked for at each way in, counted once, bounded, replaced by recovery codes, required by an organisation, removed
by an admin.  Codes by mail: tests/e2e/people_mail."""
import base64
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import time
import types
import urllib.parse
import xml.etree.ElementTree

from checks import check, ended_well, failures, refused, result
from stack import Api, ApiError, Control, Postgres

TMP = pathlib.Path(os.environ["POSTERN_TMP"])
PASSWORD = "correct horse battery"


class At(Api):
    """A client at an address: the proxy, whom the daemon trusts, says so."""

    def __init__(self, url, address, token=None):
        super().__init__(url, token)
        self.address = address

    def call(self, method, path, body=None, headers=None, **kw):
        return super().call(method, path, body, headers={"X-Forwarded-For": self.address, **(headers or {})}, **kw)


def sign_up(control, name):
    made = Api(control.url).post("/v1/auth/signup", {"organization": name, "email": f"admin@{name}.test", "password": PASSWORD})
    return Api(control.url, made["token"]), made["user"]


def code_of(secret, steps=0):
    """What the app shows, or showed or will show some steps from now."""
    now = time.time()
    if now % 30 > 27:  # so that the step does not end before the code is used
        time.sleep(30.1 - now % 30)
    at = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(time.time() + 30 * steps))
    return subprocess.run(["oathtool", "--totp", "--base32", "--now", at, secret], check=True, capture_output=True, text=True).stdout.strip()


def later(pg):
    """Time goes by for the codes: none of those that count now was used."""
    pg.psql("UPDATE user_totp SET last_step = 0", "postern")


def set_up(api, control, pg):
    """Secret and recovery codes; api goes on with the new session."""
    secret = api.call("PUT", "/v1/me/totp")["secret"]
    began = api.post("/v1/me/totp/confirm", {"code": code_of(secret)})
    api.token = began["session"]["token"]
    later(pg)
    return secret, began["recovery_codes"]


def challenge(control, email, password=PASSWORD, address="127.0.0.1"):
    c = At(control.url, address).post("/v1/auth/login", {"email": email, "password": password})
    check("token" not in c and "challenge" in c, f"{email} gets no session by the password alone: {list(c)}")
    return c


def answer(control, c, code, factor="totp", address="127.0.0.1"):
    return At(control.url, address).post("/v1/auth/login/factor", {"challenge": c["challenge"], "factor": factor, "code": code})


def scanned(uri):
    """What a scanner reads from the picture of the answer."""
    kind, data = uri.split(",", 1)
    check(kind == "data:image/svg+xml;base64", f"the picture is {kind}")
    svg = xml.etree.ElementTree.fromstring(base64.b64decode(data))
    side = int(svg.get("viewBox").split()[2])
    dark = svg.findall("{http://www.w3.org/2000/svg}path")[1].get("d")
    rows = [["0"] * side for _ in range(side)]
    for x, y, n in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\3z", dark):
        rows[int(y)][int(x):int(x) + int(n)] = "1" * int(n)
    wide = [" ".join(b for b in row for _ in range(6)) for row in rows for _ in range(6)]
    pbm = TMP / "qr.pbm"
    pbm.write_text(f"P1\n{6 * side} {6 * side}\n" + "\n".join(wide) + "\n")
    return subprocess.run(["zbarimg", "--quiet", "--raw", pbm], check=True, capture_output=True, text=True).stdout.strip()


def an_app_is_set_up(control, pg):
    api, me = sign_up(control, "setup")
    other = Api(control.url, Api(control.url).post("/v1/auth/login", {"email": "admin@setup.test", "password": PASSWORD})["token"])
    check(me["factors"] == {"totp": False, "mail": False, "recovery_codes_left": 0, "required": False}, f"none at first: {me['factors']}")
    made = api.call("PUT", "/v1/me/totp")
    check(scanned(made["qr"]) == made["uri"], "a scanner reads the address from the picture")
    q = urllib.parse.parse_qs(urllib.parse.urlsplit(made["uri"]).query)
    check(q["secret"] == [made["secret"]] and q["issuer"] == ["Postern"], f"what apps read: {q}")
    sealed = pg.psql("SELECT encode(secret, 'hex') FROM user_totp", "postern")
    raw = base64.b32decode(made["secret"]).hex()
    check(len(raw) == 40 and raw not in sealed, "the secret is sealed in the database")
    check(not api.get("/v1/me")["factors"]["totp"], "it is not asked for before it is confirmed")
    Api(control.url).post("/v1/auth/login", {"email": "admin@setup.test", "password": PASSWORD})
    for bad in ("000000" if code_of(made["secret"]) != "000000" else "111111", "abcdef", "1", code_of(made["secret"], -3)):
        refused(422, "wrong_code", api.post, "/v1/me/totp/confirm", {"code": bad})
    before = api.token
    began = api.post("/v1/me/totp/confirm", {"code": code_of(made["secret"])})
    api.token = began["session"]["token"]
    check(began["session"]["user"]["factors"] == {"totp": True, "mail": False, "recovery_codes_left": 10, "required": False}, f"set up: {began}")
    check(len(set(began["recovery_codes"])) == 10, "ten recovery codes")
    refused(401, "not_authenticated", Api(control.url, before).get, "/v1/me")
    refused(401, "not_authenticated", other.get, "/v1/me")
    check(api.get("/v1/members")["data"][0]["second_factor"], "members show who has one")
    kept = pg.psql("SELECT string_agg(encode(code_hash, 'hex'), ' ') FROM recovery_codes", "postern")
    check(all(c.replace("-", "") not in kept and c.encode().hex() not in kept for c in began["recovery_codes"]), "codes are kept as hashes")


def a_login_asks_for_a_code_that_counts_once(control, pg):
    api, me = sign_up(control, "login")
    secret, codes = set_up(api, control, pg)
    c = challenge(control, "admin@login.test")
    check(c["factors"] == ["totp", "recovery"] and c["mailed"] is False, f"what is due: {c}")
    # a challenge is no other credential
    for token in (c["challenge"], c["challenge"].replace("tok_", "ses_")):
        refused(401, None, Api(control.url, token).get, "/v1/me")
    refused(422, "invalid_token", Api(control.url).post, "/v1/auth/verify", {"token": c["challenge"], "password": "another long one"})
    now = code_of(secret)
    refused(422, "wrong_code", answer, control, c, f"{(int(now) + 1) % 1000000:06d}")
    refused(422, "wrong_code", answer, control, c, code_of(secret, -2))
    refused(422, "wrong_code", answer, control, c, code_of(secret, 2))
    refused(422, "wrong_code", answer, control, c, now, "mail")
    session = answer(control, c, now)
    check(session["user"]["id"] == me["id"], "the right code lets in")
    refused(422, "challenge_ended", answer, control, c, code_of(secret, 1))
    again = challenge(control, "admin@login.test")
    refused(422, "wrong_code", answer, control, again, now)
    refused(422, "wrong_code", answer, control, again, code_of(secret, -1))
    check("token" in answer(control, again, code_of(secret, 1)), "the next code lets in")
    # the same at once: one of them
    later(pg)
    cs, now = [challenge(control, "admin@login.test") for _ in range(6)], code_of(secret)

    def use(c):
        try:
            return "token" in answer(control, c, now)
        except ApiError:
            return False
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        check(sum(pool.map(use, cs)) == 1, "one code at six challenges at once counts once")
    # of another account
    other, _ = sign_up(control, "stranger")
    set_up(other, control, pg)
    later(pg)
    refused(422, "wrong_code", answer, control, challenge(control, "admin@stranger.test"), code_of(secret))


def recovery_codes_let_in_once(control, pg):
    api, _ = sign_up(control, "recovery")
    _, codes = set_up(api, control, pg)
    check("token" in answer(control, challenge(control, "admin@recovery.test"), codes[0].upper().replace("-", " "), "recovery"), "however it is typed")
    refused(422, "wrong_code", answer, control, challenge(control, "admin@recovery.test"), codes[0], "recovery")
    check(api.get("/v1/me")["factors"]["recovery_codes_left"] == 9, "one is used")
    new = api.post("/v1/me/recovery-codes")["recovery_codes"]
    refused(422, "wrong_code", answer, control, challenge(control, "admin@recovery.test"), codes[1], "recovery")
    check("token" in answer(control, challenge(control, "admin@recovery.test"), new[0], "recovery"), "new ones work")


def guesses_are_bounded_and_keep_nobody_out(control, pg):
    api, _ = sign_up(control, "bounded")
    secret, codes = set_up(api, control, pg)
    c = challenge(control, "admin@bounded.test")
    wrong = f"{(int(code_of(secret)) + 7) % 1000000:06d}"
    for _ in range(5):
        refused(422, "wrong_code", answer, control, c, wrong)
    refused(422, "challenge_ended", answer, control, c, code_of(secret))
    # with the password, from many addresses, with a challenge for each guess
    statuses = []
    for i in range(16):
        try:
            answer(control, challenge(control, "admin@bounded.test", address=f"198.51.100.{i}"), wrong, address=f"198.51.100.{i}")
        except ApiError as e:
            statuses.append(e.status)
    check(statuses == [422] * 10 + [429] * 6, f"guesses with many challenges: {statuses}")
    refused(429, "too_many_guesses", answer, control, challenge(control, "admin@bounded.test", address="198.51.100.99"), code_of(secret), address="198.51.100.99")
    s = answer(control, challenge(control, "admin@bounded.test", address="198.51.100.98"), codes[3], "recovery", address="198.51.100.98")
    check("token" in s, "its owner gets in with a recovery code from anywhere")
    check("token" in answer(control, challenge(control, "admin@bounded.test"), code_of(secret)), "and with the app where they were before")


def what_changes_a_factor_wants_its_person_there(control, pg):
    api, me = sign_up(control, "proof")
    secret, codes = set_up(api, control, pg)

    def long_ago():
        pg.psql("UPDATE sessions SET proved_at = now() - interval '11 minutes'", "postern")
    long_ago()
    for method, path in (("PUT", "/v1/me/totp"), ("DELETE", "/v1/me/totp"), ("PUT", "/v1/me/mail-factor"), ("DELETE", "/v1/me/mail-factor"),
                         ("POST", "/v1/me/recovery-codes")):
        refused(403, "proof_required", api.call, method, path)
    refused(422, None, api.post, "/v1/me/proof", {"password": "not this one", "code": code_of(secret)})
    refused(422, None, api.post, "/v1/me/proof", {"password": PASSWORD})
    refused(422, None, api.post, "/v1/me/proof", {"password": PASSWORD, "code": "000000"})
    before = api.token
    session = api.post("/v1/me/proof", {"password": PASSWORD, "code": code_of(secret)})
    refused(401, "not_authenticated", Api(control.url, before).get, "/v1/me")
    api.token = session["token"]
    # an app in the place of the first: the first counts until the second is confirmed
    new = api.call("PUT", "/v1/me/totp")["secret"]
    later(pg)
    check("token" in answer(control, challenge(control, "admin@proof.test"), code_of(secret)), "the first counts still")
    api.token = api.post("/v1/me/totp/confirm", {"code": code_of(new)})["session"]["token"]
    later(pg)
    refused(422, "wrong_code", answer, control, challenge(control, "admin@proof.test"), code_of(secret))
    check("token" in answer(control, challenge(control, "admin@proof.test"), code_of(new)), "then the second")
    refused(409, "no_factor", api.call, "DELETE", "/v1/me/mail-factor")
    api.call("DELETE", "/v1/me/totp")
    refused(409, "no_factor", api.post, "/v1/me/recovery-codes")
    check(api.get("/v1/me")["factors"] == {"totp": False, "mail": False, "recovery_codes_left": 0, "required": False}, "and none is left")
    check("token" in Api(control.url).post("/v1/auth/login", {"email": "admin@proof.test", "password": PASSWORD}), "the password is enough again")


def every_way_in_asks(control, pg):
    """A token of a reset is a first factor too."""
    api, me = sign_up(control, "ways")
    secret, codes = set_up(api, control, pg)
    token = api.post(f"/v1/members/{me['id']}/reset")["token"]
    c = Api(control.url).post("/v1/auth/verify", {"token": token, "password": "another long one"})
    check("challenge" in c and "token" not in c, f"after a reset: {list(c)}")
    refused(401, "not_authenticated", api.get, "/v1/me")
    session = answer(control, c, code_of(secret))
    # a new password ends challenges that wait
    waits = challenge(control, "admin@ways.test", "another long one")
    mine = Api(control.url, session["token"])
    mine.call("PATCH", "/v1/me", {"password": "a third long one", "current_password": "another long one"})
    refused(422, "challenge_ended", answer, control, waits, codes[0], "recovery")
    # so does being disabled
    clerk = mine.post("/v1/members", {"email": "clerk@ways.test", "role": "admin"})
    theirs = Api(control.url, Api(control.url).post("/v1/auth/verify", {"token": clerk["token"], "password": PASSWORD})["token"])
    _, their_codes = set_up(theirs, control, pg)
    waits = challenge(control, "clerk@ways.test")
    mine.call("PATCH", f"/v1/members/{clerk['id']}", {"status": "disabled"})
    refused(422, "challenge_ended", answer, control, waits, their_codes[0], "recovery")


def an_organisation_requires_it(control, pg):
    api, me = sign_up(control, "strict")
    invited = api.post("/v1/members", {"email": "ed@strict.test", "role": "editor"})
    ed = Api(control.url, Api(control.url).post("/v1/auth/verify", {"token": invited["token"], "password": PASSWORD})["token"])
    ed.get("/v1/templates")
    secret, _ = set_up(api, control, pg)
    refused(403, "missing_permission", ed.call, "PATCH", "/v1/org", {"require_factor": False})
    check(api.call("PATCH", "/v1/org", {"require_factor": True})["require_factor"], "required from now on")
    api.get("/v1/templates")
    new = Api(control.url, Api(control.url).post("/v1/auth/login", {"email": "ed@strict.test", "password": PASSWORD})["token"])
    for who in (ed, new):
        check(who.get("/v1/me")["factors"]["required"], "its session says so")
        for method, path, body in (("GET", "/v1/templates", None), ("PATCH", "/v1/me", {"name": "X"}), ("GET", "/v1/me/sessions", None),
                                   ("POST", "/v1/contacts", {"email": "x@strict.test"}), ("POST", "/v1/me/recovery-codes", {})):
            refused(403, "factor_required", who.call, method, path, body)
    before = new.token
    set_up(new, control, pg)
    refused(401, "not_authenticated", Api(control.url, before).get, "/v1/me")
    new.get("/v1/templates")
    refused(409, "factor_required", new.call, "DELETE", "/v1/me/totp")
    # an admin removes it: the member is told to set up another one
    check(next(m for m in api.get("/v1/members")["data"] if m["id"] == invited["id"])["second_factor"], "the member has one")
    few = Api(control.url, api.post("/v1/keys", {"name": "few", "scopes": ["members.write"]})["key"])
    refused(403, "missing_permission", few.call, "DELETE", f"/v1/members/{invited['id']}/factor")
    api.call("DELETE", f"/v1/members/{invited['id']}/factor")
    refused(409, "no_factor", api.call, "DELETE", f"/v1/members/{invited['id']}/factor")
    refused(401, "not_authenticated", new.get, "/v1/me")
    bare = Api(control.url, Api(control.url).post("/v1/auth/login", {"email": "ed@strict.test", "password": PASSWORD})["token"])
    refused(403, "factor_required", bare.get, "/v1/templates")
    api.call("PATCH", "/v1/org", {"require_factor": False})
    bare.get("/v1/templates")


def main():
    pg = Postgres(TMP)
    pg.start()
    options = {"auth.burst": 10000, "auth.password_memory": "8M", "http.trusted_proxies": "127.0.0.1/32", "auth.account_burst": 10, "auth.account_per_hour": 1}
    control = Control(TMP, os.environ["POSTERN_BUILD"], pg, types.SimpleNamespace(link=TMP / "no-engine.sock"), options=options)
    try:
        control.start()
        an_app_is_set_up(control, pg)
        a_login_asks_for_a_code_that_counts_once(control, pg)
        recovery_codes_let_in_once(control, pg)
        guesses_are_bounded_and_keep_nobody_out(control, pg)
        what_changes_a_factor_wants_its_person_there(control, pg)
        every_way_in_asks(control, pg)
        an_organisation_requires_it(control, pg)
        ended_well(control)
        result()
    finally:
        control.stop()
        pg.stop()
    return 1 if failures else 0


sys.exit(main())
