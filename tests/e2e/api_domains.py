#!/usr/bin/python3
# timeout: 240
# sanitize: yes
"""A sending domain from adding to removing, with a real name server: nothing counts before DNS says so, each record is
judged by itself, and the engine's orders follow what is committed."""
import os
import pathlib
import sys
import types

from checks import check, ended_well, failures, result
from stack import Api, ApiError, Control, Failure, Nameserver, Postgres, wait_until

TMP = pathlib.Path(os.environ["POSTERN_TMP"])


PLATFORM = ['spf TXT "v=spf1 ip4:192.0.2.16/28 -all"', 'long TXT "v=spf1 ip4:192.0.2.1 include:spf.platform.test -all"']


def lines(records, leave=(), change=None):
    out = []
    for r in records:
        if r["kind"] in leave:
            continue
        value = (change or {}).get(r["kind"], r["value"])
        if r["type"] == "TXT":
            value = " ".join(f'"{value[i:i + 250]}"' for i in range(0, len(value), 250))
        elif r["type"] == "MX":
            value = f"{r['priority']} {value}."
        else:
            value += "."
        out.append(f"{r['name']}. {r['type']} {value}")
    return out


def states(reply):
    return {r["kind"]: r["state"] for r in reply["records"]}


def orders(pg):
    return pg.psql("SELECT kind, name, length(value) > 0, seal_id FROM engine_outbox ORDER BY seq", "postern").splitlines()


def sign_up(control, name):
    made = Api(control.url).post("/v1/auth/signup", {"organization": name, "email": f"a@{name}.test", "password": "correct horse battery"})
    return Api(control.url, made["token"])


def a_domain_is_verified_by_dns_alone(control, dns, pg, api):
    domain = api.post("/v1/domains", {"name": "Mail.Sender.test", "return_path": "bounce", "tracking": "go"})
    path = f"/v1/domains/{domain['id']}"
    check(domain["name"] == "mail.sender.test" and domain["status"] == "pending", "a new domain is pending, its name in lower case")
    records = api.get(path + "/records")["records"]
    check([r["kind"] for r in records] == ["ownership", "dkim-rsa", "dkim-ed25519", "spf", "dmarc", "return-path", "tracking"],
          f"the records asked for: {[r['kind'] for r in records]}")
    check(set(states(api.post(path + "/verify")).values()) == {"missing"}, "an empty zone has none of them")
    check(orders(pg) == [], "no key goes to the engine before the domain is verified")

    dns.publish("sender.test", lines(records, leave=("ownership",)))
    reply = api.post(path + "/verify")
    check(reply["status"] == "pending" and states(reply)["dkim-rsa"] == "ok" and states(reply)["ownership"] == "missing",
          f"right keys without ownership do not verify: {states(reply)}")
    rsa = next(r["value"] for r in records if r["kind"] == "dkim-rsa")
    at = rsa.index("p=") + 40
    wrong = rsa[:at] + ("A" if rsa[at] != "A" else "B") + rsa[at + 1:]
    dns.publish("sender.test", lines(records, change={"dkim-rsa": wrong}))
    reply = api.post(path + "/verify")
    check(reply["status"] == "pending" and states(reply)["dkim-rsa"] == "wrong", f"another key does not verify: {states(reply)}")
    check(next(r for r in reply["records"] if r["kind"] == "dkim-rsa")["seen"] == wrong, "what was seen is shown")
    check(orders(pg) == [], "still no key goes to the engine")

    dns.publish("sender.test", lines(records, leave=("spf", "tracking"), change={"dmarc": "v=DMARC1; p=reject"}))
    reply = api.post(path + "/verify")
    check(reply["status"] == "verified" and reply["verified_at"], "ownership and both keys verify")
    check(states(reply)["spf"] == "missing" and states(reply)["dmarc"] == "ok", f"the others are only advised: {states(reply)}")
    got = orders(pg)
    check([o.rsplit("|", 1)[0] for o in got] == [f"1|mail.sender.test {k['selector']}|t" for k in reply["keys"]] and all(o.endswith("|1") for o in got),
          f"both keys go to the engine, sealed: {got}")
    check(b"PRIVATE" not in pg.psql("SELECT string_agg(encode(value, 'escape'), '') FROM engine_outbox", "postern").encode(), "no private key stands in the clear")
    check(b"PRIVATE" not in pg.psql("SELECT string_agg(encode(private, 'escape'), '') FROM dkim_keys", "postern").encode(), "nor among the keys")
    api.post(path + "/verify")
    check(orders(pg) == got, "verifying again orders nothing new")
    return path, records, got


