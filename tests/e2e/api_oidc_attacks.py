#!/usr/bin/python3
# timeout: 90
# sanitize: yes
"""Attacks on signing in by OpenID Connect, each held against a sign-in that works: a provider that lies
(tests/lib/party.py), a browser that was lured, a code, a state or a token that comes again, another organisation's
provider, and an address that nobody verified.  docs/THREATS.md has a row for each."""
import json
import sys
import time

from checks import check, ended_well, failures, result, wait_for
from federation import API, World, browser, enter, error_of, exchange, go, post, start_of, token_of
from party import Key, Party
from stack import Api


def fails(world, party, api, provider, what, code="provider_failed", why=""):
    page = go(browser(), api, provider)
    said = [line for line in world.control.log.read_text().splitlines() if "event=federation.failed" in line]
    check(page.status == 303 and error_of(page) == code and token_of(page) is None, f"{what}: {page.status} {page.location} {page.body[:200]}")
    check(said and why in said[-1], f"{what}: the log says {why}: {said[-1:]}")
    party.reset()


def works(party, api, provider, what):
    status, got = enter(browser(), api, provider)
    check(status == 200 and got["user"]["email"] == "ann@allowed.test", f"{what}: {status} {got}")
    party.reset()


def lies_about_claims(world, party, api, provider):
    now = int(time.time())
    for claims, why in (({"nonce": "another"}, "nonce"), ({"nonce": None}, "nonce"), ({"aud": "another client"}, "aud"), ({"aud": None}, "aud"),
                        ({"aud": ["postern", "other"]}, "azp"), ({"aud": ["postern", "other"], "azp": "other"}, "azp"), ({"azp": "other"}, "azp"),
                        ({"iss": "http://127.0.0.1:9999"}, "iss"), ({"exp": now - 3600}, "exp"), ({"exp": None}, "exp"),
                        ({"iat": now + 3600}, "iat"), ({"iat": now - 3600}, "iat"), ({"nbf": now + 3600}, "nbf"), ({"exp": "soon"}, "exp"),
                        ({"sub": ""}, "sub"), ({"sub": None}, "sub"), ({"sub": "x" * 256}, "sub")):
        party.claims = claims
        fails(world, party, api, provider, f"an ID token with {claims}", why=why)
    party.claims = {"aud": ["postern", "other"], "azp": "postern"}
    works(party, api, provider, "a token for several, asked for by us")


def lies_about_keys(world, party, api, provider):
    """none, HS256 with the public key, a key of another kind, a signature that was changed."""
    party.header, party.sign = {"alg": "none"}, lambda text: b""
    fails(world, party, api, provider, "alg none", why="algorithm")
    party.sign_with_public_key()
    fails(world, party, api, provider, "HS256 with the public key as its secret", why="algorithm")
    party.header = {"alg": "ES256"}
    fails(world, party, api, provider, "an algorithm that is not the key's", why="key")
    party.header = {"crit": ["x"], "x": 1}
    fails(world, party, api, provider, "what must be understood and is not", why="algorithm")
    party.sign = lambda text: party.signer.sign(text + b"x")
    fails(world, party, api, provider, "a wrong signature", why="signature")
    party.header, other = {"jwk": Key("RS256", "one").jwk()}, Key("RS256", "one")
    party.sign = other.sign
    fails(world, party, api, provider, "a key that the token brings along", why="signature")


def keys_change(party, api, provider):
    """A new key is asked for; a provider whose tokens name keys that are nowhere is not asked for each of them."""
    before, began = sum(1 for a in party.asked if a[0] == "/keys"), time.monotonic()
    for _ in range(20):
        party.signer = Key("EdDSA", "nowhere")
        check(error_of(go(browser(), api, provider)) == "provider_failed", "a key that is nowhere")
    asked = sum(1 for a in party.asked if a[0] == "/keys") - before
    most = (time.monotonic() - began) / 1 + 2  # federation.key_wait is a second here
    check(asked <= most, f"keys are not asked for by every token: {asked} of 20")
    party.keys.append(Key("EdDSA", "two"))
    party.signer = party.keys[1]
    check(wait_for(lambda: token_of(go(browser(), api, provider))), "a new key is found after a while")
    party.reset()


