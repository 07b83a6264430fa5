#!/usr/bin/python3
# timeout: 240
# sanitize: yes
"""Idempotency-Key: every POST of schema/openapi.yaml that takes it answers the same again and acts once: in turn, in a race, when the
daemon is killed with SIGKILL between, and after the database's crash.  Those that do not take it refuse it.  What an answer
shows once is not in the table in clear."""
import json
import os
import pathlib
import random
import sys
import threading
import time
import types

from checks import check, ended_well, failures, refused, result
from operations import operations
from stack import Api, ApiError, Control, Failure, Postgres, wait_until

TMP = pathlib.Path(os.environ["POSTERN_TMP"])
PASSWORD = "correct horse battery"
ROUNDS = 10
ROUNDS_MOST = 60  # until a kill came in time


def send(api, method, path, body, key, kind="application/json"):
    """Status, whether it is a replay, and the answer."""
    api = Api(api.url, api.token)
    try:
        text = api.call(method, path, body, headers={"Idempotency-Key": key, "If-Match": "*"}, content_type=kind, raw=True)
        return 200, api.headers.get("Idempotency-Replayed") == "true", json.loads(text) if text else None
    except ApiError as e:
        return e.status, (e.headers or {}).get("Idempotency-Replayed") == "true", e.body


def populate(owner):
    ids = {"list_id": owner.post("/v1/lists", {"name": "A"})["id"],
           "template_id": owner.post("/v1/templates", {"name": "T", "subject": "S", "text": "x"})["id"],
           "contact_id": owner.post("/v1/contacts", {"email": "who@example.test"})["id"],
           "campaign_id": owner.post("/v1/campaigns", {"name": "C"})["id"],
           "domain_id": owner.post("/v1/domains", {"name": "repeats.test"})["id"],
           "key_id": owner.post("/v1/keys", {"name": "K", "scopes": ["org.read"]})["id"],
           "user_id": owner.post("/v1/members", {"email": "other@repeats.test", "role": "viewer"})["id"]}
    return ids


def changes(pg):
    """Lines of the audit: everything that changes something writes one."""
    return int(pg.psql("SELECT count(*) FROM audit WHERE actor_kind = 1", "postern"))


def each_acts_once(owner, pg, ids):
    done = 0
    for op in operations():
        if op.method != "POST" or not op.op.get("x-idempotent"):
            continue
        body, key = op.body(ids), f"once-{done}"
        kind = op.type or "application/json"
        first = send(owner, "POST", op.url(ids), body, key, kind)
        before = changes(pg)
        again = send(owner, "POST", op.url(ids), body, key, kind)
        check(first[0] not in (429, 500, 503) and not first[1], f"{op.where}: {first}")
        check(again == (first[0], True, first[2]), f"{op.where}: {first[:2]} and again {again[:2]}: {first[2]} {again[2]}")
        check(changes(pg) == before, f"{op.where}: the repetition changed something")
        done += 1
    check(done > 18, f"only {done} operations take the header")
    return done


def others_refuse(owner, ids):
    done = 0
    for op in operations():
        if op.method == "POST" and op.op.get("x-not-idempotent") and all(p in ids for p in op.params):
            status, _, problem = send(owner, "POST", op.url(ids), op.body({**ids, "smtp_route_id": "x", "org_id": "x", "provider_id": "x"}), "k")
            check((status, problem["code"]) == (400, "idempotency_not_supported"), f"{op.where}: {status} {problem}")
            done += 1
    check(done > 5, f"{done} refuse it")


def secrets_are_sealed(owner, pg):
    body = {"name": "sealed", "scopes": ["org.read"]}
    _, _, made = send(owner, "POST", "/v1/keys", body, "sealed")
    table = pg.psql("SELECT string_agg(i::text, ' ') FROM idempotency i", "postern")
    secret = made["key"][-30:]
    plain = [secret, secret.encode().hex(), "sealed".encode().hex()]
    check(len(secret) > 20 and not any(p in table for p in plain[:2]), "a new key's secret is not in the table")
    check(json.dumps(body).encode().hex() not in table, "nor is the request")
    check(pg.psql("SELECT count(*) FROM idempotency WHERE seal IS NULL", "postern").strip() == "0", "every answer is sealed")
    # One that was moved to another key is no answer.
    pg.psql("UPDATE idempotency SET key = replace(key, ' sealed', ' moved') WHERE key LIKE '% sealed'", "postern")
    status, _, problem = send(owner, "POST", "/v1/keys", body, "moved")
    check(status == 500, f"a sealed answer under another key: {status} {problem}")


def the_query_counts(owner, ids):
    csv = b"email\na@repeats.test\n"
    first = send(owner, "POST", "/v1/imports", csv, "import", "text/csv")
    check(first[0] == 200 and send(owner, "POST", "/v1/imports", csv, "import", "text/csv") == (200, True, first[2]), f"an import is made once: {first}")
    other = send(owner, "POST", f"/v1/imports?list={ids['list_id']}", csv, "import", "text/csv")
    check((other[0], other[2]["code"]) == (422, "idempotency_mismatch"), f"another query under the same key: {other}")
    other = send(owner, "POST", "/v1/lists", {"name": "x"}, "import")
    check(other[0] == 200 and not other[1], f"a key belongs to its path: {other}")


