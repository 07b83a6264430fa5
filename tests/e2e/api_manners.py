#!/usr/bin/python3
# timeout: 120
# sanitize: yes
"""What every operation of the API has in common: names, lengths, merge patches, entity tags, aliases, and refusals
that people see.  Each answer and each accepted request is held to schema/openapi.yaml besides (tests/lib/contract.py)."""
import os
import pathlib
import sys
import threading
import urllib.error
import urllib.request

from checks import check, ended_well, failures, result
from stack import Api, ApiError, Control, Engine, Failure, Postgres

TMP = pathlib.Path(os.environ["POSTERN_TMP"])
PATCH = "application/merge-patch+json"
BAD_NAMES = ["a\u202eb", "a\u2066b", "\u200fa", "a\u2028b", "a\u2029b", "a\u0085b", "a\u009fb", "a\tb", "a\x7fb", "a\nb",
             "a\u206ab", "a\ufff9b", "a\uffffb", "a\ufdd0b", "a\U0001d173b", "a\U000e0001b", "a\u061cb"]
BLANKS = ["", " ", "\u00a0", "\u3000 \u2003", "\u200b", "\ufeff", "\u2800", "\u17b4", "\U000e0041\U000e0100", "\u115f\u3164"]


def refused(status, pointer, act, *args, **kw):
    """The call is refused with this status and, unless it is None, this pointer."""
    try:
        answer = act(*args, **kw)
    except ApiError as e:
        pointers = [x["pointer"] for x in e.body.get("errors", [])] if isinstance(e.body, dict) else []
        check(e.status == status and (pointer is None or pointer in pointers), f"{args}: {status} {pointer}, not {e}")
        return
    check(False, f"{args}: {status} {pointer}, not taken as {answer}")


def bodies(more):
    """Where people give names and subjects: path, member, the rest of the body."""
    return [("/v1/lists", "name", {}), ("/v1/templates", "name", {"subject": "S", "text": "x"}), ("/v1/templates", "subject", {"name": "N", "text": "x"}),
            ("/v1/campaigns", "name", {}), ("/v1/keys", "name", {"scopes": ["org.read"]}),
            *more]


def names(api):
    optional = [("/v1/campaigns", "subject", {"name": "N"}), ("/v1/contacts", "first_name", {"email": "n@example.test"}),
                ("/v1/fields", "label", {"name": "f", "type": "text"}), ("/v1/members", "name", {"email": "m@example.test", "role": "viewer"})]
    for path, member, rest in bodies(optional):
        for bad in BAD_NAMES:
            refused(422, f"/{member}", api.post, path, {**rest, member: bad})
    for path, member, rest in bodies([]):
        for blank in BLANKS:
            refused(422, f"/{member}", api.post, path, {**rest, member: blank})
    for bad in BAD_NAMES:
        refused(422, "/from/name", api.post, "/v1/campaigns", {"name": "N", "from": {"name": bad, "email": "a@b.test"}})
        refused(422, "/organization", Api(api.url).post, "/v1/auth/signup",
                {"organization": bad, "email": "x@example.test", "password": "correct horse battery"})
        refused(422, "/name", api.call, "PATCH", "/v1/org", {"name": bad})
        refused(422, "/name", api.call, "PATCH", "/v1/me", {"name": bad})
    check(api.post("/v1/lists", {"name": "\u00a0 Readers \u3000"})["name"] == "Readers", "a name is without blanks at its ends")
    refused(409, None, api.post, "/v1/lists", {"name": "Readers "})
    flag = "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"
    check(api.post("/v1/lists", {"name": flag})["name"] == flag, "a flag of tags is a name")
    api.post("/v1/suppressions", {"email": "why@example.test"})
    for bad in [*BAD_NAMES, *BLANKS]:
        refused(422, "/reason", api.call, "DELETE", "/v1/suppressions/why@example.test", {"reason": bad})
        refused(422, "/reason", api.post, "/v1/suppressions/batch", {"remove": ["why@example.test"], "reason": bad})
    check(api.post("/v1/lists", {"name": "שלום"})["name"] == "שלום", "a name may be written from right to left")


def lengths(api):
    for sign in ("ä", "漢", "😀"):
        check(api.post("/v1/lists", {"name": sign * 200})["name"] == sign * 200, f"maxLength counts characters: 200 {sign}")
        refused(422, "/name", api.post, "/v1/lists", {"name": sign * 201})
        check(api.post("/v1/templates", {"name": sign * 200, "subject": sign * 2000, "text": "x"})["subject"] == sign * 2000, f"2,000 {sign}")
        refused(422, "/from/name", api.post, "/v1/campaigns", {"name": "N", "from": {"name": sign * 201}})
        check(api.post("/v1/campaigns", {"name": sign * 200, "from": {"name": sign * 200}})["from"]["name"] == sign * 200, f"200 {sign}")


