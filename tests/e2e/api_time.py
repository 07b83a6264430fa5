#!/usr/bin/python3
# timeout: 120
# thread: yes
"""A request that waits for the database too long (a table that somebody holds locked) is given up after its route's time: 503, its
statement is cancelled in the server, nothing of it is done, and the worker goes on with others.  A request that waits
less is answered as ever."""
import os
import pathlib
import subprocess
import sys
import threading
import time
import types

from checks import check, ended_well, failures, refused, result
from stack import PG_BIN, Api, Control, Postgres, as_account, wait_until

TMP = pathlib.Path(os.environ["POSTERN_TMP"])
READ_S, CHANGE_S = 10, 20


class Lock:
    """A transaction of somebody else that holds the table of lists."""
    def __init__(self, pg):
        self.pg = pg
        self.psql = subprocess.Popen([str(PG_BIN / "psql"), "-h", str(pg.sockets), "-U", "postgres", "-d", "postern", "-qAt"], stdin=subprocess.PIPE,
                                     stdout=subprocess.DEVNULL, text=True, **as_account())
        self.psql.stdin.write("BEGIN; LOCK TABLE lists IN ACCESS EXCLUSIVE MODE;\n")
        self.psql.stdin.flush()
        wait_until("the lock", lambda: pg.psql("SELECT count(*) FROM pg_locks l JOIN pg_class c ON c.oid = l.relation WHERE c.relname = 'lists'"
                                               " AND l.mode = 'AccessExclusiveLock' AND l.granted", "postern").strip() == "1")

    def end(self):
        self.psql.communicate("ROLLBACK;\n")


def waiting(pg):
    return int(pg.psql("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'", "postern"))


def timed(run, *args, **kw):
    began = time.monotonic()
    problem = refused(503, "timeout", run, *args, **kw)
    return time.monotonic() - began, problem


def main():
    pg = Postgres(TMP)
    pg.start()
    # The server's own bound is longer than the routes', so that it is not what ends them.
    control = Control(TMP, os.environ["POSTERN_BUILD"], pg, types.SimpleNamespace(link=TMP / "none"), options={
        "database.statement_timeout": "60s", "http.workers": 2})
    control.start()
    made = Api(control.url).post("/v1/auth/signup", {"organization": "Time", "email": "admin@time.test", "password": "correct horse battery"})
    api, other, third = (Api(control.url, made["token"]) for _ in range(3))
    lock, took = Lock(pg), {}
    threads = [threading.Thread(target=lambda: took.update(read=timed(api.get, "/v1/lists")[0])),
               threading.Thread(target=lambda: took.update(change=timed(other.post, "/v1/lists", {"name": "late"}, headers={"Idempotency-Key": "late"})[0]))]
    for t in threads:
        t.start()
    wait_until("both wait in the server", lambda: waiting(pg) == 2)
    threads[0].join()
    check(READ_S - 1 < took.get("read", 0) < READ_S + 4, f"reading is given up after {READ_S} s, not {took.get('read')}")
    wait_until("its statement is cancelled", lambda: waiting(pg) == 1, 5)
    check(third.get("/v1/me")["email"] == "admin@time.test", "its worker answers others")
    threads[1].join()
    check(CHANGE_S - 1 < took.get("change", 0) < CHANGE_S + 4, f"a change is given up after {CHANGE_S} s, not {took.get('change')}")
    wait_until("its statement is cancelled too", lambda: waiting(pg) == 0, 5)
    lock.end()
    check(api.get("/v1/lists")["data"] == [], "nothing of the change is there")
    check(other.post("/v1/lists", {"name": "late"}, headers={"Idempotency-Key": "late"})["name"] == "late", "the same key may try again")
    lock, shorter = Lock(pg), {}
    thread = threading.Thread(target=lambda: shorter.update(got=api.get("/v1/lists")["data"][0]["name"]))
    thread.start()
    wait_until("it waits in the server", lambda: waiting(pg) == 1)
    lock.end()
    thread.join()
    check(shorter.get("got") == "late", f"who waits less is answered: {shorter}")
    ended_well(control)
    pg.stop()
    result(f"reading {took.get('read', 0):.1f} s, changing {took.get('change', 0):.1f} s")
    return 1 if failures else 0


sys.exit(main())
