#!/usr/bin/python3
# timeout: 120
# sanitize: yes
"""Whoever changes something stands in the audit: every operation of schema/openapi.yaml that is not a GET is called with
success and adds a line, or is named below with the reason why it needs none.  A new operation fails this script until it
is called here.  Then: what lines hold, who may allow a suppressed address again, and that the chain of lines is whole."""
import hashlib
import json
import os
import pathlib
import subprocess
import sys
import types

import yaml

from checks import check, ended_well, failures, result
from stack import Api, ApiError, Control, Postgres, own, wait_until

SRC = pathlib.Path(os.environ["POSTERN_SRC"])
TMP = pathlib.Path(os.environ["POSTERN_TMP"])
PASSWORD = "correct horse battery staple"
TOKEN = "platform-token-of-this-test-0123456789"
ADMIN = "127.0.0.1:8082"
NO_LINE = {
    "POST /v1/render": "changes nothing",
    "POST /v1/smtp-routes/{smtp_route_id}/test": "changes nothing: asks the engine for a session that carries no mail",
    "POST /v1/campaigns/{campaign_id}/check": "changes nothing",
    "POST /v1/domains/{domain_id}/verify": "what it saw is kept with the domain; a change of the domain's status has a line, whoever looked",
    "POST /v1/auth/signup/verify": "has its line, org.created: tests/e2e/people_mail, where mail arrives",
    "POST /v1/oauth/token": "changes nothing: a token is not stored; that the key was used is counted",
    "POST /v1/me/address": "has its line: tests/e2e/people_mail, where mail arrives",
    "POST /v1/me/address/verify": "has its line: tests/e2e/people_mail, where mail arrives",
    "POST /v1/auth/login/factor/mail": "has its line: tests/e2e/people_mail, where mail arrives",
    "PUT /v1/me/mail-factor": "has its line: tests/e2e/people_mail, where mail arrives",
    "POST /v1/me/mail-factor/confirm": "has its line: tests/e2e/people_mail, where mail arrives",
    "DELETE /v1/me/mail-factor": "has its line: tests/e2e/people_mail, where mail arrives",
    "POST /v1/auth/saml/acs": "has its line when it refuses an assertion: tests/e2e/api_saml.py",
    "POST /v1/auth/federation/exchange": "has its lines: tests/e2e/api_federation.py, where providers are",
    "POST /v1/auth/saml/acs": "keeps what the provider said until the browser that began comes for it; the exchange has the line",
    "POST /v1/me/identities": "has its line: tests/e2e/api_federation.py, where providers are",
    "DELETE /v1/me/identities/{identity_id}": "has its line: tests/e2e/api_federation.py, where providers are",
    "POST /u/{token}": "the person's own act, without any account of ours: suppressions and unsubscribes are its record",
}


class World:
    def __init__(self):
        self.pg = Postgres(TMP)
        self.token_file = TMP / "admin.token"
        self.control = Control(TMP, os.environ["POSTERN_BUILD"], self.pg, types.SimpleNamespace(link=TMP / "no-engine.sock"),
                               options={"auth.burst": 1000, "auth.password_memory": "8M", "http.admin.listen": ADMIN,
                                        "http.admin.token_file": self.token_file})
        self.seen, self.api, self.platform = {}, None, None

    def start(self):
        self.token_file.write_text(TOKEN + "\n")
        own(self.token_file)
        self.pg.start()
        self.control.start()
        self.api = Api(self.control.url)
        self.platform = Api(f"http://{ADMIN}", TOKEN)

    def lines(self):
        return int(self.pg.psql("SELECT count(*) FROM audit", "postern"))

    def act(self, operation, action, body=None, api=None, status=None, kind="application/json", query="", **ids):
        """Calls it, and looks for the line; gives the answer."""
        method, path = operation.split(" ")
        last = self.pg.psql("SELECT coalesce(max(id), 0) FROM audit", "postern")
        code, reply = 200, None
        try:
            reply = (api or self.api).call(method, path.format(**ids) + query, body, headers={"If-Match": "*"}, content_type=kind)
        except ApiError as e:
            code = e.status
        check(code == (status or 200), f"{operation}: {code}")
        new = self.pg.psql(f"SELECT json_agg(a ORDER BY id) FROM audit a WHERE id > {last}", "postern")
        rows = json.loads(new) if new else []
        check(action in [r["action"] for r in rows], f"{operation}: no line {action} in {[r['action'] for r in rows]}")
        check(all(r["request_id"] for r in rows), f"{operation}: a line without its request")
        self.seen.setdefault(operation, rows)
        return reply


