#!/usr/bin/python3
# timeout: 120
# sanitize: yes
# thread: yes
"""OAuth 2.0 client credentials: a key gets access tokens (RFC 6749 section 4.4, by Basic and in the body), refusals as RFC
6749 and RFC 6750 say, and a token ends with its key, its secret, its owner's right, its networks and its ten minutes."""
import base64
import hmac
import os
import pathlib
import sys
import time
import types
import urllib.parse

from checks import check, ended_well, failures, refused, result, wait_for
from stack import Api, ApiError, Control, Postgres

TMP = pathlib.Path(os.environ["POSTERN_TMP"])
PASSWORD = "correct horse battery"
FORM = "application/x-www-form-urlencoded"


def sign_up(control, name):
    made = Api(control.url).post("/v1/auth/signup", {"organization": name, "email": f"admin@{name}.test", "password": PASSWORD})
    return Api(control.url, made["token"]), made["user"]["id"]


def ask(control, fields, headers=None, kind=FORM):
    api = Api(control.url)
    body = fields if isinstance(fields, bytes) else urllib.parse.urlencode(fields).encode()
    try:
        reply = api.call("POST", "/v1/oauth/token", body, content_type=kind, headers=headers)
        return 200, reply, api.headers
    except ApiError as e:
        return e.status, e.body, e.headers


def basic(who, secret):
    text = f"{urllib.parse.quote(who, safe='')}:{urllib.parse.quote(secret, safe='')}"
    return {"Authorization": "Basic " + base64.b64encode(text.encode()).decode()}


GRANT = {"grant_type": "client_credentials"}


def token_of(control, key, **more):
    status, reply, _ = ask(control, {**GRANT, "client_id": key["id"], "client_secret": key["key"], **more})
    check(status == 200, f"a token is given: {status} {reply}")
    return reply


def granted(control, api):
    key = api.post("/v1/keys", {"name": "client", "scopes": ["domains.read", "contacts.read", "keys.read"]})
    posted = token_of(control, key)
    check((posted["token_type"], posted["expires_in"]) == ("Bearer", 600), f"RFC 6749, 5.1: {posted}")
    check(posted["scope"] == "keys.read domains.read contacts.read", f"the key's scopes: {posted['scope']}")
    status, reply, headers = ask(control, GRANT, basic(key["id"], key["key"]))
    check(status == 200 and reply["access_token"] != posted["access_token"], "another one by Basic")
    check(headers["Cache-Control"] == "no-store" and headers["Pragma"] == "no-cache", "nobody keeps it")
    for t in (posted, reply):
        check(Api(control.url, t["access_token"]).get("/v1/domains")["data"] == [], "it is a Bearer token")
        check(Api(control.url).get("/v1/domains", headers={"X-Api-Key": t["access_token"]})["data"] == [], "and goes wherever the key does")
    few = token_of(control, key, scope="domains.read")
    check(few["scope"] == "domains.read", "fewer scopes on request")
    user = Api(control.url, few["access_token"])
    check(user.get("/v1/domains")["data"] == [], "what it may")
    refused(403, "missing_permission", user.get, "/v1/contacts")
    api.call("PATCH", f"/v1/keys/{key['id']}", {"scopes": ["contacts.read"]})
    refused(403, "missing_permission", user.get, "/v1/domains")
    check(wait_for(lambda: sum(d["requests"] for d in api.get(f"/v1/keys/{key['id']}/usage")["data"]) >= 9), "its use counts as the key's")
    trial = api.post("/v1/keys", {"name": "t", "scopes": ["keys.write"], "test": True})
    refused(422, "test_key", Api(control.url, token_of(control, trial)["access_token"]).post, "/v1/keys", {"name": "x", "scopes": ["keys.write"]})


