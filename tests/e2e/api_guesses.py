#!/usr/bin/python3
# timeout: 120
# sanitize: yes
"""Guessing and flooding, against the real daemon: an account is guessed at a few times whatever addresses the guesses come from, and
its person is let in where they were before or by a reset; passwords that are tried first are refused; sign-ups, resets,
invitations, wrong credentials and requests have their bounds, and callers are told of them."""
import concurrent.futures
import contextlib
import http.client
import json
import os
import pathlib
import re
import sys
import types

from checks import check, ended_well, failures, refused, result
from stack import Api, ApiError, Control, Postgres

TMP = pathlib.Path(os.environ["POSTERN_TMP"])
PASSWORD = "correct horse battery"
PLATFORM = "platform-token-for-tests-0123456789"


class At(Api):
    """A client at an address: the proxy, whom the daemon trusts, says so."""

    def __init__(self, url, address, token=None):
        super().__init__(url, token)
        self.address = address

    def call(self, method, path, body=None, headers=None, **kw):
        return super().call(method, path, body, headers={"X-Forwarded-For": self.address, **(headers or {})}, **kw)


def log_in(control, address, email, password):
    """The status."""
    try:
        At(control.url, address).post("/v1/auth/login", {"email": email, "password": password})
        return 200
    except ApiError as e:
        return e.status


def sign_up(control, name, address, email=None):
    return At(control.url, address).post("/v1/auth/signup", {"organization": name, "email": email or f"admin@{name}.test", "password": PASSWORD})


def guesses_from_many_addresses_count_together_and_keep_nobody_out(control):
    made = sign_up(control, "many", "192.0.2.1")
    sign_up(control, "others", "192.0.2.2")
    for who in ("admin@many.test", "nobody@many.test"):
        statuses = [log_in(control, f"198.51.100.{i}", who, f"a wrong guess {i}") for i in range(60)]
        check(statuses == [401] * 10 + [429] * 50, f"60 guesses at {who} from 60 addresses: {statuses}")
    check(log_in(control, "198.51.100.99", "admin@many.test", PASSWORD) == 429, "then the right one from a strange address waits too")
    check(log_in(control, "198.51.100.99", "Admin@Many.test", PASSWORD) == 429, "in any letter case")
    check(log_in(control, "192.0.2.1", "admin@many.test", PASSWORD) == 200, "where the person was before they are let in")
    check(log_in(control, "198.51.100.99", "admin@others.test", PASSWORD) == 200, "other accounts are not touched")
    # a place that is known has a bound of its own
    statuses = [log_in(control, "192.0.2.1", "admin@many.test", f"a wrong guess {i}") for i in range(20)]
    check(statuses == [401] * 10 + [429] * 10, f"guesses from the known place: {statuses}")
    # a reset lets in, and makes this place the known one
    api = At(control.url, "192.0.2.1", made["token"])
    token = api.post(f"/v1/members/{made['user']['id']}/reset")["token"]
    At(control.url, "203.0.113.5").post("/v1/auth/verify", {"token": token, "password": "another long one"})
    check(log_in(control, "203.0.113.6", "admin@many.test", "another long one") == 200, "a reset lifts the throttle")
    check(log_in(control, "203.0.113.5", "admin@many.test", "another long one") == 200, "and the place of the reset is known")


def right_passwords_use_nothing_up(control):
    sign_up(control, "right", "192.0.2.10")
    statuses = {log_in(control, f"198.51.100.{i}", "admin@right.test", PASSWORD) for i in range(30)}
    check(statuses == {200}, f"30 right ones from 30 addresses: {statuses}")


def a_network_of_ipv6_is_one_place(control):
    sign_up(control, "six", "2001:db8:1:2::1")
    for i in range(12):
        log_in(control, f"2001:db8:{i + 16:x}::1", "admin@six.test", "a wrong guess")
    check(log_in(control, "2001:db8:99::1", "admin@six.test", PASSWORD) == 429, "another /64 waits")
    check(log_in(control, "2001:db8:1:2:ffff::9", "admin@six.test", PASSWORD) == 200, "the same /64 is the known place")


