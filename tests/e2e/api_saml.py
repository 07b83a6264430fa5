#!/usr/bin/python3
# timeout: 120
# sanitize: yes
"""Sign-in by SAML against a real identity provider (simplesamlphp), through its own forms: a new member by the list of
domains, somebody who is there already, somebody who is not admitted, the second factor, a change of the provider's key;
and what attackers try around it: replays, responses for another sign-in or another organisation, a stolen browser's
way, forms that are none, a verifying process that dies."""
import base64
import http.client
import json
import os
import pathlib
import re
import subprocess
import sys
import types
import urllib.parse
import zlib

import contract
from checks import check, ended_well, failures, result
from simplesaml import Browser, IdentityProvider
from stack import Api, ApiError, Control, Postgres

TMP = pathlib.Path(os.environ["POSTERN_TMP"])
PASSWORD = "correct horse battery"


class Page:
    """One browser as our service sees it.  The cookie is SameSite=Lax: a form of another site does not bring it."""

    def __init__(self, url):
        self.host, self.cookie = urllib.parse.urlsplit(url).netloc, None

    def send(self, method, path, body=None, cookie=True, kind="application/x-www-form-urlencoded"):
        c = http.client.HTTPConnection(self.host, timeout=60)
        headers = {"Content-Type": kind} if body is not None else {}
        if cookie and self.cookie:
            headers["Cookie"] = self.cookie
        c.request(method, path, body, headers)
        r = c.getresponse()
        raw = r.read()
        text = raw.decode(errors="replace")
        if os.environ.get("POSTERN_CONTRACT"):
            contract.check(method, f"http://{self.host}{path}", {k.lower(): v for k, v in headers.items()}, body.encode() if body is not None else None, r.status, r.headers, raw)
        if r.headers.get("Set-Cookie", "").startswith("postern_journey="):
            self.cookie = r.headers["Set-Cookie"].split(";")[0]
            check("SameSite=Lax" in r.headers["Set-Cookie"] and "HttpOnly" in r.headers["Set-Cookie"], r.headers["Set-Cookie"])
        return r.status, r.headers.get("Location", ""), text

    def begin(self, start, return_to="/in"):
        status, to, text = self.send("GET", f"{start}?return_to={return_to}")
        check(status == 303, f"begin: {status} {text}")
        return to

    def bring(self, fields):
        """What the provider's page posts; the token or the code that the browser is left with."""
        status, to, text = self.send("POST", "/v1/auth/saml/acs", urllib.parse.urlencode(fields), cookie=False)
        if status != 303:
            return text
        at, _, said = to.partition("#")
        check(at == "/in", f"back to where it began: {to}")
        return said

    def exchange(self, said):
        status, _, text = self.send("POST", "/v1/auth/federation/exchange", json.dumps({"token": said.partition("=")[2]}), kind="application/json")
        return status, json.loads(text)


class World:
    def __init__(self, control, idp, api, provider):
        self.control, self.idp, self.api, self.provider = control, idp, api, provider
        self.start = urllib.parse.urlsplit(provider["metadata_url"]).path.removesuffix("/metadata")

    def way(self, uid, page=None):
        """A sign-in up to the form that comes back."""
        page = page or Page(self.control.url)
        action, fields = Browser().sign_in(page.begin(self.start), uid)
        check(action == self.provider["acs_url"], f"where the form goes: {action}")
        return page, fields

    def sign_in(self, uid):
        page, fields = self.way(uid)
        said = page.bring(fields)
        return page.exchange(said) if said.startswith("federation=") else (0, said)


def code_of(action):
    try:
        action()
    except ApiError as e:
        return e.status, e.body.get("code")
    return 200, None


def metadata(w, api):
    """Ours, theirs, and what is no metadata."""
    status, _, ours = Page(w.control.url).send("GET", w.start + "/metadata")
    check(status == 200 and f'entityID="{w.provider["metadata_url"]}"' in ours and w.provider["acs_url"] in ours, f"our metadata: {ours}")
    config = w.provider["config"]
    check(config["entity_id"] == w.idp.entity and len(config["certificates"]) == 1 and "metadata" not in config, f"what is kept: {config}")
    check(not config["email_verified"], "addresses count for nothing until the admin says so")
    for bad, code in (({"metadata": "<x/>"}, "invalid_metadata"), ({}, "required"), ({"metadata": "<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>"}, "invalid_metadata"),
                      ({"metadata": "<x/>", "entity_id": "e"}, "not_needed"), ({**config, "certificates": ["AAAA"]}, "invalid_metadata"),
                      ({**config, "sso_url": "https://a.test/#x"}, "invalid_metadata"), ({**config, "certificates": "x"}, "wrong_type")):
        try:
            api.post("/v1/identity-providers", {"kind": "saml", "name": "Bad", "config": bad})
            check(False, f"taken: {bad}")
        except ApiError as e:
            check(e.status == 422 and [x["code"] for x in e.body["errors"]] == [code], f"{str(bad)[:80]}: {e.body}")
    at = f"/v1/identity-providers/{w.provider['id']}"
    check(api.call("PATCH", at, {"config": {**config, "email_verified": True}})["config"] == {**config, "email_verified": True}, "as it is shown it is taken")
    check(code_of(lambda: api.call("PATCH", at, {"config": {**config, "entity_id": "https://other.test"}})) == (409, "another_party"), "another party")
    to = urllib.parse.urlsplit(Page(w.control.url).begin(w.start))
    request = zlib.decompress(base64.b64decode(urllib.parse.parse_qs(to.query)["SAMLRequest"][0]), -15).decode()
    check("AuthnRequest" in request and len(urllib.parse.parse_qs(to.query)["RelayState"][0]) <= 80, f"the request: {request}")