def sign_up(w):
    w.act("POST /v1/auth/signup", "org.created", {"organization": "Org", "email": "admin@org.test", "password": PASSWORD})
    w.api.token = w.act("POST /v1/auth/login", "login.succeeded", {"email": "admin@org.test", "password": PASSWORD})["token"]
    w.act("POST /v1/auth/login", "login.failed", {"email": "admin@org.test", "password": "not this one"}, status=401)
    w.act("POST /v1/auth/password-reset", "user.reset_requested", {"email": "admin@org.test"})


def people(w):
    w.act("PATCH /v1/me", "user.changed", {"name": "Ann"})
    w.act("PATCH /v1/me", "user.password_changed", {"password": PASSWORD + "!", "current_password": PASSWORD})
    w.act("PATCH /v1/org", "org.changed", {"footer": "Org, Street 1"})
    picture = (SRC / "tests/fuzz/control/picture.seeds/png").read_bytes()
    w.act("PUT /v1/me/avatar", "user.avatar_set", picture, kind="image/png")
    w.act("DELETE /v1/me/avatar", "user.avatar_removed")
    member = w.act("POST /v1/members", "member.invited", {"email": "ed@org.test", "role": "editor"})
    w.act("POST /v1/auth/verify", "user.password_chosen", {"token": member["token"], "password": PASSWORD})
    w.act("PATCH /v1/members/{user_id}", "member.changed", {"name": "Ed"}, user_id=member["id"])
    w.act("POST /v1/members/{user_id}/reset", "member.reset", user_id=member["id"])
    w.editor = Api(w.control.url)
    w.editor.token = w.editor.post("/v1/auth/login", {"email": "ed@org.test", "password": PASSWORD})["token"]
    other = Api(w.control.url)
    logged = {"email": "admin@org.test", "password": PASSWORD + "!"}
    other.token = other.post("/v1/auth/login", logged)["token"]
    session = next(s["id"] for s in w.api.get("/v1/me/sessions")["data"] if not s["current"])
    w.act("DELETE /v1/me/sessions/{session_id}", "session.ended", session_id=session)
    other.token = other.post("/v1/auth/login", logged)["token"]
    w.act("DELETE /v1/me/sessions", "sessions.ended")
    other.token = other.post("/v1/auth/login", logged)["token"]
    w.act("POST /v1/auth/logout", "session.ended", api=other)
    gone = w.api.post("/v1/members", {"email": "gone@org.test", "role": "viewer"})
    w.act("DELETE /v1/members/{user_id}", "member.removed", user_id=gone["id"])
    w.act("POST /v1/roles", "role.created", {"name": "reporter", "permissions": ["analytics.read"]})
    w.act("PATCH /v1/roles/{name}", "role.changed", {"permissions": ["campaigns.read"]}, name="reporter")
    w.act("DELETE /v1/roles/{name}", "role.deleted", name="reporter")
    key = w.act("POST /v1/keys", "key.created", {"name": "K", "scopes": ["contacts.write", "contacts.read"]})
    w.act("PATCH /v1/keys/{key_id}", "key.changed", {"name": "L"}, key_id=key["id"])
    w.act("POST /v1/keys/{key_id}/regenerate", "key.regenerated", {"overlap": 60}, key_id=key["id"])
    w.act("DELETE /v1/keys/{key_id}", "key.revoked", key_id=key["id"])
    second = Api(w.control.url)
    second.token = second.post("/v1/auth/signup", {"organization": "Second", "email": "b@second.test", "password": PASSWORD})["token"]
    asked = second.post("/v1/members", {"email": "ann@second.test", "role": "viewer"})["token"]
    there = w.act("POST /v1/me/organisations", "user.organisation_linked", {"invitation": asked})["id"]
    w.act("POST /v1/auth/switch", "login.switched", {"organisation": there})
    w.act("DELETE /v1/me/organisations/{org_id}", "user.organisation_unlinked", org_id=there)


def providers(w):
    made = w.act("POST /v1/identity-providers", "identity_provider.created", {"kind": "oidc", "name": "Directory", "secret": "Hidden",
                 "config": {"issuer": "https://login.example.test", "client_id": "postern"}})
    w.act("PATCH /v1/identity-providers/{provider_id}", "identity_provider.changed", {"secret": "Hidden too"}, provider_id=made["id"])
    w.act("PATCH /v1/org/sign-in", "org.sign_in_changed", {"domains": ["org.test"]})
    w.act("DELETE /v1/identity-providers/{provider_id}", "identity_provider.removed", provider_id=made["id"])