def own_keys(world, api):
    """The three algorithms, each at a provider of its own, whose key is found."""
    for i, alg in enumerate(("RS256", "ES256", "EdDSA")):
        party = Party(9910 + i)
        party.keys = [Key("RS256", "old"), Key(alg, "new")]
        party.reset()
        party.person["sub"] = alg
        party.person["email"] = f"{alg.lower()}@allowed.test"
        party.signer = party.keys[1]
        made = provider_of(api, party, alg)
        status, got = enter(browser(), api, made)
        check(status == 200 and got["user"]["email"] == party.person["email"], f"{alg}: {status} {got}")
        party.stop()


def lies_about_itself(world, api):
    """Discovery: another issuer, endpoints elsewhere, too much, nothing."""
    for i, (document, why) in enumerate((({"issuer": "http://127.0.0.1:9900"}, "another issuer"), ({"token_endpoint": "file:///etc/passwd"}, "endpoint"),
                                         ({"jwks_uri": None}, "endpoint"), ({"authorization_endpoint": "http://x/\r\nSet-Cookie: a=b"}, "endpoint"),
                                         ({"more": "x" * 70000}, ""))):
        party = Party(9920 + i)
        party.document = document
        page = browser().ask(start_of(api, provider_of(api, party, f"bad {i}")))
        said = json.loads(page.body)
        check(page.status == 503 and said["code"] == "provider_unreachable" and why in said["detail"], f"{list(document)}: {page.status} {said}")
        party.stop()


def lured(world, party, api, provider):
    """State, code and token count once, and in one browser only."""
    b = browser()
    page = b.ask(start_of(api, provider))
    cookie = page.headers["Set-Cookie"]
    check("HttpOnly" in cookie and "SameSite=Lax" in cookie and "Path=/" in cookie, f"the cookie: {cookie}")
    at_party = b.ask(page.location)
    lure = browser().ask(at_party.location)
    check((lure.status, error_of(lure)) == (422, "unknown_state"), f"login CSRF, a callback in another browser: {lure.status} {lure.body}")
    other = browser()
    other.ask(start_of(api, provider))
    lure = other.ask(at_party.location)
    check((lure.status, error_of(lure)) == (422, "unknown_state"), f"and in one with a sign-in of its own: {lure.status}")
    back = b.ask(at_party.location, cross=True)
    token = token_of(back)
    check(back.status == 303 and token and back.headers["Referrer-Policy"] == "no-referrer", f"the right browser: {back.status} {back.body}")
    again = b.ask(at_party.location, cross=True)
    check((again.status, error_of(again)) == (422, "unknown_state"), f"the same state again: {again.status}")
    status, said = exchange(browser(), token)
    check((status, said["code"]) == (422, "invalid_token"), f"the token in another browser: {status} {said}")
    status, got = exchange(b, token)
    check(status == 200, f"and in the right one: {status} {got}")
    status, said = exchange(b, token)
    check((status, said["code"]) == (422, "invalid_token"), f"the same token again: {status} {said}")
    used = party.number
    party.back = {"code": f"code{used}"}
    fails(world, party, api, provider, "a code that was used", why="answered 400")
    for state in ("", "x", "tok_" + "a" * 26 + "_" + "b" * 43):
        page = b.ask(f"{API}/v1/auth/oidc/{api.org}/{provider}/callback?code=c&state={state}")
        check((page.status, error_of(page)) == (422, "unknown_state"), f"state {state!r}: {page.status}")


def mixed_up(world, party, api, provider, other, other_provider):
    """One provider's answer given to another one: by iss, by the redirect URI, across organisations."""
    party.back = {"iss": "http://127.0.0.1:9999"}
    fails(world, party, api, provider, "an answer of another issuer", "wrong_issuer", "iss")
    party.back = {"iss": None}
    fails(world, party, api, provider, "an answer that does not say whose it is", "wrong_issuer", "iss")
    b = browser()
    at_party = b.ask(b.ask(start_of(api, provider)).location)
    moved = at_party.location.replace(f"/{api.org}/{provider}/", f"/{other.org}/{other_provider}/")
    page = b.ask(moved)
    check(page.status == 303 and error_of(page) == "wrong_provider", f"the code of one provider at another's: {page.status} {page.location}")
    for org, which in ((api.org, other_provider), (other.org, provider), (api.org, "idp_" + "a" * 13), ("nobody", provider)):
        page = b.ask(f"{API}/v1/auth/oidc/{org}/{which}")
        check(page.status == 404, f"another organisation's provider: {page.status}")
    token = token_of(go(b, api, provider))
    status, said = post(b, "/v1/me/identities", {"token": token}, other.token)
    check((status, said["code"]) == (422, "invalid_token"), f"a token of one organisation in another's session: {status} {said}")
    check(exchange(b, token)[0] == 200, "which did not use it up")


