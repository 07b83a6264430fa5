#!/usr/bin/python3
# timeout: 60
# sanitize: yes
"""Identity providers of an organisation as its admins set them up: what is refused and why, secrets that are never
shown, who may set one up at all, the rules for people who come in by one, and an organisation where passwords count for
admins only.  Who comes in by one is met where the providers are."""
import os
import pathlib
import sys
import types

from checks import check, ended_well, failures, refused, result
from stack import Api, ApiError, Control, Postgres

TMP = pathlib.Path(os.environ["POSTERN_TMP"])
PASSWORD = "correct horse battery"
GOOD = {"kind": "oidc", "name": "Directory", "config": {"issuer": "https://login.example.test/realm", "client_id": "postern"}}


def codes(action):
    """The pointers and codes of a refusal with 422."""
    try:
        action()
    except ApiError as e:
        return e.status, sorted((x["pointer"], x["code"]) for x in e.body.get("errors", []))
    return 200, []


def code_of(action):
    try:
        action()
    except ApiError as e:
        return e.status, e.body.get("code")
    return 200, None


def configurations(api):
    """What a configuration may hold."""
    for config, pointer, code in (
            ({"client_id": "c"}, "/config/issuer", "required"),
            ({"issuer": "https://a.test"}, "/config/client_id", "required"),
            ({"issuer": "ldap://a.test", "client_id": "c"}, "/config/issuer", "invalid_value"),
            ({"issuer": "https://a.test/?x=1", "client_id": "c"}, "/config/issuer", "invalid_issuer"),
            ({"issuer": "https://user@a.test", "client_id": "c"}, "/config/issuer", "invalid_issuer"),
            ({"issuer": "https://a.test", "client_id": 7}, "/config/client_id", "wrong_type"),
            ({"issuer": "https://a.test", "client_id": "c\u202e"}, "/config/client_id", "invalid_value"),
            ({"issuer": "https://a.test", "client_id": "c", "secret": "x"}, "/config/secret", "unknown_member"),
            ({"issuer": "https://a.test", "client_id": "c", "scopes": "email profile"}, "/config/scopes", "openid_needed"),
            ({"issuer": "https://a.test", "client_id": "c", "prompt": "none"}, "/config/prompt", "unknown_prompt"),
            ({"issuer": "https://a.test", "client_id": "c", "max_age": -1}, "/config/max_age", "out_of_range"),
            ({"issuer": "https://a.test", "client_id": "c", "token_auth": "none"}, "/config/token_auth", "unknown_token_auth"),
            ({"preset": "facebook", "client_id": "c"}, "/config/preset", "unknown_preset"),
            ({"preset": "google", "issuer": "https://a.test", "client_id": "c"}, "/config/issuer", "not_needed"),
            ({"preset": "google", "tenant": "a" * 36, "client_id": "c"}, "/config/tenant", "not_needed"),
            ({"preset": "microsoft", "client_id": "c"}, "/config/tenant", "required"),
            ({"preset": "microsoft", "tenant": "c" * 36, "client_id": "c"}, "/config/tenant", "invalid_tenant"),
            ({"preset": "microsoft", "tenant": "common", "client_id": "c"}, "/config/tenant", "out_of_range")):
        said = codes(lambda c=config: api.post("/v1/identity-providers", {**GOOD, "config": c}))
        check(said == (422, [(pointer, code)]), f"{config}: {said}")
    check(codes(lambda: api.post("/v1/identity-providers", {**GOOD, "kind": "ldap"}))[1] == [("/kind", "unknown_kind")], "a kind that is none")
    check(not api.get("/v1/identity-providers")["data"], "what was refused is not there")


def changes(api, pg):
    """Made, changed, shown without its secret; another party is another provider."""
    made = api.post("/v1/identity-providers", {**GOOD, "secret": "of the client"})
    check(made["has_secret"] and "of the client" not in str(made), f"the secret is not shown: {made}")
    check(made["config"]["prompt"] == "select_account" and made["config"]["scopes"] == "openid email profile", f"defaults are shown: {made['config']}")
    check(made["redirect_uri"].startswith("https://api.example.test/v1/auth/oidc/org_"), f"the redirect URI: {made['redirect_uri']}")
    sealed = pg.psql("SELECT encode(secret, 'escape') FROM identity_providers", "postern")
    check(sealed and "client" not in sealed, "the secret is sealed")
    at = f"/v1/identity-providers/{made['id']}"
    said = code_of(lambda: api.call("PATCH", at, {"config": {"issuer": "https://other.example.test", "client_id": "postern"}}))
    check(said == (409, "another_party"), f"another issuer: {said}")
    new = api.call("PATCH", at, {"config": {**GOOD["config"], "client_id": "new"}, "status": "disabled"})
    check(new["config"]["client_id"] == "new" and new["status"] == "disabled" and new["has_secret"], f"changed: {new}")
    check(not api.call("PATCH", at, {"secret": None})["has_secret"], "a secret can be taken away")
    check(code_of(lambda: api.post("/v1/identity-providers", GOOD)) == (409, "name_taken"), "names are unique")
    google = api.post("/v1/identity-providers", {"kind": "oidc", "name": "Google", "config": {"preset": "google", "client_id": "c"}})
    org = api.get("/v1/org")
    for name in (org["id"], org["handle"], org["handle"].upper()):
        ways = Api(api.url).get(f"/v1/auth/federation/{name}")
        check([w["name"] for w in ways["data"]] == ["Google"] and ways["passwords"], f"what a stranger is shown: {ways}")
    check(ways["data"][0]["start"] == f"/v1/auth/oidc/{org['id']}/{google['id']}", f"where it begins: {ways}")
    check(Api(api.url).get("/v1/auth/federation/nobody") == {"data": [], "passwords": True}, "an organisation that is none")
    api.call("DELETE", at)
    return google