def another_organisation_cannot_take_it(control, dns, api, records):
    domain = api.post("/v1/domains", {"name": "mail.sender.test"})
    theirs = api.get(f"/v1/domains/{domain['id']}/records")["records"]
    check(not {r["value"] for r in theirs if r["required"]} & {r["value"] for r in records if r["required"]}, "its proof and keys are its own")
    own = [r for r in theirs if r["kind"] == "ownership"]
    dns.publish("sender.test", lines(records + own))
    reply = api.post(f"/v1/domains/{domain['id']}/verify")
    check(reply["status"] == "pending" and states(reply)["ownership"] == "ok" and states(reply)["dkim-rsa"] != "ok", f"{reply['status']} {states(reply)}")
    # the owner publishes both sets: the name is still verified once
    renamed = [dict(r, name=r["name"]) for r in theirs]
    keys = [r for r in renamed if r["kind"].startswith("dkim")]
    dns.publish("sender.test", lines([r for r in records if not r["kind"].startswith("dkim")] + own + keys))
    try:
        api.post(f"/v1/domains/{domain['id']}/verify")
        check(False, "a name is verified for one organisation at a time")
    except ApiError as e:
        check(e.status == 409 and e.body["code"] == "domain_taken", f"a name verified elsewhere: {e.status} {e.body}")
    check(api.get(f"/v1/domains/{domain['id']}")["status"] == "pending", "and stays pending here")


def silence_proves_nothing(control, dns, api, path, records):
    dns.stop()
    reply = api.post(path + "/verify")
    check(reply["status"] == "verified" and states(reply)["ownership"] == "no_answer", f"a silent server takes nothing away: {reply['status']}")
    dns.start({"sender.test": lines(records, leave=("dkim-ed25519",)), "platform.test": PLATFORM, "test": []})
    reply = api.post(path + "/verify")
    check(reply["status"] == "degraded" and states(reply)["dkim-ed25519"] == "missing", f"a key that is gone degrades: {reply['status']}")
    dns.publish("sender.test", lines(records))
    reply = api.post(path + "/verify")
    check(reply["status"] == "verified" and set(states(reply).values()) == {"ok"}, f"all published: {states(reply)}")


def judged_as_verifiers_would(dns, api, path, records):
    """What decides is evaluated over DNS, and said."""
    def spf(text):
        return [dict(r, value=text) if r["kind"] == "spf" else r for r in records]

    def check_record(kind, published, state, why):
        dns.publish("sender.test", lines(published))
        got = next(r for r in api.post(path + "/verify")["records"] if r["kind"] == kind)
        check(got["state"] == state and why in (got["why"] or ""), f"{kind} is {state} by {why}: {got}")

    check_record("spf", spf("v=spf1 include:long.platform.test ~all"), "ok", "include:long.platform.test, there ip4:192.0.2.1 of long.platform.test")
    check_record("spf", spf("v=spf1 ip4:192.0.2.0/27 -all"), "ok", "192.0.2.16/28: pass, ip4:192.0.2.0/27 of bounce.mail.sender.test")
    check_record("spf", spf("v=spf1 redirect=long.platform.test"), "ok", "ip4:192.0.2.16/28 of spf.platform.test")
    check_record("spf", spf("v=spf1 ip4:192.0.2.16/28 -all ip4:192.0.2.1"), "wrong", "192.0.2.1: fail, -all of bounce.mail.sender.test")
    check_record("spf", spf("v=spf1" + " a:mail.sender.test" * 3 + " ip4:192.0.2.0/24 -all"), "wrong", "more than 2 terms find nothing")
    check_record("spf", spf("v=spf1" + " include:bounce.mail.sender.test -all"), "wrong", "more than 10 terms ask DNS")
    check_record("spf", spf("v=spf1 ip4:192.0.2.0/24 include:elsewhere.invalid -all"), "ok", "ip4:192.0.2.0/24")
    rest = [r for r in records if r["kind"] != "dmarc"]
    dmarc = next(r for r in records if r["kind"] == "dmarc")
    check_record("dmarc", rest + [dict(dmarc, value="v=DMARC1; p=quarantene; rua=mailto:a@sender.test")], "wrong", "(quarantine?); verifiers treat it as p=none")
    check_record("dmarc", rest + [dict(dmarc, value="v=dmarc1; p=none")], "missing", "does not begin with v=DMARC1")
    check_record("dmarc", rest + [dict(dmarc, name="_dmarc.sender.test", value="v = DMARC1 ; p = reject ; sp = none")], "ok",
                 "found at _dmarc.sender.test: sp=none counts")
    kept = next(r for r in api.get(path + "/records")["records"] if r["kind"] == "dmarc")
    check(kept["seen"] == "v = DMARC1 ; p = reject ; sp = none" and "sp=none counts" in kept["why"], f"what decided is kept: {kept}")
    check_record("dkim-rsa", [dict(r, value=r["value"].replace("v=DKIM1;", "v=DKIM1; h=sha1;")) if r["kind"] == "dkim-rsa" else r for r in records],
                 "wrong", "h=")
    dns.publish("sender.test", lines(records))
    check(api.post(path + "/verify")["status"] == "verified", "and all is well again")