def refusals(control, api):
    key = api.post("/v1/keys", {"name": "client", "scopes": ["domains.read"]})
    other = api.post("/v1/keys", {"name": "other", "scopes": ["domains.read"]})
    good = {**GRANT, "client_id": key["id"], "client_secret": key["key"]}
    cases = [
        (400, "invalid_request", {k: v for k, v in good.items() if k != "grant_type"}, None),
        (400, "unsupported_grant_type", {**good, "grant_type": "password"}, None),
        (401, "invalid_client", GRANT, None),
        (401, "invalid_client", {**good, "client_id": other["id"]}, None),
        (401, "invalid_client", {**good, "client_id": ""}, None),
        (401, "invalid_client", {**good, "client_secret": key["key"][:-1] + ("A" if key["key"][-1] != "A" else "B")}, None),
        (401, "invalid_client", {**good, "client_secret": api.token}, None),
        (401, "invalid_client", GRANT, {"Authorization": "Basic !!!"}),
        (401, "invalid_client", GRANT, {"Authorization": "Basic " + base64.b64encode(b"no colon").decode()}),
        (401, "invalid_client", GRANT, {"Authorization": "Bearer " + key["key"]}),
        (400, "invalid_request", good, basic(key["id"], key["key"])),
        (400, "invalid_scope", {**good, "scope": "contacts.read"}, None),
        (400, "invalid_scope", {**good, "scope": "everything"}, None),
        (400, "invalid_request", (urllib.parse.urlencode(good) + "&grant_type=client_credentials").encode(), None),
        (400, "invalid_request", b"grant_type=%zz", None),
        (400, "invalid_request", b"\x00\xff", None),
    ]
    for status, error, fields, headers in cases:
        got, body, said = ask(control, fields, headers)
        check((got, body.get("error")) == (status, error), f"{fields}: {got} {body}, expected {status} {error}")
        check(status != 401 or said["WWW-Authenticate"].startswith("Basic "), "401 says how to authenticate")
        check(said["Cache-Control"] == "no-store", "a refusal is not kept")
    got, body, _ = ask(control, good, kind="text/plain")
    check((got, body.get("error")) == (400, "invalid_request"), f"not a form: {got} {body}")
    got, body, _ = ask(control, b"a=" + b"x" * 9000)
    check(got == 413, f"too much: {got} {body}")
    # RFC 6750 section 3: what the resource says
    for credential, words in ((None, 'Bearer realm="postern"'), ("mk_token_nonsense", 'Bearer realm="postern", error="invalid_token"'),
                              (key["key"], 'Bearer realm="postern", error="insufficient_scope", scope="contacts.read"')):
        try:
            Api(control.url, credential).get("/v1/contacts")
            check(False, "refused")
        except ApiError as e:
            check(e.headers["WWW-Authenticate"] == words, f"{credential}: {e.headers['WWW-Authenticate']}")
    refused(400, "two_credentials", Api(control.url, key["key"]).get, "/v1/domains", headers={"X-Api-Key": key["key"]})


def ends(control, api, pg):
    """Whatever ends the key ends its tokens, at once."""
    def client(**more):
        key = api.post("/v1/keys", {"name": "ends", "scopes": ["domains.read"], **more})
        return key, Api(control.url, token_of(control, key)["access_token"])
    key, user = client()
    check(user.get("/v1/domains")["data"] == [], "a token answers")
    api.call("DELETE", f"/v1/keys/{key['id']}")
    refused(401, "not_authenticated", user.get, "/v1/domains")
    got, body, _ = ask(control, {**GRANT, "client_id": key["id"], "client_secret": key["key"]})
    check((got, body["error"]) == (401, "invalid_client"), f"nor is another given: {got} {body}")

    key, user = client()
    api.post(f"/v1/keys/{key['id']}/regenerate", {"overlap": 3600})
    check(user.get("/v1/domains")["data"] == [], "a token of the old secret goes on within the overlap")
    api.post(f"/v1/keys/{key['id']}/regenerate", {"overlap": 0})
    refused(401, "not_authenticated", user.get, "/v1/domains")

    key, user = client()
    api.call("PATCH", f"/v1/keys/{key['id']}", {"cidrs": ["192.0.2.0/24"]})
    refused(403, "address_not_allowed", user.get, "/v1/domains")
    got, body, _ = ask(control, {**GRANT, "client_id": key["id"], "client_secret": key["key"]})
    check((got, body["error"]) == (400, "unauthorized_client"), f"from elsewhere: {got} {body}")

    key, user = client()
    pg.psql("UPDATE api_keys SET expires_at = now() WHERE name = 'ends'", "postern")
    refused(401, "not_authenticated", user.get, "/v1/domains")

    invited = api.post("/v1/members", {"email": "leaves@oauth.test", "role": "admin"})
    leaver = Api(control.url, Api(control.url).post("/v1/auth/verify", {"token": invited["token"], "password": PASSWORD})["token"])
    key = leaver.post("/v1/keys", {"name": "theirs", "scopes": ["domains.read"]})
    user = Api(control.url, token_of(control, key)["access_token"])
    api.call("PATCH", f"/v1/members/{invited['id']}?end_keys=true", {"role": "viewer"})
    refused(401, "key_maker_may_not", user.get, "/v1/domains")
    api.call("DELETE", f"/v1/members/{invited['id']}")
    refused(401, "key_maker_inactive", user.get, "/v1/domains")


