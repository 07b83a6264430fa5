#!/usr/bin/python3
# timeout: 240
# sanitize: yes
"""Organisations apart: every operation of schema/openapi.yaml called with another organisation's ids answers 404 and
changes nothing; without a credential 401; with every permission but its own 403.

The document drives it, and tests/house/check_routes compares the document with the daemon's routes, so a new route is
covered as soon as it exists.  Its example body makes the victim's objects; `${list_id}` in an example stands for an
object of the caller's own.
"""
import json
import os
import pathlib
import sys
import types

from checks import check, ended_well, failures, result
from operations import call, operations
from stack import Api, Control, Postgres, wait_until

TMP = pathlib.Path(os.environ["POSTERN_TMP"])


# What no POST makes, because events of the engine do, or another party.
BY_EVENTS = {
    "identity_id": "INSERT INTO identities (org_id, user_id, provider_id, subject, email) SELECT {org}, u.id, p.id, 's', 's@s.test'"
                   " FROM users u, identity_providers p WHERE u.org_id = {org} AND p.org_id = {org} LIMIT 1",
    "seq": "INSERT INTO campaign_recipients (org_id, campaign_id, seq, contact_id) SELECT {org}, c.id, 770000000 + {org}, t.id FROM campaigns c, contacts t"
           " WHERE c.org_id = {org} AND t.org_id = {org} LIMIT 1",
    "report_id": "INSERT INTO dmarc_reports (org_id, domain_id, identity, reporter, email, report_id, about, policy, messages, ours, forwarded,"
                 " strangers, partial, received_at, received_ip) SELECT {org}, id, 'x', 'r', 'r@r.test', '1', name, 'p=none', 1, 1, 0, 0, false,"
                 " now(), '192.0.2.1' FROM domains WHERE org_id = {org} LIMIT 1",
}


def populate(ops, owner, pg, org):
    """Makes one object for every parameter that stands in a path, by the POST of the collection above it."""
    wanted = {name: op.path.split("/{" + name)[0] for op in ops for name in op.params}
    ids, first = {"org_id": owner.get("/v1/me")["org"]["id"]}, True
    wanted.pop("org_id")
    while wanted and first:
        first = False
        for name, collection in list(wanted.items()):
            if "{" in collection:
                continue
            made = make(ops, owner, collection, name, ids)
            if made is None:
                continue
            ids[name] = made
            del wanted[name]
            first = True
            if name == "domain_id":
                pg.psql(f"UPDATE domains SET status = 2, verified_at = now() WHERE org_id = {org}", "postern")
    for name in BY_EVENTS.keys() & wanted.keys():
        pg.psql(BY_EVENTS[name].format(org=org), "postern")
        row = owner.get(wanted.pop(name).format(**ids))["data"][0]
        ids[name] = row.get("id") or str(row[name])
    for name, collection in wanted.items():
        check(False, f"{{{name}}} of {collection}: the example of its POST makes none, so its routes are not covered")
    return ids


def make(ops, owner, collection, name, ids):
    post = next((o for o in ops if o.path == collection and o.method == "POST"), None)
    if post is None:
        page = owner.get(collection)["data"]
        return page[0]["id"] if page else None
    try:
        body = post.body(ids)
    except KeyError:
        return None
    if body is None:
        return None
    status, reply = call(owner, post, collection, body)
    if status != 200:
        print(f"{post.where} with its example: {status} {reply}", flush=True)
        return None
    made = json.loads(reply)
    return made["id"] if name.endswith("_id") else (made.get(name) or body.get(name))


def snapshot(pg, org):
    """Every row of an organisation, as one hash a table."""
    tables = pg.psql("SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'org_id'"
                     " WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition", "postern").split()
    check(len(tables) > 20, "the catalogue shows the tables")
    rows = {}
    for t in tables:
        skip = " - 'last_seen_at' - 'last_used_at' - 'last_used_ip'" if t in ("sessions", "api_keys") else ""
        rows[t] = pg.psql(f"SELECT count(*) || ' ' || coalesce(md5(string_agg(j, ',' ORDER BY j)), '') FROM"
                          f" (SELECT (to_jsonb(t){skip})::text AS j FROM {t} t WHERE org_id = {org}) s", "postern").strip()
    return rows


def sign_up(control, name):
    made = Api(control.url).post("/v1/auth/signup", {"organization": name, "email": f"admin@{name}.test", "password": "correct horse battery"})
    return Api(control.url, made["token"]), made


def other_organisation(ops, stranger, ids):
    for op in ops:
        if not op.params and not op.names_ids():
            continue
        status, reply = call(stranger, op, op.url(ids), op.body(ids))
        fine = (404, 422) if op.names_ids() else (404,)
        check(status in fine, f"{op.where} with another organisation's ids: {status} {reply}")


def unknown_ids(ops, stranger, ids):
    nothing = {k: (v.split("_")[0] + "_" + "a" * 13 if k.endswith("_id") else "nobody@nowhere.test") for k, v in ids.items()}
    broken = {k: "x" if k.endswith("_id") else "no address" for k in ids}
    for op in ops:
        if op.params and not op.names_ids():
            for which in (nothing, broken):
                status, reply = call(stranger, op, op.url(which), op.body(which))
                check(status == 404, f"{op.where} with ids of nothing: {status} {reply}")