def submission(w):
    made = w.act("POST /v1/smtp-credentials", "smtp_credential.created", {"name": "shop"})
    w.act("PATCH /v1/smtp-credentials/{smtp_credential_id}", "smtp_credential.changed", {"day_limit": 5}, smtp_credential_id=made["id"])
    w.act("DELETE /v1/smtp-credentials/{smtp_credential_id}", "smtp_credential.revoked", smtp_credential_id=made["id"])
    made = w.act("POST /v1/smtp-routes", "smtp_route.created", {"name": "own", "host": "smtp.example.test", "domains": ["*"], "auth": "password",
                                                                "username": "u", "secret": "Hidden"})
    w.act("PATCH /v1/smtp-routes/{smtp_route_id}", "smtp_route.changed", {"domains": ["example.test"]}, smtp_route_id=made["id"])
    w.act("DELETE /v1/smtp-routes/{smtp_route_id}", "smtp_route.removed", smtp_route_id=made["id"])


def factors(w):
    """In the order in which a person meets them; the code counts again because time goes by for it."""
    password = PASSWORD + "!"

    def code():
        w.pg.psql("UPDATE user_totp SET last_step = 0", "postern")
        return subprocess.run(["oathtool", "--totp", "--base32", secret], check=True, capture_output=True, text=True).stdout.strip()
    secret = w.act("PUT /v1/me/totp", "user.totp_begun")["secret"]
    w.api.token = w.act("POST /v1/me/totp/confirm", "user.totp_on", {"code": code()})["session"]["token"]
    w.act("POST /v1/me/recovery-codes", "user.recovery_codes_made")
    asked = w.act("POST /v1/auth/login", "login.challenged", {"email": "admin@org.test", "password": password})["challenge"]
    body = {"challenge": asked, "factor": "totp", "code": "abcdef"}
    w.act("POST /v1/auth/login/factor", "login.factor_failed", body, status=422)
    w.act("POST /v1/auth/login/factor", "login.succeeded", {**body, "code": code()})
    w.api.token = w.act("POST /v1/me/proof", "session.proved", {"password": password, "code": code()})["token"]
    w.act("DELETE /v1/me/totp", "user.totp_off")
    ed = w.api.get("/v1/members")["data"][1]["id"]
    secret = w.editor.call("PUT", "/v1/me/totp")["secret"]
    w.editor.post("/v1/me/totp/confirm", {"code": code()})
    w.act("DELETE /v1/members/{user_id}/factor", "member.factor_removed", user_id=ed)
    w.editor.token = w.editor.post("/v1/auth/login", {"email": "ed@org.test", "password": PASSWORD})["token"]


def contacts(w):
    field = w.act("POST /v1/fields", "field.created", {"name": "city", "type": "text"})["id"]
    w.act("PATCH /v1/fields/{field_id}", "field.changed", {"label": "Town"}, field_id=field)
    w.list = w.act("POST /v1/lists", "list.created", {"name": "Readers"})["id"]
    w.act("PATCH /v1/lists/{list_id}", "list.changed", {"description": "Monthly"}, list_id=w.list)
    one = w.act("POST /v1/contacts", "contact.created", {"email": "secret.person@mail.test", "first_name": "Confidential", "fields": {"city": "Hidden"}})["id"]
    w.act("PATCH /v1/contacts/{contact_id}", "contact.changed", {"status": "unsubscribed"}, contact_id=one)
    line = w.seen["PATCH /v1/contacts/{contact_id}"][0]
    check(line["detail"] == {"members": ["status"], "status": "unsubscribed"} and line["object"] == one, f"what a line of a contact says: {line}")
    w.act("PUT /v1/lists/{list_id}/contacts", "list.joined", {"contact_ids": [one]}, list_id=w.list)
    w.act("DELETE /v1/lists/{list_id}/contacts", "list.left", {"contact_ids": [one]}, list_id=w.list)
    w.act("DELETE /v1/contacts/{contact_id}", "contact.deleted", contact_id=one)
    w.act("DELETE /v1/fields/{field_id}", "field.deleted", field_id=field)
    w.act("POST /v1/imports", "import.started", b"email\nreader@mail.test\n", kind="text/csv", query=f"?list={w.list}")
    wait_until("the import", lambda: w.pg.psql("SELECT count(*) FROM imports WHERE status IN (1, 2)", "postern") == "0")
    line = next((a for a in w.api.get("/v1/audit?limit=5")["data"] if a["action"] == "import.finished"), {})
    check(line.get("actor") == "platform" and line.get("detail") == {"created": 1, "updated": 0, "not_subscribed": 0}, f"what the import did: {line}")
    w.pg.psql("REVOKE UPDATE ON imports FROM cp_ingest", "postern")  # so that the next one waits
    waiting = w.api.call("POST", "/v1/imports", b"email\nlater@mail.test\n", content_type="text/csv")["id"]
    w.act("DELETE /v1/imports/{import_id}", "import.cancelled", import_id=waiting)
    w.pg.psql("GRANT UPDATE ON imports TO cp_ingest", "postern")