def together(runs):
    out = [None] * len(runs)

    def one(n):
        out[n] = runs[n]()
    threads = [threading.Thread(target=one, args=(n,)) for n in range(len(runs))]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return out


def races(owner, pg, ids):
    for n in range(6):
        for path, body, count in (("/v1/lists", {"name": f"race {n}"}, f"SELECT count(*) FROM lists WHERE name = 'race {n}'"),
                                  (f"/v1/keys/{ids['key_id']}/regenerate", {"overlap": 60}, "SELECT count(*) FROM audit WHERE action = 'key.regenerated'")):
            before = int(pg.psql(count, "postern"))
            got = together([lambda p=path, b=body: send(owner, "POST", p, b, f"race-{n}")] * 8)
            fine = [g for g in got if g[0] == 200]
            busy = [g for g in got if g[0] == 409 and g[2]["code"] == "idempotency_in_flight"]
            check(len(fine) + len(busy) == 8 and fine, f"a race for {path}: {[g[0] for g in got]}")
            check(len({json.dumps(g[2], sort_keys=True) for g in fine}) == 1 and sum(not g[1] for g in fine) == 1, f"all see one answer: {fine}")
            check(int(pg.psql(count, "postern")) == before + 1, f"{path} acted once")


def until_answered(owner, path, body, key):
    got = []

    def ask():
        try:
            got[:] = [send(owner, "POST", path, body, key)]
        except (Failure, OSError):
            return False
        return got[0][0] == 200
    wait_until(f"an answer of {path}", ask, 30)
    return got[0]


def attempt(owner, path, body, key):
    """What the client saw of a request whose daemon may die: None is nothing."""
    try:
        return send(owner, "POST", path, body, key)
    except (Failure, OSError, ValueError):
        return None
    except Exception as e:  # noqa: BLE001 - http.client has many names for a connection that ends
        return None if type(e).__module__ == "http.client" else e


def killed(owner, control, pg, ids):
    cut = done = 0
    n = -1
    while n + 1 < ROUNDS or (not cut and n + 1 < ROUNDS_MOST):
        n += 1
        began = time.monotonic()
        send(owner, "POST", "/v1/keys", {"name": "how long", "scopes": ["org.read"]}, f"how-long-{n}")
        usual = time.monotonic() - began  # of this machine, now
        work = [("/v1/keys", {"name": f"killed {n}", "scopes": ["org.read"]}), (f"/v1/keys/{ids['key_id']}/regenerate", {"overlap": 60 + n})]
        timer = threading.Timer(random.uniform(0, 2 * usual), control.kill)
        timer.start()
        seen = together([lambda p=p, b=b: attempt(owner, p, b, f"killed-{n}") for p, b in work])
        timer.join()
        control.start()
        for (path, body), first in zip(work, seen):
            again = until_answered(owner, path, body, f"killed-{n}")
            cut += first is None
            done += first is None and again[1]
            if first is not None and first[0] == 200:
                check(again == (200, True, first[2]), f"{path}: what was answered is answered again: {first} {again}")
        made = int(pg.psql(f"SELECT count(*) FROM api_keys WHERE name = 'killed {n}'", "postern"))
        turned = int(pg.psql(f"SELECT count(*) FROM audit WHERE action = 'key.regenerated' AND detail->>'overlap' = '{60 + n}'", "postern"))
        check(made == 1, f"round {n}: {made} keys of one request")
        check(turned >= 1 and (n == 0 or turned == 1), f"round {n}: {turned} new secrets of one request")
    check(cut > 0, "no request was cut off: the kills came too late")
    return f"{cut} requests cut off, {done} of them after they had acted"


def crashed(owner, pg):
    body = {"name": "before the crash"}
    first = send(owner, "POST", "/v1/lists", body, "crash")
    pg.kill()
    pg.start()
    again = until_answered(owner, "/v1/lists", body, "crash")
    check(again == (200, True, first[2]), f"after the database's crash the answer is still there: {again}")


def main():
    pg = Postgres(TMP)
    pg.start()
    control = Control(TMP, os.environ["POSTERN_BUILD"], pg, types.SimpleNamespace(link=TMP / "none"), options={
        "mail.from": "postern@platform.test"})
    control.start()
    made = Api(control.url).post("/v1/auth/signup", {"organization": "Repeats", "email": "admin@repeats.test", "password": PASSWORD})
    owner = Api(control.url, made["token"])
    owner.token = owner.post("/v1/me/proof", {"password": PASSWORD}).get("token", owner.token)
    ids = populate(owner)
    secrets_are_sealed(owner, pg)
    the_query_counts(owner, ids)
    races(owner, pg, ids)
    cut = killed(owner, control, pg, ids)
    crashed(owner, pg)
    others_refuse(owner, ids)
    done = each_acts_once(owner, pg, ids)
    ended_well(control)
    pg.stop()
    result(f"{done} operations, {cut}")
    return 1 if failures else 0


sys.exit(main())