def forged(control, api):
    """The organisation and the key stand in a token: nobody puts another's there."""
    stranger, _ = sign_up(control, "stranger")
    theirs = stranger.post("/v1/keys", {"name": "x", "scopes": ["domains.read", "keys.read"]})
    ours = api.post("/v1/keys", {"name": "x", "scopes": ["domains.read"]})
    token, other = token_of(control, ours)["access_token"], token_of(control, theirs)["access_token"]
    begin = len("mk_token_")
    for mixed in (token[:begin] + other[begin:begin + 13] + token[begin + 13:], token[:begin] + other[begin:begin + 26] + token[begin + 26:],
                  other[:begin + 26] + token[begin + 26:], token[:-43] + other[-43:], token[:begin + 27] + other[begin + 27:]):
        refused(401, "not_authenticated", Api(control.url, mixed).get, "/v1/domains")
    payload = base64.urlsafe_b64decode(token[begin + 27:begin + 59])
    longer = (int.from_bytes(payload[:8], "big") + 3600).to_bytes(8, "big") + payload[8:]
    wider = payload[:8] + b"\xff" * 8 + payload[16:]
    for changed in (longer, wider):
        text = token[:begin + 27] + base64.urlsafe_b64encode(changed).decode() + token[begin + 59:]
        refused(401, "not_authenticated", Api(control.url, text).get, "/v1/domains")
    check(Api(control.url, token).get("/v1/domains")["data"] == [], "the one that was given is good")
    refused(404, "not_found", Api(control.url, other).get, f"/v1/keys/{ours['id']}")
    refused(401, None, Api(control.url).get, "/v1/domains", headers={"Cookie": f"postern_session={token}"})


def it_is_good_for_ten_minutes(control, api, pg):
    """With the secrets of the instance the test makes tokens itself: one of now, one that has just ended."""
    key = api.post("/v1/keys", {"name": "late", "scopes": ["domains.read"]})
    given = token_of(control, key)["access_token"]
    root = bytes.fromhex(next(line.split()[1] for line in control.secrets.read_text().splitlines() if line.startswith("root ")))
    signer = hmac.digest(root, b"access token", "sha256")
    secret_hash = bytes.fromhex(pg.psql("SELECT encode(secret_hash, 'hex') FROM api_keys WHERE name = 'late'", "postern"))
    payload = base64.urlsafe_b64decode(given[36:68])
    left = int.from_bytes(payload[:8], "big") - time.time()
    check(590 < left <= 601, f"ten minutes: {left}")

    def made(seconds):
        begin = given[:36] + base64.urlsafe_b64encode((int(time.time()) + seconds).to_bytes(8, "big") + payload[8:]).decode()
        mac = hmac.digest(signer, b"access token " + begin.encode() + secret_hash, "sha256")
        return begin + base64.urlsafe_b64encode(mac).decode().rstrip("=")
    check(Api(control.url, made(5)).get("/v1/domains")["data"] == [], "the test's own token is right")
    refused(401, "token_expired", Api(control.url, made(0)).get, "/v1/domains")
    refused(401, "token_expired", Api(control.url, made(-86400)).get, "/v1/domains")


def metadata(control):
    refused(404, "not_found", Api(control.url).get, "/.well-known/oauth-authorization-server")
    control.stop()
    control.options["api.url"] = "https://api.oauth.test"
    control.start()
    said = Api(control.url).get("/.well-known/oauth-authorization-server", headers={"Host": "evil.test"})
    check(said["issuer"] == "https://api.oauth.test" and said["token_endpoint"] == "https://api.oauth.test/v1/oauth/token",
          f"the operator's address, whatever the request calls us: {said}")
    check(said["grant_types_supported"] == ["client_credentials"] and said["response_types_supported"] == []
          and "domains.read" in said["scopes_supported"], f"RFC 8414: {said}")


def main():
    pg = Postgres(TMP)
    pg.start()
    control = Control(TMP, os.environ["POSTERN_BUILD"], pg, types.SimpleNamespace(link=TMP / "no-engine.sock"),
                      options={"auth.password_memory": "8M", "auth.burst": 100, "auth.wrong_burst": 1000})
    try:
        control.start()
        api, _ = sign_up(control, "oauth")
        granted(control, api)
        refusals(control, api)
        ends(control, api, pg)
        forged(control, api)
        it_is_good_for_ten_minutes(control, api, pg)
        metadata(control)
        ended_well(control)
        result()
    finally:
        control.stop()
        pg.stop()
    return 1 if failures else 0


sys.exit(main())
