#!/usr/bin/python3
# timeout: 120
# sanitize: yes
"""The form of requests, against the real daemon: what two readers could read differently is refused and the connection closed;
queries are held to what is declared; a caller without credentials learns nothing but 401; paths and queries are decoded once."""
import json
import os
import pathlib
import socket
import sys
import types
import urllib.parse

from checks import check, ended_well, failures, refused, result, wait_for
from stack import Api, ApiError, Control, Postgres

TMP = pathlib.Path(os.environ["POSTERN_TMP"])
PASSWORD = "correct horse battery"


def raw(control, request, port=None):
    """Bytes on a connection of its own; all that came back until the peer closed it, or did not for 5 s."""
    host = urllib.parse.urlsplit(control.url)
    out = b""
    with socket.create_connection((host.hostname, port or host.port), 10) as s:
        s.sendall(request)
        s.settimeout(5)
        try:
            while piece := s.recv(65536):
                out += piece
        except TimeoutError:
            return out, False
        except ConnectionError:
            pass
    return out, True


def ambiguous_requests_are_refused_and_the_connection_closed(control):
    follower = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"
    chunk = b"0\r\n\r\n"
    heads = {
        "length and coding": (b"Host: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n", chunk),
        "coding and length": (b"Host: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n", chunk),
        "two hosts": (b"Host: x\r\nHost: y\r\n", b""),
        "two hosts alike": (b"Host: x\r\nHost: x\r\n", b""),
        "no host": (b"X-A: y\r\n", b""),
        "an empty host": (b"Host: \r\n", b""),
        "a host with a path": (b"Host: x/y\r\n", b""),
        "two lengths": (b"Host: x\r\nContent-Length: 0\r\nContent-Length: 5\r\n", b"hello"),
        "two lengths alike": (b"Host: x\r\nContent-Length: 5\r\nContent-Length: 5\r\n", b"hello"),
        "a list of lengths": (b"Host: x\r\nContent-Length: 5, 5\r\n", b"hello"),
        "a signed length": (b"Host: x\r\nContent-Length: +5\r\n", b"hello"),
        "a length in hex": (b"Host: x\r\nContent-Length: 0x5\r\n", b"hello"),
        "an unknown coding": (b"Host: x\r\nTransfer-Encoding: gzip, chunked\r\n", chunk),
        "identity": (b"Host: x\r\nTransfer-Encoding: identity\r\n", b""),
        "two codings": (b"Host: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", chunk),
        "chunked of another kind": (b"Host: x\r\nTransfer-Encoding: xchunked\r\n", chunk),
        "a blank before the colon": (b"Host: x\r\nContent-Length : 5\r\n", b"hello"),
        "a blank in the name": (b"Host: x\r\nX A: 5\r\n", b""),
        "a coding with a blank after it": (b"Host: x\r\nTransfer-Encoding: chunked \r\n", chunk),
        "a coding on a line of its own": (b"Host: x\r\nTransfer-Encoding:\r\n chunked\r\n", chunk),
        "a length on a line of its own": (b"Host: x\r\nContent-Length:\r\n 5\r\n", b"hello"),
        "a bare CR in a value": (b"Host: x\r\nX-A: a\rContent-Length: 5\r\n", b""),
        "two credentials": (b"Host: x\r\nAuthorization: Bearer a\r\nAuthorization: Bearer b\r\n", b""),
        "two keys": (b"Host: x\r\nX-Api-Key: a\r\nX-Api-Key: a\r\n", b""),
        "two types": (b"Host: x\r\nContent-Type: text/csv\r\nContent-Type: application/json\r\n", b""),
        "two idempotency keys": (b"Host: x\r\nIdempotency-Key: a\r\nIdempotency-Key: b\r\n", b""),
    }
    for method in (b"GET /health", b"POST /v1/auth/login", b"PATCH /v1/me", b"DELETE /v1/me/sessions", b"POST /v1/imports"):
        for name, (head, body) in heads.items():
            out, closed = raw(control, method + b" HTTP/1.1\r\n" + head + b"\r\n" + body + follower)
            check(out.startswith(b"HTTP/1.1 400 ") and closed and b" 200 " not in out and out.count(b"X-Request-Id") < 2,
                  f"{method.decode()} with {name}: {out[:60]} {'closed' if closed else 'open'}, {out.count(b'HTTP/1.1 ')} replies")
    out, closed = raw(control, b"POST /v1/auth/login HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
    check(b" 400 " in out[:20] and closed, f"HTTP/1.0 with a coding: {out[:40]}")
    out, _ = raw(control, b"GET /health HTTP/1.0\r\n\r\n")
    check(b" 200 " in out[:20], f"HTTP/1.0 needs no Host: {out[:40]}")
    out, _ = raw(control, b"GET /health HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n" + follower.replace(b"Host: x", b"Host: x\r\nConnection: close"))
    check(out.count(b"HTTP/1.1 200 ") == 2, "two requests on a connection are two")
    port = int(control.public.rsplit(":", 1)[1])
    out, closed = raw(control, b"POST /u/x HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", port)
    check(out.startswith(b"HTTP/1.1 400 ") and closed, f"the public listener too: {out[:40]}")


def a_target_may_be_a_whole_url(control, api):
    head = f"Host: x\r\nAuthorization: Bearer {api.token}\r\nConnection: close\r\n\r\n"
    for target, status in (("http://x/health", 200), ("HTTPS://[::1]:8443/health?", 200), ("http://x/v1/lists?limit=1&", 200), ("http://x/v1/lists?limt=1", 400),
                           ("http://x", 404), ("http:///health", 404), ("http://x@y/health", 404), ("ftp://x/health", 404), ("/v1/lists?&limit=1&&", 200)):
        out, _ = raw(control, f"GET {target} HTTP/1.1\r\n{head}".encode())
        check(out.startswith(b"HTTP/1.1 %d " % status), f"{target}: {status}, not {out[:20]}")


def a_body_is_json_only_if_it_says_so(api):
    for kind, status in (("application/json", 200), ("Application/JSON ; charset=utf-8", 200), ("application/jsonx", 415), ("application/json-patch+json", 415)):
        try:
            api.call("PATCH", "/v1/me", {}, content_type=kind)
            got = 200
        except ApiError as e:
            got = e.status
        check(got == status, f"{kind}: {status}, not {got}")


def a_query_parameter_that_is_not_known_is_refused_by_name(control, api):
    lists = ["/v1/contacts", "/v1/lists", "/v1/fields", "/v1/templates", "/v1/campaigns", "/v1/domains", "/v1/keys", "/v1/members",
             "/v1/suppressions", "/v1/imports", "/v1/audit", "/v1/me/sessions"]
    for path in lists:
        problem = refused(400, "unknown_query_parameter", api.get, f"{path}?statsu=subscribed")
        check("statsu" in problem.get("detail", "") and "limit after" in problem.get("detail", ""), f"it is named: {problem.get('detail')}")
        refused(400, "unknown_query_parameter", api.get, f"{path}?limit=5&Limit=5")
        check("data" in api.get(f"{path}?limit=5"), f"{path}?limit=5 is answered")
        refused(400, "repeated_query_parameter", api.get, f"{path}?limit=5&limit=6")
    for path in ("/v1/org", "/v1/me", "/health", "/ready"):
        refused(400, "unknown_query_parameter", api.get, f"{path}?limit=5")
        refused(400, "unknown_query_parameter", api.get, f"{path}?x")
    refused(400, "unknown_query_parameter", api.post, "/v1/lists?nmae=x", {"name": "x"})
    refused(400, "unknown_query_parameter", api.call, "POST", "/v1/imports?lsit=x", b"email\na@b.test\n", content_type="text/csv")
    refused(400, "unknown_query_parameter", Api(control.url).post, "/v1/auth/login?x=1", {"email": "a@b.test", "password": "x"})
    for bad in ("limit=%zz", "limit=%", "limit=5%00", "%ff=1", "&".join(f"a{i}=1" for i in range(40))):
        refused(400, None, api.get, f"/v1/lists?{bad}")
    check(api.get("/v1/contacts?%6cimit=5&status=subscribed")["data"] == [], "an escape in a name is decoded")


def an_idempotency_key_that_would_be_ignored_is_refused(api):
    key = {"Idempotency-Key": "k1"}
    for method, path, body in (("POST", "/v1/render", {"subject": "x"}), ("POST", "/v1/me/proof", {"password": "x"}),
                               ("PATCH", "/v1/org", {"name": "x"}), ("DELETE", "/v1/lists/lst_aaaaaaaaaaaaa", None), ("GET", "/v1/lists", None)):
        refused(400, "idempotency_not_supported", api.call, method, path, body, headers=key)
    check(api.get("/v1/org")["name"] == "requests", "nothing was changed")
    api.post("/v1/lists", {"name": "once"}, headers=key)
    api.post("/v1/lists", {"name": "once"}, headers=key)
    check(len(api.get("/v1/lists")["data"]) == 1, "where it is supported it works")


def without_a_credential_everything_is_401_first(control):
    anybody, wrong = Api(control.url), Api(control.url, "mk_live_" + "a" * 26 + "_" + "A" * 43)
    for who in (anybody, wrong):
        refused(401, None, who.call, "PATCH", "/v1/campaigns/cmp_aaaaaaaaaaaaa", {"name": "x"})
        refused(401, None, who.call, "POST", "/v1/lists", b"x", content_type="text/plain")
        refused(401, None, who.call, "POST", "/v1/lists", b"{", content_type="application/json")
        refused(401, None, who.get, "/v1/lists?statsu=1")
        refused(401, None, who.get, "/v1/lists?limit=%zz")
        refused(401, None, who.get, "/v1/domains/%00")
        refused(401, None, who.post, "/v1/keys", {}, headers={"Idempotency-Key": "x"})
        refused(401, None, who.post, "/v1/lists", {}, headers={"Idempotency-Key": "x" * 300})
        refused(401, None, who.call, "POST", "/v1/lists", b'{"name": "' + b"a" * (2 << 20) + b'"}')
    out, _ = raw(control, b"POST /v1/keys HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n")
    check(out.startswith(b"HTTP/1.1 401 "), f"a length past the bound, without a credential: {out[:40]}")


def paths_are_decoded_exactly_once(control, api):
    for address in ("per%cent@once.test", "a=b/c@once.test", "per%25cent@once.test", "plus+tag@once.test", "q?m#h@once.test", "a&b@once.test"):
        made = api.post("/v1/contacts", {"email": address})
        there = urllib.parse.quote(address, safe="")
        try:
            check(api.get(f"/v1/contacts/{there}")["id"] == made["id"], f"{address} is found by its path")
            check([c["id"] for c in api.get(f"/v1/contacts?email={there}")["data"]] == [made["id"]], f"{address} is found by the query")
            api.post("/v1/suppressions", {"email": address})
            check(api.get(f"/v1/suppressions/{there}")["email"] == address, f"{address} is found among the suppressions")
        except ApiError as e:
            check(False, f"{address}: {e}")
    out, _ = raw(control, f"GET /v1/%6cists HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {api.token}\r\n\r\n".encode())
    check(out.startswith(b"HTTP/1.1 200 "), f"an escaped letter of a path is the letter: {out[:40]}")
    refused(404, None, api.get, "/v1%2flists")
    refused(404, None, api.get, "/v1/contacts/per%2525cent@once.test%")


def names_of_fields_can_be_used_or_are_refused_with_the_reason(api):
    for name in ("date", "id", "message_id"):
        api.post("/v1/fields", {"name": name, "type": "text"})
        made = api.post("/v1/contacts", {"email": f"{name}@names.test", "fields": {name: "here"}})
        check(made["fields"] == {name: "here"}, f"a contact carries {name}: {made}")
        t = api.post("/v1/templates", {"name": f"with {name}", "subject": "s", "text": f"{{{{{name}}}}} {{{{unsubscribe_url}}}}"})
        shown = api.post("/v1/render", render_of(api, t["id"], made["id"]))
        check("here" in json.dumps(shown), f"a template shows {name}: {shown}")
    for name in ("status", "email", "first_name", "last_name", "unsubscribe_url"):
        problem = refused(422, "reserved_name", api.post, "/v1/fields", {"name": name, "type": "text"})
        check(problem["errors"][0]["pointer"] == "/name" and "choose another name" in problem["errors"][0]["detail"], f"{name}: {problem}")
    problem = refused(422, "reserved_name", api.post, "/v1/fields", {"name": "status", "type": "text"})
    check("wants mail" in problem["errors"][0]["detail"], f"status is refused with its own reason: {problem}")
    job = api.call("POST", "/v1/imports?mapping=" + urllib.parse.quote(json.dumps({"Date": "date", "ID": "fields.id"})),
                   b"Email,Date,ID\nrow@names.test,today,7\n", content_type="text/csv")
    wait_for(lambda: api.get(f"/v1/imports/{job['id']}")["status"] in ("done", "failed", "completed"))
    check(api.get("/v1/contacts/row@names.test")["fields"] == {"date": "today", "id": "7"}, "an import fills them")


def render_of(api, template, contact):
    """The members of /v1/render as its document names them."""
    body = api.get("/v1/openapi.json")["paths"]["/v1/render"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    names = body.get("properties") or {}
    return {("template" if "template" in names else "template_id"): template, ("contact" if "contact" in names else "contact_id"): contact}


def main():
    pg = Postgres(TMP)
    control = Control(TMP, os.environ["POSTERN_BUILD"], pg, types.SimpleNamespace(link=TMP / "no.link"),
                      options={"auth.burst": 1000, "auth.per_minute": 6000, "auth.password_memory": "8M"})
    pg.start()
    control.start()
    made = Api(control.url).post("/v1/auth/signup", {"organization": "requests", "email": "admin@requests.test", "password": PASSWORD})
    api = Api(control.url, made["token"])
    ambiguous_requests_are_refused_and_the_connection_closed(control)
    a_target_may_be_a_whole_url(control, api)
    a_body_is_json_only_if_it_says_so(api)
    a_query_parameter_that_is_not_known_is_refused_by_name(control, api)
    an_idempotency_key_that_would_be_ignored_is_refused(api)
    without_a_credential_everything_is_401_first(control)
    paths_are_decoded_exactly_once(control, api)
    names_of_fields_can_be_used_or_are_refused_with_the_reason(api)
    ended_well(control)
    pg.stop()
    result()
    sys.exit(1 if failures else 0)


main()