def addresses_to_return_to(api, provider):
    for bad in ("//evil.test", "https://evil.test/", "/\\evil.test", "\\\\evil.test", "http:evil.test", "javascript:alert(1)", "https://pages.test@evil.test/",
                "https://pages.test.evil.test/", "/%0d%0aSet-Cookie:%20a=b", "/a%23b", "https://PAGES.test/", "evil", "/" + "a" * 1001):
        page = browser().ask(start_of(api, provider, bad))
        check((page.status, error_of(page)) == (400, "invalid_return_to"), f"return_to {bad}: {page.status} {page.location}")
    for good, where in (("/settings?tab=1", "/settings?tab=1#federation="), ("https://pages.test/in", "https://pages.test/in#federation="), (None, "/#federation=")):
        page = go(browser(), api, provider, return_to=good)
        check(page.headers["Location"].startswith(where), f"return_to {good}: {page.headers['Location']}")


def who_is_let_in(world, party, api, provider):
    """By a verified address in an allowed domain; everybody else hears the same."""
    api.post("/v1/members", {"email": "boss@other.test", "role": "admin"})
    heard = set()
    for person in ({"email_verified": False, "email": "admin@allowed.test"}, {"email_verified": None, "email": "new@allowed.test"},
                   {"email": "boss@other.test"}, {"email": "new@other.test"}, {"email": "new@sub.allowed.test"}, {"email": None},
                   {"email": "a@b@allowed.test"}, {"email": "new@allowed.test\r\nx: y"}, {"email": "new@allowed.test\u202e"}, {"email_verified": "false"},
                   {"email_verified": "no"}, {"email_verified": 0}):
        party.person = {"sub": f"stranger {person}", "email": "new@allowed.test", "email_verified": True, **person}
        status, said = enter(browser(), api, provider)
        check(status == 403, f"{person} is let in: {status} {said}")
        heard.add((said["code"], said["detail"]))
        party.reset()
    check(len(heard) == 1 and heard.pop()[0] == "not_admitted", f"all hear the same: {heard}")
    check(len(world.audit(api, "login.not_admitted")) == 12, "each has a line in the audit")
    check(world.pg.psql("SELECT count(*) FROM users WHERE email_norm LIKE '%new@%'", "postern") == "0", "and is no member")
    party.person = {"sub": "another person", "email": "ann@allowed.test", "email_verified": True}
    status, said = enter(browser(), api, provider)
    check((status, said["code"]) == (403, "not_admitted"), f"an address that the provider gave to somebody else: {status} {said}")
    party.reset()
    member = next(m for m in api.get("/v1/members")["data"] if m["email"] == "ann@allowed.test")
    api.call("PATCH", f"/v1/members/{member['id']}", {"status": "disabled"})
    status, said = enter(browser(), api, provider)
    check((status, said["code"]) == (403, "not_admitted"), f"a member who is disabled: {status} {said}")
    api.call("PATCH", f"/v1/members/{member['id']}", {"status": "active"})


def userinfo(world, party):
    """What the token does not say of the address, userinfo may; of the same person and the same address."""
    ann = {"sub": "u1", "email": "ulf@allowed.test", "email_verified": True}
    party.document = {"userinfo_endpoint": f"{party.issuer}/userinfo"}
    org = world.organisation("infos")
    provider = provider_of(org, party, "With userinfo")
    org.call("PATCH", "/v1/org/sign-in", {"domains": ["allowed.test"]})
    for person, info, fine in (({"email": None, "email_verified": None}, {**ann, "sub": "u2"}, None),
                               ({"email": None, "email_verified": None}, {k: v for k, v in ann.items() if k != "sub"}, None),
                               ({"email": "boss@allowed.test", "email_verified": None}, ann, False),
                               ({"email_verified": False}, ann, False),
                               ({"email": None, "email_verified": None}, ann, True),
                               ({"email_verified": None}, ann, True)):
        party.person, party.info = {**ann, **person}, info
        if fine is None:
            page = go(browser(), org, provider)
            check(error_of(page) == "provider_failed", f"{info} for {person}: {page.location}")
            continue
        status, said = enter(browser(), org, provider)
        check((status == 200) == fine, f"{info} for {person}: {status} {said}")
    party.reset()