def rules(api, control):
    """Who may come in, and who may decide that."""
    check(api.get("/v1/org/sign-in") == {"domains": [], "default_role": "viewer", "sso_only": False}, "the rules to begin with")
    new = api.call("PATCH", "/v1/org/sign-in", {"domains": ["Example.TEST", "b\u00fccher.test"], "default_role": "editor"})
    check(new["domains"][0] == "example.test" and new["default_role"] == "editor", f"normalised: {new}")
    for body, pointer, code in (({"domains": ["no domain"]}, "/domains/0", "invalid_domain"), ({"domains": [7]}, "/domains/0", "wrong_type"),
                                ({"default_role": "admin"}, "/default_role", "admin_by_default"), ({"default_role": "none"}, "/default_role", "unknown_role")):
        said = codes(lambda b=body: api.call("PATCH", "/v1/org/sign-in", b))
        check(said == (422, [(pointer, code)]), f"{body}: {said}")
    api.post("/v1/roles", {"name": "guest", "permissions": ["org.read"]})
    api.call("PATCH", "/v1/org/sign-in", {"default_role": "guest"})
    check(code_of(lambda: api.call("DELETE", "/v1/roles/guest")) == (409, "role_in_use"), "the role by default stays")
    everything = api.get("/v1/me")["permissions"]
    for missing in ("keys.write", "send"):
        key = Api(control.url, api.post("/v1/keys", {"name": missing, "scopes": [p for p in everything if p != missing]})["key"])
        for attempt in (lambda: key.call("PATCH", "/v1/org/sign-in", {"domains": ["evil.test"]}), lambda: key.post("/v1/identity-providers", {**GOOD, "name": "Evil"})):
            refused(403, "missing_permission", attempt)
    check("evil" not in str(api.get("/v1/org/sign-in")) + str(api.get("/v1/identity-providers")), "what was refused changed nothing")


def enter(control, email, password=PASSWORD):
    return Api(control.url).post("/v1/auth/login", {"email": email, "password": password})


def passwords_of_admins_only(api, control, provider):
    """Nobody but admins enters by a password, an invitation or a reset."""
    invited = api.post("/v1/members", {"email": "ed@org.test", "role": "editor"})
    Api(control.url).post("/v1/auth/verify", {"token": invited["token"], "password": PASSWORD})
    late = api.post("/v1/members", {"email": "late@org.test", "role": "viewer"})
    reset = api.post(f"/v1/members/{invited['id']}/reset")
    api.call("PATCH", f"/v1/identity-providers/{provider['id']}", {"status": "disabled"})
    check(code_of(lambda: api.call("PATCH", "/v1/org/sign-in", {"sso_only": True})) == (409, "no_provider"), "not without a provider")
    api.call("PATCH", f"/v1/identity-providers/{provider['id']}", {"status": "active"})
    api.call("PATCH", "/v1/org/sign-in", {"sso_only": True})
    check(code_of(lambda: enter(control, "ed@org.test")) == (403, "sso_required"), "a member's password does not count")
    check(code_of(lambda: enter(control, "ed@org.test", "wrong")) == (401, "wrong_credentials"), "who does not know it hears nothing of this")
    for token in (late["token"], reset["token"]):
        said = code_of(lambda t=token: Api(control.url).post("/v1/auth/verify", {"token": t, "password": PASSWORD + "!"}))
        check(said == (403, "sso_required"), f"no password is chosen: {said}")
    check(enter(control, "admin@org.test")["token"], "an admin keeps a way in")
    check(not Api(control.url).get(f"/v1/auth/federation/{api.get('/v1/org')['id']}")["passwords"], "pages are told")
    api.call("PATCH", "/v1/org/sign-in", {"sso_only": False})
    check(enter(control, "ed@org.test")["token"], "and back")


def main():
    pg = Postgres(TMP)
    pg.start()
    control = Control(TMP, os.environ["POSTERN_BUILD"], pg, types.SimpleNamespace(link=TMP / "no-engine.sock"),
                      options={"auth.burst": 1000, "auth.password_memory": "8M", "api.url": "https://api.example.test"})
    try:
        control.start()
        made = Api(control.url).post("/v1/auth/signup", {"organization": "Org", "email": "admin@org.test", "password": PASSWORD})
        api = Api(control.url, made["token"])
        configurations(api)
        google = changes(api, pg)
        rules(api, control)
        passwords_of_admins_only(api, control, google)
        ended_well(control)
        result("providers")
    finally:
        control.stop()
        pg.stop()
    return 1 if failures else 0


sys.exit(main())
