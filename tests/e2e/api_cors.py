#!/usr/bin/python3
# timeout: 120
# sanitize: yes
"""Pages of other origins that call the API (CORS).  In a real browser: a page on another port reads with a key where the
key's organisation lists the page's origin, and is refused by the browser elsewhere.  Over plain HTTP: preflights, which
answers may be read by whom, the list of origins, and the operator's own."""
import http.client
import http.server
import os
import pathlib
import subprocess
import sys
import threading
import types
import urllib.parse

from checks import check, failures, refused, result, wait_for
from stack import Api, Control, Postgres

TMP = pathlib.Path(os.environ["POSTERN_TMP"])
PASSWORD = "correct horse battery"
PAGE = """<!doctype html><title>a page</title><body><script>
const [api, key] = location.hash.slice(1).split("|");
async function ask(name, path, more) {
  let said;
  try {
    const r = await fetch(api + path, {headers: {"X-Api-Key": key, ...more.headers}, ...more.init});
    said = r.status + " " + (r.headers.get("ETag") ? "etag" : "no-etag") + " " + (r.headers.get("X-Request-Id") ? "id" : "no-id");
  } catch (e) { said = "refused by the browser"; }
  const p = document.createElement("p");
  p.id = name;
  p.textContent = said;
  document.body.append(p);
}
(async () => {
  await ask("read", "/v1/org", {});
  await ask("change", "/v1/org", {headers: {"Content-Type": "application/json"}, init: {method: "PATCH", body: '{"footer": "from the page"}'}});
  await ask("missing", "/v1/lists/lst_aaaaaaaaaaaab", {});
  await ask("cookies", "/v1/org", {init: {credentials: "include"}});
})();
</script>"""


class Pages(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = PAGE.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def serve_pages():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"


def browse(page, url, key):
    """What the page says of each of its requests."""
    command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking",
               f"--user-data-dir={TMP}/browser", "--virtual-time-budget=8000", "--dump-dom", f"{page}/#{url}|{key}"]
    dom = subprocess.run(command, capture_output=True, text=True, timeout=90, check=False).stdout
    return dict(p.split('">', 1) for p in (part.split("</p>")[0] for part in dom.split('<p id="')[1:]))


def ask(url, method, path, origin=None, **headers):
    """(status, headers) of one request as it is."""
    place = urllib.parse.urlsplit(url)
    conn = http.client.HTTPConnection(place.hostname, place.port, timeout=10)
    conn.request(method, path, headers={**({"Origin": origin} if origin else {}), **headers})
    r = conn.getresponse()
    r.read()
    conn.close()
    return r.status, r.headers


def preflight(url, origin, path="/v1/org", method="PATCH"):
    return ask(url, "OPTIONS", path, origin, **{"Access-Control-Request-Method": method, "Access-Control-Request-Headers": "x-api-key"})


def cors(headers):
    return {k.lower(): v for k, v in headers.items() if k.lower().startswith("access-control-")}


def sign_up(control, name):
    api = Api(control.url, Api(control.url).post("/v1/auth/signup", {"organization": name, "email": f"admin@{name}.test", "password": PASSWORD})["token"])
    return api, api.post("/v1/keys", {"name": "page", "scopes": ["org.read", "org.write", "contacts.read"]})["key"]


def listed(control, origin):
    check(wait_for(lambda: preflight(control.url, origin)[0] == 204, 15), f"{origin} becomes known")


def unlisted(control, origin):
    check(wait_for(lambda: preflight(control.url, origin)[0] == 405, 15), f"{origin} is forgotten")