def the_last_line_of_a_proxy_counts_whatever_the_client_sent(control):
    """Each with another address of its own making above the line that the proxy adds."""
    sign_up(control, "lines", "192.0.2.77")
    port = int(control.url.rsplit(":", 1)[1])
    statuses = []
    for i in range(14):
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as c:
            body = json.dumps({"email": "admin@lines.test", "password": "wrong wrong wrong"})
            c.putrequest("POST", "/v1/auth/login")
            for name, value in (("Content-Type", "application/json"), ("Content-Length", len(body)), ("X-Forwarded-For", f"198.51.100.{i}, 192.0.2.77"),
                                ("X-Forwarded-For", ("203.0.113.9", "203.0.113.9:4711", "203.0.113.9 ")[i % 3])):
                c.putheader(name, value)
            c.endheaders(body.encode())
            statuses.append(c.getresponse().status)
    check(statuses == [401] * 10 + [429] * 4, f"they are guesses from one place: {statuses}")
    check(log_in(control, "192.0.2.77", "admin@lines.test", PASSWORD) == 200, "and not from the place that they claim: that one is known")


def guesses_at_once_count_as_one_after_the_other(control):
    sign_up(control, "atonce", "192.0.2.20")
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda i: log_in(control, f"198.51.100.{i}", "admin@atonce.test", "a wrong guess"), range(40)))
    check(statuses.count(401) == 10 and statuses.count(429) == 30, f"40 at once: {statuses.count(401)} were looked at")


def an_account_of_the_same_address_elsewhere_opens_no_door(control):
    """Anybody may sign up with any address: that makes the place known for the new account only."""
    sign_up(control, "victim", "192.0.2.30")
    sign_up(control, "thief", "198.51.100.30", "admin@victim.test")
    statuses = []
    for i in range(24):
        log_in(control, "198.51.100.30", "admin@victim.test", PASSWORD)  # both have it: 409
        statuses.append(log_in(control, "198.51.100.30", "admin@victim.test", f"a wrong guess {i}"))
    check(statuses.count(401) <= 20 and statuses[-1] == 429, f"guesses beside right ones: {statuses}")


def failures_that_rise_are_told(control, pg):
    """An account whose tries are used up; many failures at many accounts of one organisation; each once."""
    def alarms(name):
        return pg.psql("SELECT (a.detail->>'why') || ' ' || (a.detail->>'failures') FROM audit a JOIN orgs USING (org_id)"
                       f" WHERE name = '{name}' AND action = 'login.alarm'", "postern").splitlines()
    made = sign_up(control, "spray", "192.0.2.35")
    api = At(control.url, "192.0.2.35", made["token"])
    for i in range(6):
        token = api.post("/v1/members", {"email": f"m{i}@spray.test", "role": "viewer"})["token"]
        At(control.url, "192.0.2.36").post("/v1/auth/verify", {"token": token, "password": PASSWORD})
    for i in range(24):
        check(log_in(control, f"198.51.100.{i}", f"m{i % 6}@spray.test", "a wrong guess") == 401, "a failure")
    check(alarms("spray") == [], f"24 failures are not told: {alarms('spray')}")
    for i in range(5):
        log_in(control, "198.51.100.90", f"m{i}@spray.test", "a wrong guess")
    check(alarms("spray") == ["password 25"], f"they are told when they rise, once: {alarms('spray')}")
    check(len(alarms("many")) == 1 and alarms("many")[0].startswith("throttled"), f"tries that are used up are told, once: {alarms('many')}")
    check("auth.alarm" in control.log.read_text(errors="replace"), "the log has it")
    text = Api(control.url).call("GET", "/metrics", raw=True).decode()
    counted = {k: int(v) for k, v in re.findall(r'^postern_auth_failures_total{kind="(\w+)"} (\d+)$', text, re.M)}
    check(counted["password"] >= 26 and counted["throttled"] >= 100 and re.search(r"^postern_auth_alarms_total [1-9]", text, re.M), f"and monitoring: {counted}")
    # a guess at nobody writes as much as one at somebody
    nobody = "SELECT coalesce(sum(failures), 0) FROM login_strangers"
    before = int(pg.psql(nobody, "postern"))
    log_in(control, "198.51.100.92", "no.such@spray.test", "a wrong guess")
    check(int(pg.psql(nobody, "postern")) == before + 1, "a guess at nobody is written too")


