#!/usr/bin/python3
# timeout: 90
# sanitize: yes
"""People sign in at real OpenID Connect providers (tests/lib/providers.py), each redirect and form as a browser does them:
new members by the list of domains, those who were invited, accounts that their owners link and unlink, a second factor
that is still asked for, and people whom nobody lets in.  Attacks: api_oidc_attacks.py."""
import subprocess
import sys

from checks import check, ended_well, failures, refused, result
from federation import API, PASSWORD, TMP, World, browser, enter, error_of, exchange, go, post, start_of, token_of
from providers import SECRET, Glewlwyd, NodeProvider
from stack import Api

PEOPLE = {
    "nora": {"email": "Nora@Allowed.test", "email_verified": True, "name": "Nora \u00d6"},
    "mia": {"email": "mia@allowed.test", "email_verified": True, "name": "Mia"},
    "una": {"email": "una@allowed.test", "email_verified": False, "name": "Una"},
    "olaf": {"email": "olaf@outside.test", "email_verified": True, "name": "Olaf"},
}


def fill(name):
    return {"login": name, "password": "whatever it is"}


def provider_of(api, name, issuer, **config):
    return api.post("/v1/identity-providers", {"kind": "oidc", "name": name, "secret": SECRET,
                                               "config": {"issuer": issuer, "client_id": "postern", **config}})


def new_member(world, api, ca, provider):
    """Somebody whose verified address is in an allowed domain, with the role by default."""
    b = browser(ca)
    page = go(b, api, provider, fill("nora"))
    check(page.headers["Location"].startswith("/#federation=tok_"), f"the way back: {page.headers['Location']}")
    status, got = exchange(b, token_of(page))
    me = got["user"]
    check(status == 200 and (me["email"], me["role"], me["name"]) == ("Nora@Allowed.test", "editor", "Nora \u00d6"), f"a new member: {status} {got}")
    check(any(k[2] == "postern_session" and strict for k, (_, strict) in b.cookies.items()), "the session's cookie is there, and Strict")
    check(Api(API, got["token"]).get("/v1/me")["id"] == me["id"], "and the session is good")
    again = enter(browser(ca), api, provider, fill("nora"))[1]["user"]
    check(again["id"] == me["id"], "who comes again is the same member")
    check([len(world.audit(api, a)) for a in ("member.arrived", "identity.linked")] == [1, 1], "the audit has a line for each once")
    world.pg.psql("UPDATE users SET email = 'n@other.test', email_norm = 'n@other.test' WHERE email_norm = 'nora@allowed.test'", "postern")
    again = enter(browser(ca), api, provider, fill("nora"))[1]["user"]
    check(again["id"] == me["id"], "also with another address here: the subject counts")
    return Api(API, got["token"])


def invited(api, ca, provider):
    """Who was invited and is in an allowed domain need not choose a password; the invitation is over."""
    member = api.post("/v1/members", {"email": "mia@allowed.test", "role": "analyst"})
    status, got = enter(browser(ca), api, provider, fill("mia"))
    check(status == 200 and got["user"]["id"] == member["id"] and got["user"]["role"] == "analyst", f"the invited member: {status} {got}")
    check(api.get(f"/v1/members/{member['id']}")["status"] == "active", "is active")
    refused(422, "invalid_token", Api(API).post, "/v1/auth/verify", {"token": member["token"], "password": PASSWORD})


def not_let_in(api, ca, provider):
    for name in ("una", "olaf"):
        status, said = enter(browser(ca), api, provider, fill(name))
        check((status, said["code"]) == (403, "not_admitted"), f"{name}: {status} {said}")
    b = browser(ca)
    page = b.ask(b.ask(start_of(api, provider)).location)
    page = b.follow(b.ask(page.location + "/abort"), f"{API}/v1/auth/oidc/")
    check(error_of(b.ask(page.location)) == "access_denied", f"who turns back at the provider: {page.location}")


def linked(world, api, ca, provider):
    """A member whose domain is not listed links the account while signed in, and takes it off again."""
    member = api.post("/v1/members", {"email": "olaf@outside.test", "role": "viewer"})
    olaf = Api(API, Api(API).post("/v1/auth/verify", {"token": member["token"], "password": PASSWORD})["token"])
    b = browser(ca)
    token = token_of(go(b, api, provider, fill("olaf")))
    world.pg.psql("UPDATE sessions SET proved_at = now() - interval '1 hour'", "postern")
    status, said = post(b, "/v1/me/identities", {"token": token}, olaf.token)
    check((status, said["code"]) == (403, "proof_required"), f"a session that is left open links nothing: {status} {said}")
    olaf.token = olaf.post("/v1/me/proof", {"password": PASSWORD})["token"]
    status, made = post(b, "/v1/me/identities", {"token": token}, olaf.token)
    check(status == 201 and made["email"] == "olaf@outside.test" and made["subject"] == "olaf", f"linked: {status} {made}")
    status, got = enter(browser(ca), api, provider, fill("olaf"))
    check(status == 200 and got["user"]["id"] == member["id"], f"and signs in by it: {status} {got}")
    mine = olaf.get("/v1/me/identities")["data"]
    check(len(mine) == 1 and mine[0]["last_used_at"] and mine[0]["provider"]["id"] == provider, f"the list: {mine}")
    b = browser(ca)
    token = token_of(go(b, api, provider, fill("mia")))
    status, said = post(b, "/v1/me/identities", {"token": token}, olaf.token)
    check((status, said["code"]) == (409, "identity_taken"), f"an account of somebody else: {status} {said}")
    olaf.call("DELETE", f"/v1/me/identities/{made['id']}")
    check(enter(browser(ca), api, provider, fill("olaf"))[1]["code"] == "not_admitted", "what was unlinked lets nobody in")
    check(len(world.audit(api, "identity.unlinked")) == 1, "it has its line")


