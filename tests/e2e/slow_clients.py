#!/usr/bin/python3
# timeout: 120
# sanitize: yes
# thread: yes
"""Clients that dribble: 1,100 connections on the API that send a byte now and then, and 1,024 half-open requests on the pages for
recipients, from several addresses. Meanwhile others are answered; heads and bodies end at their deadline however they trickle; one
address has its bound."""
import os
import pathlib
import selectors
import socket
import sys
import threading
import time
import types
import urllib.parse

from checks import check, ended_well, failures, result, wait_for
from stack import Api, Control, Postgres

TMP = pathlib.Path(os.environ["POSTERN_TMP"])
PASSWORD = "correct horse battery"
HEAD_S, BODY_S = 2, 2


def connect(url, source):
    host = urllib.parse.urlsplit(url)
    s = socket.socket()
    s.settimeout(10)
    s.bind((source, 0))
    s.connect((host.hostname, host.port))
    return s


class Crowd(threading.Thread):
    """Connections that say the beginning, and then a byte every half second; knows which are still open."""

    def __init__(self, url, sources, n, begin):
        super().__init__(daemon=True)
        self.selector, self.open, self.peak, self.ending = selectors.DefaultSelector(), {}, 0, False
        self.url, self.sources, self.n, self.begin = url, sources, n, begin
        self.closed_after, self.full = [], threading.Event()

    def drop(self, s):
        self.closed_after.append(time.monotonic() - self.open.pop(s))
        self.selector.unregister(s)
        s.close()

    def take(self):
        for key, _ in self.selector.select(0):
            try:
                if not key.fileobj.recv(4096):
                    self.drop(key.fileobj)
            except OSError:
                self.drop(key.fileobj)

    def run(self):
        for i in range(self.n):
            s = connect(self.url, self.sources[i % len(self.sources)])
            s.sendall(self.begin)
            s.setblocking(False)
            self.open[s] = time.monotonic()
            self.selector.register(s, selectors.EVENT_READ)
            if i % 20 == 0:
                self.take()
        self.take()
        self.peak = len(self.open)
        self.full.set()
        while not self.ending and self.open:
            for s in list(self.open):
                try:
                    s.send(b"a")
                except OSError:
                    self.drop(s)
            for _ in range(5):
                time.sleep(0.1)
                self.take()

    def stop(self):
        self.ending = True
        self.join()
        for s in list(self.open):
            s.close()


def answered(url, path, source="127.0.0.1"):
    """The status and how long it took; None when there was no answer."""
    began = time.monotonic()
    try:
        with connect(url, source) as s:
            s.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
            return int(s.recv(4096).split()[1]), time.monotonic() - began
    except (OSError, IndexError):
        return None, time.monotonic() - began


def all_are_answered(what, url, paths, while_):
    asked, wrong = 0, []
    while while_() and asked < 400:
        for path, status in paths:
            got, _ = answered(url, path)
            asked += 1
            if got != status:
                wrong.append((path, got))
        time.sleep(0.02)
    check(asked > 0 and not wrong, f"{what}: {len(wrong)} of {asked} not answered: {wrong[:3]}")


def heads_that_trickle_do_not_stop_the_api(control, api):
    crowd = Crowd(control.url, [f"127.0.1.{i}" for i in range(1, 12)], 1100, b"GET /v1/org HTTP/1.1\r\nHost: x\r\nX-Slow: ")
    crowd.start()
    all_are_answered("while 1,100 come", control.url, [("/health", 200), ("/ready", 200)], lambda: not crowd.full.is_set())
    check(api.get("/v1/org")["name"] == "slow", "a tenant is served among 1,100 slow ones")
    all_are_answered("among 1,100", control.url, [("/health", 200), ("/ready", 200)], lambda: crowd.is_alive())
    check(crowd.peak > 800, f"the places were taken: {crowd.peak} at once")
    check(not crowd.open, f"all slow heads ended: {len(crowd.open)} are open")
    crowd.stop()


def bodies_that_trickle_end_too(control):
    begin = b"POST /v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"
    crowd = Crowd(control.url, [f"127.0.2.{i}" for i in range(1, 12)], 300, begin)
    crowd.start()
    check(wait_for(lambda: crowd.full.is_set() and not crowd.open), f"all slow bodies ended: {len(crowd.open)} are open")
    crowd.stop()
    check(min(crowd.closed_after) > BODY_S - 1, f"but not before their time: {min(crowd.closed_after):.1f} s")


def half_open_requests_do_not_stop_the_pages_for_recipients(control):
    crowd = Crowd(control.public, [f"127.0.3.{i}" for i in range(1, 10)], 1024, b"POST /u/x HTTP/1.1\r\n")
    crowd.start()
    all_are_answered("while 1,024 half-open ones come", control.public, [("/u/none", 404)], lambda: not crowd.full.is_set())
    all_are_answered("among 1,024 half-open ones", control.public, [("/u/none", 404)], lambda: crowd.is_alive())
    check(not crowd.open, "all half-open ones ended")
    crowd.stop()


def one_address_has_its_bound_and_goes_on_being_heard(control):
    other = connect(control.url, "127.0.4.2")
    crowd = Crowd(control.url, ["127.0.4.1"], 300, b"GET /health HTTP/1.1\r\n")
    crowd.start()
    crowd.full.wait()
    check(wait_for(lambda: len(crowd.open) <= 128, 2), f"one address holds {len(crowd.open)} places")
    check(answered(control.url, "/health", "127.0.4.1")[0] == 200, "the same address is heard on a new connection")
    other.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
    check(b" 200 " in other.recv(4096), "the connection of another address was left alone")
    other.close()
    crowd.stop()


def main():
    pg = Postgres(TMP)
    pg.start()
    control = Control(TMP, os.environ["POSTERN_BUILD"], pg, types.SimpleNamespace(link=TMP / "no-engine.sock"),
                      options={"auth.password_memory": "8M", "http.head_timeout": f"{HEAD_S}s", "http.body_timeout": f"{BODY_S}s"})
    try:
        control.start()
        made = Api(control.url).post("/v1/auth/signup", {"organization": "slow", "email": "admin@slow.test", "password": PASSWORD})
        api = Api(control.url, made["token"])
        heads_that_trickle_do_not_stop_the_api(control, api)
        bodies_that_trickle_end_too(control)
        half_open_requests_do_not_stop_the_pages_for_recipients(control)
        one_address_has_its_bound_and_goes_on_being_heard(control)
        ended_well(control)
        result()
    finally:
        control.stop()
        pg.stop()
    return 1 if failures else 0


if __name__ == "__main__":
    import resource
    resource.setrlimit(resource.RLIMIT_NOFILE, (8192, 8192))
    sys.exit(main())