def passwords_that_are_tried_first_are_refused(control):
    anybody = At(control.url, "192.0.2.40")
    for i, bad in enumerate(("1234567890", "Password123!", "qwertyuiop", "admin@common", "Commonplace1", "0987654321")):
        problem = refused(422, "common_password", anybody.post, "/v1/auth/signup",
                          {"organization": "Commonplace", "email": "admin@common.test", "password": bad})
        check([e["pointer"] for e in problem.get("errors", [])] == ["/password"], f"{bad}: {problem}")
    made = sign_up(control, "common", "192.0.2.40")
    api = At(control.url, "192.0.2.40", made["token"])
    refused(422, "common_password", api.call, "PATCH", "/v1/me", {"password": "1234567890", "current_password": PASSWORD})
    invited = api.post("/v1/members", {"email": "hieronymus@common.test", "role": "viewer"})
    for bad in ("iloveyou123", "hieronymus1"):
        refused(422, "common_password", anybody.post, "/v1/auth/verify", {"token": invited["token"], "password": bad})
    anybody.post("/v1/auth/verify", {"token": invited["token"], "password": PASSWORD})
    boss = Api("http://127.0.0.1:8082", PLATFORM)
    problem = refused(422, "common_password", boss.post, "/v1/admin/orgs",
                      {"name": "held", "admin_email": "a@held.test", "admin_password": "1234567890"})
    check([e["pointer"] for e in problem.get("errors", [])] == ["/admin_password"], f"the platform too: {problem}")


def headers_of(run):
    """Status and headers of a refusal."""
    import urllib.error
    import urllib.request
    try:
        with urllib.request.urlopen(run) as r:
            return r.status, r.headers
    except urllib.error.HTTPError as e:
        return e.code, e.headers


def request_of(control, path, token, address):
    import urllib.request
    return urllib.request.Request(control.url + path, headers={"Authorization": f"Bearer {token}", "X-Forwarded-For": address})


def what_is_not_a_login_is_bounded_too(control):
    made = sign_up(control, "bounds", "192.0.2.50")
    api = At(control.url, "192.0.2.50", made["token"])
    statuses = []
    for i in range(8):
        try:
            sign_up(control, f"flood{i}", "192.0.2.60")
            statuses.append(201)
        except ApiError as e:
            statuses.append(e.status)
    check(statuses == [201] * 6 + [429] * 2, f"sign-ups from an address: {statuses}")
    statuses = []
    for i in range(12):
        try:
            At(control.url, f"198.51.100.{i}").post("/v1/auth/password-reset", {"email": "admin@bounds.test"})
            statuses.append(202)
        except ApiError as e:
            statuses.append(e.status)
    check(statuses == [202] * 10 + [429] * 2, f"resets of an account from many addresses: {statuses}")
    statuses = []
    for i in range(12):
        try:
            statuses.append(api.post("/v1/members", {"email": f"m{i}@bounds.test", "role": "viewer"}) and 201)
        except ApiError as e:
            statuses.append(e.status)
    check(statuses == [201] * 10 + [429] * 2, f"invitations: {statuses}")
    refused(429, "too_many_requests", api.post, f"/v1/members/{made['user']['id']}/reset")


def wrong_credentials_are_bounded_and_right_ones_go_on(control):
    made = sign_up(control, "creds", "192.0.2.70")
    wrong = "mk_live_" + "a" * 26 + "_" + "A" * 43
    statuses = [headers_of(request_of(control, "/v1/org", wrong, "192.0.2.71"))[0] for _ in range(25)]
    check(statuses == [401] * 20 + [429] * 5, f"wrong keys from one address: {statuses}")
    status, headers = headers_of(request_of(control, "/v1/org", wrong, "192.0.2.71"))
    check(status == 429 and int(headers["Retry-After"]) >= 1, f"with Retry-After: {status} {headers['Retry-After']}")
    check(headers_of(request_of(control, "/v1/org", made["token"], "192.0.2.71"))[0] == 200, "the right session at the same address goes on")
    check(headers_of(request_of(control, "/v1/org", wrong, "192.0.2.72"))[0] == 401, "other addresses are not touched")