def main_part(w):
    template = w.act("POST /v1/templates", "template.created", {"name": "T", "subject": "S", "text": "Hello\n{{unsubscribe_url}}\n"})["id"]
    w.act("PATCH /v1/templates/{template_id}", "template.changed", {"name": "U"}, template_id=template)
    spare = w.api.post("/v1/templates", {"name": "T2", "subject": "S", "text": "Hello\n{{unsubscribe_url}}\n"})["id"]
    w.act("DELETE /v1/templates/{template_id}", "template.deleted", template_id=spare)
    w.domain = w.act("POST /v1/domains", "domain.added", {"name": "org.test"})["id"]
    w.act("PATCH /v1/domains/{domain_id}", "domain.changed", {"dmarc_policy": "quarantine"}, domain_id=w.domain)
    w.pg.psql("UPDATE domains SET status = 2, verified_at = now()", "postern")
    body = {"name": "C", "template": template, "lists": [w.list], "from": {"name": "Org", "email": "news@org.test"}}
    c = w.act("POST /v1/campaigns", "campaign.created", body)["id"]
    w.act("PATCH /v1/campaigns/{campaign_id}", "campaign.changed", {"name": "D"}, campaign_id=c)
    w.act("POST /v1/campaigns/{campaign_id}/send", "campaign.sent", {}, campaign_id=c)
    for verb, action in (("pause", "paused"), ("resume", "resumed"), ("cancel", "cancelled")):
        w.act("POST /v1/campaigns/{campaign_id}/" + verb, "campaign." + action, {}, campaign_id=c)
    spare = w.api.post("/v1/campaigns", body)["id"]
    w.act("DELETE /v1/campaigns/{campaign_id}", "campaign.deleted", campaign_id=spare)
    empty = w.api.post("/v1/lists", {"name": "Spare"})["id"]
    w.act("DELETE /v1/lists/{list_id}", "list.deleted", list_id=empty)
    spare = w.api.post("/v1/domains", {"name": "spare.test"})["id"]
    w.act("DELETE /v1/domains/{domain_id}", "domain.removed", domain_id=spare)


def suppressions(w):
    """Who allows an address again needs a permission of its own, and a reason, which is kept."""
    delete = "DELETE /v1/suppressions/{email}"
    w.act("POST /v1/suppressions", "suppression.added", {"email": "no@mail.test"})
    w.act("POST /v1/suppressions/batch", "suppressions.added", {"add": ["no2@mail.test", "no3@mail.test", "left@mail.test", "angry@mail.test", "hard@mail.test"]})
    w.pg.psql("UPDATE suppressions SET reason = CASE split_part(email, '@', 1) WHEN 'left' THEN 2 WHEN 'angry' THEN 4 WHEN 'hard' THEN 3 ELSE 1 END", "postern")
    before, held = w.lines(), w.pg.psql("SELECT count(*) FROM suppressions", "postern")
    for body, status in (({}, 422), ({"reason": "  "}, 422), ({"reason": "x" * 501}, 422)):
        refused(status, w.api, delete, "no@mail.test", body)
    for who in ("left@mail.test", "angry@mail.test"):
        refused(403, w.editor, delete, who, {"reason": "the chef wants it"})
        refused(403, w.editor, "POST /v1/suppressions/batch", "", {"remove": ["no2@mail.test", who], "reason": "the chef wants it"})
    refused(422, w.editor, "POST /v1/suppressions/batch", "", {"remove": ["no2@mail.test"]})
    key = w.api.post("/v1/keys", {"name": "writer", "scopes": ["suppressions.read", "suppressions.write"]})["key"]
    refused(403, Api(w.control.url, key), delete, "no@mail.test", {"reason": "it may write"})
    refused(403, Api(w.control.url, key), "POST /v1/suppressions/batch", "", {"remove": ["no@mail.test"], "reason": "it may write"})
    check(w.lines() == before + 1 and w.pg.psql("SELECT count(*) FROM suppressions", "postern") == held, "what was refused changed nothing")
    w.act(delete, "suppression.deleted", {"reason": "a typing error"}, api=w.editor, email="no@mail.test")
    w.act(delete, "suppression.deleted", {"reason": "the mailbox is there again"}, api=w.editor, email="hard@mail.test")
    w.seen.pop(delete)
    w.act(delete, "suppression.deleted", {"reason": "wrote on 3 March"}, email="Left@mail.test")
    line = w.seen[delete][0]
    check(line["object"] == "left@mail.test" and line["detail"]["reason"] == "wrote on 3 March" and line["detail"]["suppressed_for"] == "unsubscribed", f"the line: {line}")
    w.act("POST /v1/suppressions/batch", "suppression.deleted", {"remove": ["angry@mail.test", "no2@mail.test"], "reason": "by phone"})
    shown = [a for a in w.api.get("/v1/audit?limit=200")["data"] if a["action"] == "suppression.deleted"]
    check(len(shown) == 5 and all(a["detail"]["reason"] for a in shown), f"the audit shows them: {shown}")