def change(api, path, body, etag="*"):
    made = api.call("PATCH", path, body, etag=etag, content_type=PATCH)
    return made, api.headers.get("ETag")


def objects(api, boss):
    """One of everything that can be changed: (who may, its path, what null resets it to)."""
    member = api.post("/v1/members", {"email": "ed@example.test", "role": "viewer", "name": "Ed"})["id"]
    api.call("PATCH", "/v1/org", {"footer": "Street"})
    org = boss.get("/v1/admin/orgs")["data"][0]["id"]
    boss.call("PATCH", f"/v1/admin/orgs/{org}", {"status_note": "seen"})
    domain = api.post("/v1/domains", {"name": "news.example.test", "return_path": "b", "tracking": "t", "dmarc_policy": "reject"})
    field = api.post("/v1/fields", {"name": "city", "type": "text", "label": "City"})["id"]
    made = api.post("/v1/lists", {"name": "Patched", "description": "D"})["id"]
    contact = api.post("/v1/contacts", {"email": "p@example.test", "first_name": "P", "last_name": "L", "fields": {"city": "X"}})["id"]
    template = api.post("/v1/templates", {"name": "T", "subject": "S", "alias": "t", "html": "<p>x</p>", "text": "x"})["id"]
    campaign = api.post("/v1/campaigns", {
        "name": "C", "template": "t", "subject": "S", "lists": [made], "all_contacts": True, "reply_to": "r@example.test",
        "from": {"name": "N", "email": "a@news.example.test"}, "expires_at": "2099-01-01T00:00:00Z"})["id"]
    return [(api, "/v1/me", {"name": ""}), (api, "/v1/org", {"footer": ""}), (api, f"/v1/members/{member}", {"name": ""}),
            (boss, f"/v1/admin/orgs/{org}", {"status_note": ""}),
            (api, f"/v1/domains/{domain['id']}", {"return_path": "", "tracking": "", "dmarc_policy": "none"}),
            (api, f"/v1/fields/{field}", {"label": ""}), (api, f"/v1/lists/{made}", {"description": ""}),
            (api, f"/v1/contacts/{contact}", {"first_name": "", "last_name": "", "fields": {}}),
            (api, f"/v1/templates/{template}", {"alias": None, "html": ""}),
            (api, f"/v1/campaigns/{campaign}", {"template": None, "subject": "", "reply_to": "", "from": {"name": "", "email": ""}, "all_contacts": False,
                                                "lists": [], "exclude_lists": [], "expires_at": None})]


def patches(api, boss):
    for who, path, blank in objects(api, boss):
        first, etag = change(who, path, {})
        second, same = change(who, path, {})
        if not path.startswith("/v1/fields"):
            check(etag and etag == same, f"{path}: an empty change leaves the ETag: {etag} {same}")
            check(who.get(path) == second or path.startswith("/v1/contacts"), f"{path}: what a change answers is what is read")
            refused(412, None, who.call, "PATCH", path, {next(iter(blank)): None}, etag='"999"')
        check(first == second, f"{path}: an empty change changes nothing: {first} {second}")
        for member, value in blank.items():
            check(first[member] != value or member == "exclude_lists" or first[member] == "", f"{path}: {member} has something to lose: {first[member]}")
            got, _ = change(who, path, {member: None})
            check(got[member] == value, f"{path}: null resets {member} to {value!r}, not {got[member]!r}")
        body = {k: v for k, v in who.get(path).items() if k in blank and v is not None} if not path.startswith("/v1/fields") else {"label": first["label"]}
        full, _ = change(who, path, {k: "Value" for k in list(blank)[:1] if isinstance(blank[k], str) and k not in ("return_path", "template")})
        body.update({k: full[k] for k in body if k in full and not (k == "dmarc_policy" and not full[k])})
        last, etag = change(who, path, body)
        lines = len(api.get("/v1/audit?limit=200")["data"])
        again, same = change(who, path, body)
        check(again == last and etag == same, f"{path}: the same values change neither object nor ETag: {last} {again} {etag} {same}")
        check(len(api.get("/v1/audit?limit=200")["data"]) == lines or path.startswith(("/v1/fields", "/v1/contacts")), f"{path}: and are no line of the audit")
    refused(422, "/name", api.call, "PATCH", "/v1/org", {"name": None})
    refused(422, "/name", api.call, "PATCH", "/v1/lists/" + api.get("/v1/lists")["data"][0]["id"], {"name": None})
    campaign = api.post("/v1/campaigns", {"name": "F", "from": {"name": "N", "email": "a@news.example.test"}})["id"]
    got, _ = change(api, f"/v1/campaigns/{campaign}", {"from": {"name": "M"}})
    check(got["from"] == {"name": "M", "email": "a@news.example.test"}, f"a member of a member changes alone: {got['from']}")
    got, _ = change(api, f"/v1/campaigns/{campaign}", {"from": {"email": None}})
    check(got["from"] == {"name": "M", "email": ""}, f"null takes it away alone: {got['from']}")