def disabled(party, api, provider):
    """Also while somebody is on the way."""
    b = browser()
    token = token_of(go(b, api, provider))
    at_party = b.ask(b.ask(start_of(api, provider)).location)
    api.call("PATCH", f"/v1/identity-providers/{provider}", {"status": "disabled"})
    check(exchange(b, token)[1]["code"] == "invalid_token", "a token of a provider that was disabled")
    check(error_of(b.ask(at_party.location)) == "wrong_provider", "a way back to it")
    check(b.ask(start_of(api, provider)).status == 404, "a way to it")
    api.call("PATCH", f"/v1/identity-providers/{provider}", {"status": "active"})


def provider_of(api, party, name, **config):
    return api.post("/v1/identity-providers", {"kind": "oidc", "name": name, "secret": party.secret,
                                               "config": {"issuer": party.issuer, "client_id": party.client_id, **config}})["id"]


def fresh_and_hosted(world, party, api):
    """max_age and hosted_domain are held against what the token says."""
    strict = provider_of(api, party, "Strict", max_age=60, hosted_domain="allowed.test")
    now = int(time.time())
    for claims, why in (({"hd": "allowed.test"}, "auth_time"), ({"hd": "allowed.test", "auth_time": now - 3600}, "auth_time"),
                        ({"auth_time": now}, "hd"), ({"auth_time": now, "hd": "evil.test"}, "hd")):
        party.claims = claims
        fails(world, party, api, strict, f"with {claims}", why=why)
    asked = [q for path, q, _, _ in party.asked if path == "/authorize"][-1]
    check(asked["max_age"] == "60" and asked["hd"] == "allowed.test" and asked["prompt"] == "select_account", f"what is asked for: {asked}")
    check(asked["code_challenge_method"] == "S256" and asked["response_type"] == "code" and asked["scope"] == "openid email profile", f"and: {asked}")
    party.claims = {"auth_time": now, "hd": "allowed.test"}
    page = go(browser(), api, strict)
    check(token_of(page), f"and as it should be: {page.location}")
    party.reset()


def private(world, api):
    """An organisation's provider is no way to hosts that only the control plane can reach."""
    for i, issuer in enumerate(("https://127.0.0.1:5432", "https://localhost", "https://10.0.0.1", "https://[::1]", "https://169.254.169.254",
                                "https://[::ffff:127.0.0.1]")):
        made = api.post("/v1/identity-providers", {"kind": "oidc", "name": f"inside {i}", "config": {"issuer": issuer, "client_id": "c"}})["id"]
        page = browser().ask(start_of(api, made))
        check(page.status == 503 and "private address" in json.loads(page.body)["detail"], f"{issuer}: {page.status} {page.body}")
        api.call("DELETE", f"/v1/identity-providers/{made}")


def main():
    world = World(**{"federation.key_wait": "1s"})
    party = Party(9900)
    try:
        world.start()
        api, other = world.organisation("allowed"), world.organisation("other")
        api.call("PATCH", "/v1/org/sign-in", {"domains": ["allowed.test"], "default_role": "editor"})
        provider, other_provider = provider_of(api, party, "Honest"), provider_of(other, party, "Theirs")
        works(party, api, provider, "a sign-in")
        lies_about_claims(world, party, api, provider)
        lies_about_keys(world, party, api, provider)
        keys_change(party, api, provider)
        lured(world, party, api, provider)
        mixed_up(world, party, api, provider, other, other_provider)
        addresses_to_return_to(api, provider)
        who_is_let_in(world, party, api, provider)
        disabled(party, api, provider)
        fresh_and_hosted(world, party, api)
        userinfo(world, party)
        own_keys(world, api)
        lies_about_itself(world, api)
        private(world, api)
        works(party, api, provider, "after all of it")
        check(Api(API, api.token).get("/v1/me")["email"] == "admin@allowed.test", "the admin is who they were")
        ended_well(world.control)
        said = world.control.log.read_text()
        check("of the client" not in said and "tok_" not in said and "code1" not in said, "no secret is in the log")
        result("attacks")
    finally:
        party.stop()
        world.stop()
    return 1 if failures else 0


sys.exit(main())