def looked_at_again(control, dns, pg, api, path, records):
    """Without anybody asking: a key that went from DNS is noticed, and its return too."""
    for leave, want in (("dkim-rsa",), "degraded"), ((), "verified"):
        dns.publish("sender.test", lines(records, leave=leave))
        pg.psql("UPDATE domains SET checked_at = now() - interval '7 hours' WHERE status <> 1", "postern")
        try:
            wait_until("a domain to be checked again", lambda: api.get(path)["status"] == want, 20, 0.2)
            check(True, want)
        except Failure:
            check(False, f"a domain is looked at again and found {want}: {api.get(path)['status']}")
    check(any(a["action"] == "domain.degraded" and a["actor"] == "platform" for a in api.get("/v1/audit?limit=200")["data"]), "the audit says so")


def removing_takes_the_keys_back(pg, api, path, before):
    now = len(orders(pg))
    api.call("DELETE", path)
    gone = orders(pg)[now:]
    check(sorted(o.split("|")[1] for o in gone) == sorted(o.split("|")[1] for o in before) and all(o.split("|")[2] == "f" for o in gone),
          f"its keys are taken from the engine: {gone}")
    check(pg.psql("SELECT count(*) FROM dkim_keys WHERE org_id = 1", "postern") == "0", "and from the database")


def wrong_names(api):
    for name in ("", "localhost", "-a.test", "a..test", "a b.test", "192.0.2.1", "[192.0.2.1]", "x" * 64 + ".test", "a.test\n"):
        try:
            api.post("/v1/domains", {"name": name})
            check(False, f"the name {name!r} is taken")
        except ApiError as e:
            check(e.status == 422, f"the name {name!r}: {e.status}")
    idn = api.post("/v1/domains", {"name": "Bücher.test"})
    check(idn["name"] == "xn--bcher-kva.test", f"an international name is kept as A-labels: {idn['name']}")
    check(api.get("/v1/domains/b%C3%BCcher.test")["id"] == idn["id"], "and found by either form")


def main():
    pg, dns = Postgres(TMP), Nameserver(TMP)
    pg.start()
    dns.start({"sender.test": [], "platform.test": PLATFORM, "test": []})
    control = Control(TMP, os.environ["POSTERN_BUILD"], pg, types.SimpleNamespace(link=TMP / "no-engine.sock"),
                      options={"auth.burst": 1000, "auth.password_memory": "8M", "dns.servers": f"{dns.address}:{dns.port}", "dns.timeout": "1s",
                               "domains.spf": "include:spf.platform.test ip4:192.0.2.1", "domains.return_path_host": "bounces.platform.test",
                               "domains.tracking_host": "links.platform.test"})
    try:
        control.start()
        api, other = sign_up(control, "first"), sign_up(control, "second")
        path, records, before = a_domain_is_verified_by_dns_alone(control, dns, pg, api)
        another_organisation_cannot_take_it(control, dns, other, records)
        dns.publish("sender.test", lines(records))
        silence_proves_nothing(control, dns, api, path, records)
        judged_as_verifiers_would(dns, api, path, records)
        looked_at_again(control, dns, pg, api, path, records)
        removing_takes_the_keys_back(pg, api, path, before)
        wrong_names(api)
        ended_well(control)
        result()
    finally:
        control.stop()
        dns.stop()
        pg.stop()
    return 1 if failures else 0


sys.exit(main())