def requests_are_bounded_by_caller_and_by_address_and_callers_are_told(control):
    made = sign_up(control, "rates", "192.0.2.80")
    api = At(control.url, "192.0.2.80", made["token"])
    keys = [api.post("/v1/keys", {"name": f"k{i}", "scopes": ["org.read", "templates.read"]})["key"] for i in range(4)]
    seen = [headers_of(request_of(control, "/v1/org", keys[0], f"192.0.2.{100 + i}")) for i in range(70)]
    statuses = [s for s, _ in seen]
    check(statuses[:60] == [200] * 60 and statuses[-1] == 429, f"requests of one key from many addresses: {statuses}")
    policy, rate = seen[0][1]["RateLimit-Policy"], seen[0][1]["RateLimit"]
    check(re.fullmatch(r'"caller";q=60;w=\d+', policy or "") and re.fullmatch(r'"caller";r=59;t=\d+', rate or ""), f"told: {policy} {rate}")
    last = seen[-1][1]
    check(re.fullmatch(r'"caller";r=0;t=\d+', last["RateLimit"] or "") and int(last["Retry-After"]) >= 1, f"told at the end: {last['RateLimit']}")
    check(headers_of(request_of(control, "/v1/org", keys[1], "192.0.2.80"))[0] == 200, "another key goes on")
    # what is costly counts for 20
    costly = Api(control.url, keys[2])
    statuses = []
    for _ in range(4):
        try:
            costly.post("/v1/render", {"x": 1})
        except ApiError as e:
            statuses.append(e.status)
    check(statuses[:3] == [422] * 3 and statuses[3] == 429, f"costly ones: {statuses}")
    statuses = [headers_of(request_of(control, "/v1/org", k, "192.0.2.90"))[0] for k in (keys[1], keys[3]) * 70]
    check(statuses[0] == 200 and 429 in statuses, f"one address with several keys: {statuses}")
    check(Api(control.url).get("/health")["status"] == "ok", "health is not counted")


def main():
    pg = Postgres(TMP)
    pg.start()
    (TMP / "token").write_text(PLATFORM + "\n")
    options = {"auth.burst": 1000, "auth.per_minute": 6000, "auth.password_memory": "8M", "http.trusted_proxies": "127.0.0.1/32",
               "http.admin.listen": "127.0.0.1:8082", "http.admin.token_file": TMP / "token", "auth.alarm_failures": 25, "auth.account_burst": 10, "auth.account_per_hour": 1,
               "auth.invites_per_hour": 10, "signup.per_hour": 6, "auth.wrong_burst": 20, "auth.wrong_per_minute": 1}
    control = Control(TMP, os.environ["POSTERN_BUILD"], pg, types.SimpleNamespace(link=TMP / "no-engine.sock"), options=options)
    try:
        control.start()
        guesses_from_many_addresses_count_together_and_keep_nobody_out(control)
        right_passwords_use_nothing_up(control)
        a_network_of_ipv6_is_one_place(control)
        the_last_line_of_a_proxy_counts_whatever_the_client_sent(control)
        guesses_at_once_count_as_one_after_the_other(control)
        an_account_of_the_same_address_elsewhere_opens_no_door(control)
        failures_that_rise_are_told(control, pg)
        passwords_that_are_tried_first_are_refused(control)
        what_is_not_a_login_is_bounded_too(control)
        wrong_credentials_are_bounded_and_right_ones_go_on(control)
        control.stop()
        control.options.update({"api.burst": 60, "api.per_minute": 1, "api.address_burst": 100, "api.address_per_minute": 1})
        control.start()
        requests_are_bounded_by_caller_and_by_address_and_callers_are_told(control)
        ended_well(control)
        result()
    finally:
        control.stop()
        pg.stop()
    return 1 if failures else 0


sys.exit(main())