def the_list_is_held_to_its_form(api):
    check(api.get("/v1/org")["origins"] == [], "at first no origin is listed")
    for bad in ("*", "https://*.example.com", "https://example.com/", "http://example.com", "https://EXAMPLE.com", "https://example.com:443", "null", ""):
        e = refused(422, None, api.call, "PATCH", "/v1/org", {"origins": ["https://fine.example", bad]})
        check([x["pointer"] for x in e["errors"]] == ["/origins/1"] and e["errors"][0]["code"] == "invalid_origin", f"{bad!r} is refused by name")
    e = refused(422, None, api.call, "PATCH", "/v1/org", {"origins": [1, "https://a.example", "https://a.example"]})
    check([(x["pointer"], x["code"]) for x in e["errors"]] == [("/origins/0", "wrong_type"), ("/origins/2", "duplicate")], f"{e}")
    refused(422, None, api.call, "PATCH", "/v1/org", {"origins": [f"https://a{i}.example" for i in range(21)]})
    twenty = [f"https://a{i}.example" for i in range(20)]
    check(api.call("PATCH", "/v1/org", {"origins": twenty})["origins"] == twenty, "twenty are taken")
    check(api.call("PATCH", "/v1/org", {"name": "another name"})["origins"] == twenty, "another change leaves them")
    tag = api.headers["ETag"]
    api.call("PATCH", "/v1/org", {"origins": twenty})
    check(api.headers["ETag"] == tag, "the same list changes nothing")
    check(api.call("PATCH", "/v1/org", {"origins": None})["origins"] == [], "null takes them away")
    lines = [line["detail"].get("origins", "") for line in api.get("/v1/audit?limit=50")["data"] if line["action"] == "org.changed"]
    check(twenty in lines and None in lines, "the audit says which")
    viewer = Api(api.url, api.post("/v1/keys", {"name": "reader", "scopes": ["org.read"]})["key"])
    refused(403, "missing_permission", viewer.call, "PATCH", "/v1/org", {"origins": []})


def preflights(control, origin):
    status, headers = preflight(control.url, origin)
    said = cors(headers)
    check(status == 204 and said["access-control-allow-origin"] == origin and headers["Vary"] == "Origin", f"a listed origin's preflight: {status} {said}")
    check(said["access-control-allow-methods"] == "GET, PATCH" and "X-Api-Key" in said["access-control-allow-headers"], f"it names what the path takes: {said}")
    check("access-control-allow-credentials" not in said and "*" not in str(said), f"no cookies, no wildcard: {said}")
    for other in ("http://127.0.0.1:1", origin + "/", origin.upper(), origin + "0", "null", "*", "https://" + "a" * 4000 + ".example"):
        status, headers = preflight(control.url, other)
        check(status == 405 and cors(headers) == {}, f"{other[:40]}: {status} {cors(headers)}")
    status, headers = ask(control.url, "OPTIONSX", "/v1/org", origin, **{"Access-Control-Request-Method": "GET"})
    check(status == 405 and cors(headers) == {}, f"a method that only begins so: {status} {cors(headers)}")
    status, headers = preflight(control.url, origin, "/v1/nothing")
    check(status == 404 and cors(headers) == {}, f"of a path that is not there: {status}")
    status, headers = ask(control.url, "OPTIONS", "/v1/org", origin)
    check(status == 405 and cors(headers) == {}, f"OPTIONS that is no preflight: {status}")
    status, headers = preflight(control.public, origin, "/healthz", "GET")
    check(status in (404, 405) and cors(headers) == {}, f"not on the pages for recipients: {status}")