def refused(status, api, operation, email, body):
    method, path = operation.split(" ")
    try:
        api.call(method, path.format(email=email), body)
        check(False, f"{operation} {body} was taken")
    except ApiError as e:
        check(e.status == status, f"{operation} {body}: {e}")


def platform(w):
    new = w.act("POST /v1/admin/orgs", "org.created", {"name": "Two", "admin_email": "a@two.test", "admin_password": PASSWORD}, api=w.platform)["id"]
    w.act("PATCH /v1/admin/orgs/{org_id}", "org.changed", {"status_note": "looked at"}, api=w.platform, org_id=new)
    w.act("POST /v1/admin/orgs/{org_id}/suspend", "org.suspended", {"note": "complaints"}, api=w.platform, org_id=new)
    lost = Api(w.control.url, Api(w.control.url).post("/v1/auth/login", {"email": "a@two.test", "password": PASSWORD})["token"])
    secret = lost.call("PUT", "/v1/me/totp")["secret"]
    code = subprocess.run(["oathtool", "--totp", "--base32", secret], check=True, capture_output=True, text=True).stdout.strip()
    lost.post("/v1/me/totp/confirm", {"code": code})
    w.act("POST /v1/admin/orgs/{org_id}/reset-factor", "member.factor_removed", {"email": "a@two.test", "reason": "called back"}, api=w.platform, org_id=new)
    line = next(a for a in w.seen["POST /v1/admin/orgs/{org_id}/reset-factor"] if a["action"] == "member.factor_removed")
    check(line["detail"] == {"reason": "called back"} and line["actor_kind"] == 3, f"who did it, and why: {line}")
    w.act("POST /v1/admin/orgs/{org_id}/resume", "org.resumed", {"note": "settled"}, api=w.platform, org_id=new)


def every_operation(w):
    doc = yaml.safe_load((SRC / "schema/openapi.yaml").read_text())
    changing = {f"{m.upper()} {path}" for path, item in doc["paths"].items() for m in item if m in ("post", "put", "patch", "delete")}
    for operation in sorted(changing - w.seen.keys() - NO_LINE.keys()):
        check(False, f"{operation}: nobody has seen that it writes a line; call it here, or name the reason why not")
    for operation in sorted(NO_LINE.keys() - changing):
        check(False, f"{operation}: a reason for what does not exist")
    return len(changing)


def nothing_private(w):
    text = w.pg.psql("SELECT string_agg(a::text, E'\\n') FROM audit a", "postern")
    for word in (PASSWORD, "secret.person", "Confidential", "Hidden", "tok_", "ses_x"):
        check(word not in text, f"the audit holds {word}")


def chain(w):
    """hash = SHA-256(hash of the line before, this line), within each organisation."""
    rows = w.pg.psql("SELECT org_id || '|' || encode(hash, 'hex') || '|' || encode(convert_to(concat_ws(E'\\n', to_ms(at), actor_kind, actor_id, action,"
                     " object, detail::text, request_id, ip), 'UTF8'), 'hex') FROM audit ORDER BY org_id, id", "postern").split("\n")
    last = {}
    for row in rows:
        org, is_hash, line = row.split("|")
        want = hashlib.sha256(last.get(org, b"") + bytes.fromhex(line)).hexdigest()
        check(want == is_hash, "a line of the chain does not follow from the one before")
        last[org] = bytes.fromhex(is_hash)


def main():
    w = World()
    try:
        w.start()
        sign_up(w)
        people(w)
        factors(w)
        providers(w)
        contacts(w)
        main_part(w)
        submission(w)
        suppressions(w)
        platform(w)
        n = every_operation(w)
        nothing_private(w)
        chain(w)
        ended_well(w.control)
        result(f"{n} operations that change something", f"{w.lines()} lines")
    finally:
        w.control.stop()
        w.pg.stop()
    return 1 if failures else 0


sys.exit(main())