def people(w, api, pg):
    """Who comes in, as whom."""
    check(w.sign_in("student")[1]["code"] == "not_admitted", "nobody is admitted before the admin lists the domain")
    api.call("PATCH", "/v1/org/sign-in", {"domains": ["example.test"], "default_role": "editor"})
    status, ann = w.sign_in("student")
    check(status == 200 and ann["user"]["email"] == "ann@example.test" and ann["user"]["role"] == "editor", f"a new member: {ann}")
    check(w.sign_in("student")[1]["user"]["id"] == ann["user"]["id"], "the same person the next time")
    bob = api.post("/v1/members", {"email": "bob@example.test", "role": "viewer"})
    status, came = w.sign_in("employee")
    check(status == 200 and came["user"]["id"] == bob["id"] and came["user"]["role"] == "viewer", f"who was invited: {came}")
    check(w.sign_in("guest")[1]["code"] == "not_admitted", "a foreign address")
    actions = pg.psql("SELECT string_agg(DISTINCT action, ' ') FROM audit", "postern")
    check(all(a in actions for a in ("member.arrived", "identity.linked", "login.not_admitted")), f"the audit: {actions}")
    return Api(w.control.url, ann["token"])


def second_factor(w, ann):
    """The provider's word is one factor; ours is still asked."""
    made = ann.call("PUT", "/v1/me/totp")
    code = subprocess.run(["oathtool", "--totp", "-b", made["secret"]], capture_output=True, text=True, check=True).stdout.strip()
    ann.post("/v1/me/totp/confirm", {"code": code})
    status, asked = w.sign_in("student")
    check(status == 202 and asked["factors"][0] == "totp", f"asked for the second factor: {asked}")


def rotation(w, api):
    """The provider changes its key: both are known for a while, then only the new one."""
    services = {w.provider["metadata_url"]: w.provider["acs_url"]}
    at = f"/v1/identity-providers/{w.provider['id']}"
    old = api.get(at)["config"]
    w.idp.write(services, key="two")
    check(w.sign_in("employee") == (0, "federation_error=saml_signature"), "a key that we were not told")
    both = api.call("PATCH", at, {"config": {"metadata": w.idp.metadata("one"), "email_verified": True}})["config"]
    check(len(both["certificates"]) == 2, f"two certificates: {both}")
    check(w.sign_in("employee")[0] == 200, "the new key")
    w.idp.write(services, key="one")
    check(w.sign_in("employee")[0] == 200, "the old key beside it")
    api.call("PATCH", at, {"config": {"metadata": w.idp.metadata().replace(old["certificates"][0], both["certificates"][0]), "email_verified": True}})
    api.call("PATCH", at, {"config": {**old, "email_verified": True, "certificates": [c for c in both["certificates"] if c != old["certificates"][0]]}})
    check(w.sign_in("employee") == (0, "federation_error=saml_signature"), "the old key is over")
    api.call("PATCH", at, {"config": {**old, "email_verified": True}})