def tags(api):
    made = api.post("/v1/lists", {"name": "Tagged"})["id"]
    path, etag = f"/v1/lists/{made}", api.headers["ETag"]
    for form in ("*", '"77", {}', '{} ,"77"', ',, {}', 'W/"1", {}'):
        _, etag = change(api, path, {"description": form}, etag=form.format(etag))
        check(etag is not None, f"If-Match: {form}")
    for stale in ('"77"', f"W/{etag}", '"77", "78"', etag.strip('"'), '""'):
        refused(412, None, api.call, "PATCH", path, {"description": "no"}, etag=stale)
    for form in ("*", '"77", {}', "W/{}", '"77",W/{}'):
        try:
            api.get(path, headers={"If-None-Match": form.format(etag)})
            check(False, f"If-None-Match: {form}: 304")
        except ApiError as e:
            check(e.status == 304, f"If-None-Match: {form}: {e.status}")
    check(api.get(path, headers={"If-None-Match": '"77", "78"'})["id"] == made, "another tag: the object")


def deleting(api, boss):
    """DELETE looks at If-Match as PATCH does; where nothing has a version, only * is true."""
    made = [(path, api.headers["ETag"]) for path in (
        "/v1/lists/" + api.post("/v1/lists", {"name": "Gone"})["id"], "/v1/contacts/" + api.post("/v1/contacts", {"email": "gone@example.test"})["id"],
        "/v1/templates/" + api.post("/v1/templates", {"name": "Gone", "subject": "S", "text": "x"})["id"],
        "/v1/campaigns/" + api.post("/v1/campaigns", {"name": "Gone"})["id"], "/v1/domains/" + api.post("/v1/domains", {"name": "gone.example.test"})["id"],
        "/v1/members/" + api.post("/v1/members", {"email": "gone@example.test", "role": "viewer"})["id"],
        "/v1/keys/" + api.post("/v1/keys", {"name": "gone", "scopes": ["org.read"]})["id"]) if api.get(path)]
    for path, etag in made:
        for stale in ('"999"', f"W/{etag}", '"998", "999"', etag.strip('"'), ""):
            refused(412, None, api.call, "DELETE", path, etag=None, headers={"If-Match": stale})
        check(api.get(path), f"{path} is still there")
        api.call("DELETE", path, etag=f'"999", {etag}')
        for form in ("*", etag):
            if not path.startswith("/v1/keys"):
                refused(404, None, api.call, "DELETE", path, etag=form)
    field = api.post("/v1/fields", {"name": "gone", "type": "text"})["id"]
    refused(412, None, api.call, "DELETE", f"/v1/fields/{field}", etag='"1"')
    refused(412, None, api.call, "PATCH", f"/v1/fields/{field}", {"label": "L"}, etag='"1"')
    refused(412, None, api.post, "/v1/lists", {"name": "Never"}, etag='"1"')
    check("Never" not in [x["name"] for x in api.get("/v1/lists")["data"]], "what was refused was not done")
    api.call("DELETE", f"/v1/fields/{field}", etag="*")


def changes_at_once(api):
    """Of two who read the same version one is told, also when they come in the same moment."""
    for path, body in (("/v1/lists", {"name": "Race"}), ("/v1/contacts", {"email": "race@example.test"})):
        path = f"{path}/{api.post(path, body)['id']}"
        member = "description" if path.startswith("/v1/lists") else "first_name"
        for turn in range(5):
            api.get(path)
            etag, statuses = api.headers["ETag"], []

            def one(i):
                try:
                    Api(api.url, api.token).call("PATCH", path, {member: f"{turn} {i}"}, etag=etag)
                    statuses.append(200)
                except ApiError as e:
                    statuses.append(e.status)
            threads = [threading.Thread(target=one, args=(i,)) for i in range(8)]
            for t in threads:
                t.start()
            for t in threads:
                t.join()
            check(sorted(statuses) == [200] + [412] * 7, f"{path}: one of 8 changes of one version is taken: {sorted(statuses)}")