def who_may_read(control, origin, key, other_key, session):
    status, headers = ask(control.url, "GET", "/v1/org", origin, **{"X-Api-Key": key})
    said = cors(headers)
    check(status == 200 and said["access-control-allow-origin"] == origin and headers["Vary"] == "Origin", f"the organisation's own key: {status} {said}")
    exposed = set(said["access-control-expose-headers"].split(", "))
    check({"ETag", "Location", "RateLimit", "Retry-After", "X-Request-Id"} <= exposed and "access-control-allow-credentials" not in said, f"{said}")
    for what, given, sent in (("another organisation's key", {"X-Api-Key": other_key}, origin), ("another origin", {"X-Api-Key": key}, "https://evil.example"),
                              ("no Origin", {"X-Api-Key": key}, None), ("no credential", {}, origin), ("a wrong key", {"X-Api-Key": key[:-3] + "aaa"}, origin),
                              ("a cookie", {"Cookie": f"postern_session={session}"}, origin)):
        status, headers = ask(control.url, "GET", "/v1/org", sent, **given)
        check(cors(headers) == {} and status == (401 if what in ("no credential", "a wrong key") else 200), f"{what}: {status} {cors(headers)}")
    status, headers = ask(control.url, "PATCH", "/v1/org", origin, Cookie=f"postern_session={session}")
    check(status == 403 and cors(headers) == {}, f"a change with a cookie from there stays refused: {status}")
    status, headers = ask(control.url, "POST", "/v1/lists", origin, **{"X-Api-Key": key})
    check(status == 403 and cors(headers)["access-control-allow-origin"] == origin, f"a refusal of the caller can be read: {status} {cors(headers)}")


def in_a_browser(control, page, other_page, key, other_key):
    said = browse(page, control.url, key)
    check(said == {"read": "200 etag id", "change": "200 etag id", "missing": "404 no-etag id", "cookies": "refused by the browser"}, f"the listed page: {said}")
    check(Api(control.url, key).get("/v1/org")["footer"] == "from the page", "what the page changed is changed")
    nothing = dict.fromkeys(("read", "change", "missing", "cookies"), "refused by the browser")
    said = browse(other_page, control.url, key)
    check(said == nothing, f"another page with the same key: {said}")
    said = browse(page, control.url, other_key)
    check(said == nothing, f"the listed page with another organisation's key: {said}")


def the_operators_own(control, postgres):
    ours = "https://console.example"
    control.stop()
    control.options["api.origins"] = f"{ours}, http://localhost:3000"
    control.start()
    status, headers = preflight(control.url, ours, "/v1/auth/login", "POST")
    check(status == 204 and cors(headers)["access-control-allow-origin"] == ours, f"the operator's origin is answered at once: {status}")
    status, headers = ask(control.url, "GET", "/v1/org", ours)
    check(status == 401 and cors(headers)["access-control-allow-origin"] == ours, f"it may read every answer: {status} {cors(headers)}")
    control.stop()
    control.options["api.origins"] = "https://console.example/"
    control.conf.write_text("".join(f"{k} = {v}\n" for k, v in control.options.items()))
    r = subprocess.run([str(control.build / "control/postern-control"), "-c", str(control.conf)], capture_output=True, text=True, timeout=20, check=False)
    check(r.returncode != 0 and "api.origins" in r.stderr, f"an origin with a path is refused at the start: {r.stderr.strip()}")


def main():
    postgres = Postgres(TMP)
    control = Control(TMP, pathlib.Path(os.environ["POSTERN_BUILD"]), postgres, types.SimpleNamespace(link=str(TMP / "nobody.sock")))
    postgres.start()
    control.start()
    page, other_page = serve_pages(), serve_pages()
    api, key = sign_up(control, "pages")
    _, other_key = sign_up(control, "others")
    the_list_is_held_to_its_form(api)
    check(preflight(control.url, page)[0] == 405, "nobody lists it yet")
    api.call("PATCH", "/v1/org", {"origins": [page, "https://app.example"]})
    listed(control, page)
    preflights(control, page)
    who_may_read(control, page, key, other_key, api.token)
    in_a_browser(control, page, other_page, key, other_key)
    api.call("PATCH", "/v1/org", {"origins": ["https://app.example"]})
    unlisted(control, page)
    check(cors(ask(control.url, "GET", "/v1/org", page, **{"X-Api-Key": key})[1]) == {}, "an origin that was taken off may not read any more")
    the_operators_own(control, postgres)
    postgres.stop()
    result()
    return 1 if failures else 0


sys.exit(main())