def attacks(w, api, pg, other):
    """What a stranger, another tenant or another browser can do with a response."""
    page, fields = w.way("employee")
    thief = Page(w.control.url)
    said = page.bring(fields)
    check("unknown_state" in page.bring(fields), "a response counts once")
    check(thief.exchange(said)[1]["code"] == "invalid_token", "without the cookie of the browser that began")
    thief.begin(w.start)
    check(thief.exchange(said)[1]["code"] == "invalid_token", "with another browser's cookie (login CSRF)")
    check(page.exchange(said)[0] == 200, "the browser that began")
    check(page.exchange(said)[1]["code"] == "invalid_token", "the token counts once")
    first, mine = w.way("employee")
    second, theirs = w.way("employee")
    check(first.bring({**mine, "SAMLResponse": theirs["SAMLResponse"]}) == "federation_error=saml_request", "a response for another request")
    check(second.bring(theirs).startswith("federation="), "which stays good for its own")
    page, fields = w.way("employee")
    xml = base64.b64decode(fields["SAMLResponse"]).decode()
    for forged, code in ((xml.replace("employee", "student"), "saml_signature"), (re.sub(r"<ds:Signature.*?</ds:Signature>", "", xml, flags=re.S), "saml_unsigned"),
                         ("<!DOCTYPE x>" + xml, "saml_doctype"), ("no xml", "saml_malformed"), ("<a>" * 60000, "saml_malformed")):
        relay = urllib.parse.parse_qs(urllib.parse.urlsplit(page.begin(w.start)).query)["RelayState"][0]
        said = page.bring({"SAMLResponse": base64.b64encode(forged.encode()).decode(), "RelayState": relay})
        check(said == f"federation_error={code}", f"{code}: {said}")
    lines = [a for a in api.get("/v1/audit?limit=50")["data"] if a["action"] == "login.assertion_refused"]
    check({"signature", "unsigned", "doctype", "malformed", "request"} <= {a["detail"]["fault"] for a in lines}, f"the admin sees them: {lines}")
    check(all(a["object"] == w.provider["id"] and a["detail"]["why"] for a in lines), f"of which provider, and why: {lines}")
    # The same assertion in another journey whose request it would answer: only a broken journey table could do it.
    page, fields = w.way("employee")
    check(page.bring(fields).startswith("federation="), "taken")
    relay_of = "UPDATE federation_journeys SET stage = 1, secret_hash = (SELECT secret_hash FROM kept) WHERE stage = 3"
    page2, fields2 = w.way("employee")
    pg.psql("CREATE TABLE kept AS SELECT secret_hash FROM federation_journeys WHERE stage = 1 ORDER BY id DESC LIMIT 1", "postern")
    check(page2.bring(fields2).startswith("federation="), "taken, too")
    pg.psql(relay_of + " AND id = (SELECT max(id) FROM federation_journeys)", "postern")
    check(page2.bring(fields2) == "federation_error=saml_replayed", "an assertion counts once, whatever the journey says")
    pg.psql("DROP TABLE kept", "postern")
    # Another tenant's provider is the same party, but its audience is another.
    page = Page(w.control.url)
    start = urllib.parse.urlsplit(other["metadata_url"]).path.removesuffix("/metadata")
    relay = urllib.parse.parse_qs(urllib.parse.urlsplit(page.begin(start)).query)["RelayState"][0]
    _, fields = w.way("employee")
    check(page.bring({**fields, "RelayState": relay}).startswith("federation_error=saml_"), "a response for one tenant at another")
    for body in ("", "SAMLResponse=x", "RelayState=x", "SAMLResponse=a&SAMLResponse=b&RelayState=c", "SAMLResponse=%zz&RelayState=c"):
        status, _, text = page.send("POST", "/v1/auth/saml/acs", body)
        check(status == 400 and "invalid_response" in text, f"{body}: {status} {text}")
    status, _, text = page.send("POST", "/v1/auth/saml/acs", urllib.parse.urlencode({**fields, "RelayState": "https://evil.test/"}))
    check(status == 422 and "unknown_state" in text, f"IdP-initiated, and RelayState as an address: {status} {text}")
    status, _, text = page.send("POST", "/v1/auth/saml/acs", "{}", kind="application/json")
    check(status == 400, f"another type: {status} {text}")
    check(page.send("GET", w.start + "?return_to=https://evil.test/")[0] == 400, "no way to a stranger's page")
    api.call("PATCH", f"/v1/identity-providers/{w.provider['id']}", {"status": "disabled"})
    check(page.send("GET", w.start)[0] == 404, "a provider that was disabled")
    api.call("PATCH", f"/v1/identity-providers/{w.provider['id']}", {"status": "active"})


def main():
    pg = Postgres(TMP)
    pg.start()
    control = Control(TMP, os.environ["POSTERN_BUILD"], pg, types.SimpleNamespace(link=TMP / "no-engine.sock"),
                      options={"auth.burst": 1000, "auth.password_memory": "8M"})
    control.options["api.url"] = control.url
    idp = IdentityProvider(TMP)
    try:
        control.start()
        idp.start({})
        made = [Api(control.url).post("/v1/auth/signup", {"organization": f"Org {n}", "email": f"admin{n}@org.test", "password": PASSWORD}) for n in (1, 2)]
        apis = [Api(control.url, m["token"]) for m in made]
        providers = [a.post("/v1/identity-providers", {"kind": "saml", "name": "Directory", "config": {"metadata": idp.metadata()}}) for a in apis]
        idp.write({p["metadata_url"]: p["acs_url"] for p in providers})
        w = World(control, idp, apis[0], providers[0])
        metadata(w, apis[0])
        result("metadata")
        ann = people(w, apis[0], pg)
        result("people")
        attacks(w, apis[0], pg, providers[1])
        result("attacks")
        rotation(w, apis[0])
        result("rotation")
        second_factor(w, ann)
        ended_well(control)
        result("second factor")
    finally:
        idp.stop()
        control.stop()
        pg.stop()
    return 1 if failures else 0


sys.exit(main())