def last_way_in(world, nora):
    only = nora.get("/v1/me/identities")["data"][0]["id"]
    world.pg.psql("UPDATE sessions SET proved_at = now()", "postern")
    refused(409, "last_way_in", nora.call, "DELETE", f"/v1/me/identities/{only}")


def second_factor(world, api, ca, provider, nora):
    """It is asked for behind a provider, too, where passwords do not count."""
    def code(secret):
        world.pg.psql("UPDATE user_totp SET last_step = 0", "postern")
        return subprocess.run(["oathtool", "--totp", "--base32", secret], check=True, capture_output=True, text=True).stdout.strip()
    world.pg.psql("UPDATE sessions SET proved_at = now()", "postern")
    secret = nora.call("PUT", "/v1/me/totp")["secret"]
    nora.post("/v1/me/totp/confirm", {"code": code(secret)})
    api.call("PATCH", "/v1/org/sign-in", {"sso_only": True})
    b = browser(ca)
    status, asked = enter(b, api, provider, fill("nora"))
    check(status == 202 and asked["factors"][:1] == ["totp"] and "token" not in asked, f"no session yet: {status} {asked}")
    check(not any(k[2] == "postern_session" for k in b.cookies), "nor its cookie")
    status, got = post(b, "/v1/auth/login/factor", {"challenge": asked["challenge"], "factor": "totp", "code": code(secret)})
    check(status == 200 and got["user"]["name"].startswith("Nora"), f"with the code: {status} {got}")
    refused(403, "sso_required", Api(API).post, "/v1/auth/login", {"email": "olaf@outside.test", "password": PASSWORD})
    api.call("PATCH", "/v1/org/sign-in", {"sso_only": False})


def other_kind(glewlwyd, api, provider):
    """The same at a provider of other people's making."""
    for name, fine in (("gwen", True), ("gus", False)):
        b = browser()
        page = glewlwyd.log_in(b, b.ask(start_of(api, provider["id"])), name, f"{name}s password")
        check(page.location.startswith(provider["redirect_uri"]), f"glewlwyd sends the browser back: {page.location}")
        page = b.ask(page.location, cross=True)
        token = token_of(page)
        check(token, f"{name}: {page.status} {page.location} {page.body}")
        status, got = exchange(b, token)
        if fine:
            check(status == 200 and (got["user"]["email"], got["user"]["role"]) == ("gwen@allowed.test", "analyst"), f"{name}: {status} {got}")
        else:
            check((status, got["code"]) == (403, "not_admitted"), f"{name}, whose address is not verified: {status} {got}")


def main():
    world, node, glewlwyd = None, None, None
    try:
        node, glewlwyd = NodeProvider(TMP), Glewlwyd(TMP)
        node.make_certificate()
        world = World(**{"federation.ca_file": node.cert, "federation.private_hosts": "localhost"})
        world.start()
        api = world.organisation("allowed")
        api.call("PATCH", "/v1/org/sign-in", {"domains": ["allowed.test"], "default_role": "editor"})
        one = provider_of(api, "Node", node.issuer, prompt="login")
        two = provider_of(api, "Glewlwyd", glewlwyd.issuer, scopes="openid", token_auth="client_secret_post")
        api.call("PATCH", f"/v1/identity-providers/{two['id']}", {"default_role": "analyst"})
        node.start(one["redirect_uri"], PEOPLE)
        glewlwyd.start()
        glewlwyd.set_up(browser(), two["redirect_uri"], [
            {"username": "gwen", "password": "gwens password", "name": "Gwen", "email": "gwen@allowed.test", "email_verified": "yes"},
            {"username": "gus", "password": "guss password", "name": "Gus", "email": "gus@allowed.test", "email_verified": "no"}])
        ca, provider = str(node.cert), one["id"]
        nora = new_member(world, api, ca, provider)
        invited(api, ca, provider)
        not_let_in(api, ca, provider)
        linked(world, api, ca, provider)
        last_way_in(world, nora)
        second_factor(world, api, ca, provider, nora)
        other_kind(glewlwyd, api, two)
        check(SECRET not in world.control.log.read_text(), "no secret is in the log")
        ended_well(world.control)
        result("two providers")
    finally:
        for part in (node, glewlwyd, world):
            if part:
                part.stop()
    return 1 if failures else 0


sys.exit(main())