def no_credential(ops, control, ids):
    for token in (None, "ses_nonsense", "mk_live_" + "a" * 26 + "_" + "b" * 43):
        for op in ops:
            status, _ = call(Api(control.url, token), op, op.url(ids), op.body(ids))
            check(status == 401, f"{op.where} with the credential {token}: {status}")


def wrong_permission(ops, owner, control, ids):
    everything = owner.get("/v1/me")["permissions"]
    for permission in sorted({o.permission for o in ops if o.permission}):
        key = owner.post("/v1/keys", {"name": "all but one", "scopes": [p for p in everything if p != permission]})
        api = Api(control.url, key["key"])
        for op in ops:
            if op.permission == permission:
                status, reply = call(api, op, op.url(ids), op.body(ids))
                check(status == 403, f"{op.where} without {permission}: {status} {reply}")
            if op.session:
                status, _ = call(api, op, op.url(ids), op.body(ids))
                check(status == 403, f"{op.where} with a key: {status}")


def lists_show_nothing_foreign(ops, stranger, ids):
    for op in ops:
        if op.method == "GET" and not op.params:
            status, reply = call(stranger, op, op.path, None)
            check(status == 200, f"{op.where} of one's own: {status} {reply}")
            for name, value in ids.items():
                check(value not in str(reply), f"{op.where} shows another organisation's {name}")


def policies_alone(pg, victim_org, stranger_org):
    """The daemon's own role, past its code: another organisation's rows, or with none set any rows, are not there."""
    tables = pg.psql("SELECT table_name FROM information_schema.role_table_grants g JOIN pg_class c ON c.oid = g.table_name::regclass"
                     " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'org_id'"
                     " WHERE grantee = 'cp_api' AND privilege_type = 'SELECT'", "postern").split()
    check(len(tables) > 20, "cp_api may read the tables")
    filled = 0
    for t in tables:
        filled += int(pg.psql(f"SELECT count(*) FROM {t} WHERE org_id = {victim_org}", "postern")) > 0
        for setting in (str(stranger_org), ""):
            n = pg.psql(f"BEGIN; SELECT set_config('app.org', '{setting}', true) \\g /dev/null\nSELECT count(*) FROM {t} WHERE org_id = {victim_org}; COMMIT",
                        "postern", "cp_api")
            check(n == "0", f"{t}: cp_api with app.org {setting!r} sees {n} rows of the victim")
        n = pg.psql(f"SELECT count(*) FROM {t}", "postern", "cp_api")
        check(n == "0", f"{t}: cp_api without any organisation sees {n} rows")
    check(filled >= 5, f"the victim has rows in {filled} tables only")


def main():
    pg = Postgres(TMP)
    pg.start()
    control = Control(TMP, os.environ["POSTERN_BUILD"], pg, types.SimpleNamespace(link=TMP / "no-engine.sock"),
                      options={"auth.burst": 1000, "auth.password_memory": "8M", "database.statement_timeout": "10s"})
    try:
        control.start()
        ops = list(operations())
        victim, made = sign_up(control, "victim")
        stranger, _ = sign_up(control, "stranger")
        org = int(pg.psql("SELECT org_id FROM orgs WHERE name = 'victim'", "postern"))
        ids = populate(ops, victim, pg, org)
        # No path names one: its list alone shows it.
        pg.psql(f"INSERT INTO returns (org_id, campaign_id, seq, rcpt_row, kind, at, last_at, n, hard, code, dsn, class, rule, host, ip, source, rcpt,"
                f" evidence) VALUES ({org}, 0, -5, 0, 32, now(), now(), 1, true, 550, '5.1.1', 'c', 'r', 'h', 'i', 's', 'u@victim.test', 'e')", "postern")
        ids["return_id"] = victim.get("/v1/returns?address=u@victim.test")["data"][0]["id"]
        for op in ops:
            if op.method == "GET" and op.params and set(op.params) <= ids.keys():
                status, reply = call(victim, op, op.url(ids), None)
                check(status == 200, f"{op.where} of one's own: {status} {reply}")
        covered = [o for o in ops if set(o.params) <= ids.keys()]
        # The victim's own import goes on in the background: what it brings must be there before the picture is taken.
        wait_until("the victim's import", lambda: pg.psql("SELECT count(*) FROM imports WHERE status IN (1, 2)", "postern").strip() == "0")
        before = snapshot(pg, org)
        other_organisation(covered, stranger, ids)
        unknown_ids(covered, stranger, ids)
        lists_show_nothing_foreign(covered, stranger, ids)
        no_credential(covered, control, ids)
        after = snapshot(pg, org)
        for table, rows in before.items():
            check(after[table] == rows, f"{table}: the victim's rows changed from {rows} to {after[table]}")
        policies_alone(pg, org, int(pg.psql("SELECT org_id FROM orgs WHERE name = 'stranger'", "postern")))
        wrong_permission(covered, victim, control, ids)
        ended_well(control)
        result(f"{len(covered)} operations", f"{len(ids)} kinds of objects", f"{len(before)} tables")
    finally:
        control.stop()
        pg.stop()
    return 1 if failures else 0


sys.exit(main())