def aliases(api):
    template = api.post("/v1/templates", {"name": "Welcome", "alias": "welcome", "subject": "Hi {{first_name}}", "text": "Hello {{first_name}}"})
    contact = api.post("/v1/contacts", {"email": "Ann@example.test", "first_name": "Ann"})
    for name in (template["id"], "welcome"):
        check(api.get(f"/v1/templates/{name}")["id"] == template["id"], f"a path takes {name}")
        check(api.post("/v1/campaigns", {"name": "A", "template": name})["template"] == template["id"], f"a campaign takes {name}")
        for person in (contact["id"], "ann@Example.test"):
            got = api.post("/v1/render", {"template": name, "contact": person})
            check(got == {"subject": "Hi Ann", "text": "Hello Ann"}, f"render takes {name} and {person}: {got}")
    refused(422, "/template", api.post, "/v1/campaigns", {"name": "A", "template": "nothing"})
    refused(422, "/template", api.post, "/v1/render", {"template": "nothing"})
    refused(422, "/contact", api.post, "/v1/render", {"template": "welcome", "contact": "nobody@example.test"})
    refused(422, "/template_id", api.post, "/v1/render", {"template_id": template["id"]})
    refused(422, "/contact_id", api.post, "/v1/render", {"text": "x", "contact_id": contact["id"]})


def fetch(url, data=None, **headers):
    request = urllib.request.Request(url, data=data, headers={k.replace("_", "-"): v for k, v in headers.items()})
    try:
        with urllib.request.urlopen(request, timeout=10) as r:
            status, got, text = r.status, r.headers, r.read()
    except urllib.error.HTTPError as e:
        status, got, text = e.code, e.headers, e.read()
    Api.hold(request, status, got, text)
    return status, got, text.decode()


def broken_links(control):
    for path in ("/u/AAAAbroken", "/u/", "/u/x/y", "/", "/u/%00", "/u/AAAA%3E"):
        for accept in ("text/html,application/xhtml+xml,*/*;q=0.8", "*/*"):
            status, headers, text = fetch(control.public + path, Accept=accept)
            check(400 <= status < 500 and headers["Content-Type"].startswith("text/html") and "does not work" in text and "{" not in text,
                  f"{path} shows people a page: {status} {headers['Content-Type']} {text[:80]}")
        status, headers, text = fetch(control.public + path, Accept="application/json")
        check(400 <= status < 500 and headers["Content-Type"] == "application/problem+json", f"{path}: programs get the problem: {status}")
    status, headers, text = fetch(control.public + "/u/AAAAbroken", Accept="text/html", Accept_Language="de-CH, en;q=0.5")
    check('lang="de"' in text and "funktioniert nicht" in text, f"in the language that is asked for: {text[:120]}")
    status, headers, text = fetch(control.public + "/u/AAAAbroken", data=b"List-Unsubscribe=One-Click", Accept="text/html")
    check(status == 404 and headers["Content-Type"] == "application/problem+json", f"one-click gets the problem: {status} {headers['Content-Type']}")
    status, headers, text = fetch(control.public + "/u/AAAAbroken", data=b"confirm=yes", Accept="text/html")
    check(status == 404 and headers["Content-Type"].startswith("text/html"), f"the button's answer is a page: {status}")
    status, headers, text = fetch(control.url + "/v1/nothing", Accept="text/html")
    check(headers["Content-Type"] == "application/problem+json", "the API itself has no pages")


def main():
    postgres = Postgres(TMP)
    token = TMP / "platform.token"
    token.write_text("platform-token-for-tests-0123456789\n")
    os.chmod(token, 0o644)
    engine = Engine(TMP, os.environ["POSTERN_BUILD"])
    control = Control(TMP, os.environ["POSTERN_BUILD"], postgres, engine, options={
        "http.admin.listen": "127.0.0.1:8082", "http.admin.token_file": token, "domains.return_path_host": "bounce.postern.test"})
    try:
        postgres.start()
        control.start()
        api = Api(control.url)
        api.token = api.post("/v1/auth/signup", {"organization": "Manners", "email": "ann@example.test", "name": "Ann",
                                                 "password": "correct horse battery"})["token"]
        boss = Api("http://127.0.0.1:8082", "platform-token-for-tests-0123456789")
        for part in (names, lengths, tags, aliases):
            part(api)
        patches(api, boss)
        deleting(api, boss)
        changes_at_once(api)
        broken_links(control)
    except Failure as e:
        check(False, str(e))
    ended_well(control)
    postgres.stop()
    result()
    return 1 if failures else 0


sys.exit(main())
