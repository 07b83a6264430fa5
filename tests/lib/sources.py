"""What the scripts about sources share: names, mail that is handed in and arrives, and what an operator is shown."""
import collections
import json
import smtplib
import subprocess

from stack import wait_until

A, B, LATE, SIX = "127.0.0.2", "127.0.0.3", "192.0.2.77", "2001:db8::77"
NAMES = {"one.test": {"MX": [(10, "mx.one.test")]}, "mx.one.test": {"A": ["127.0.1.1"]}}


class Post:
    """Hands messages in and waits until they have arrived."""

    def __init__(self, engine):
        self.engine, self.sent, self.seen = engine, 0, collections.Counter()

    def by_source(self):
        events = [json.loads(line) for line in self.engine.cli("events").stdout.splitlines() if line.startswith("{")]
        return collections.Counter(e["source"] for e in events if e["kind"] == "delivered")

    def hand_in(self, n, rcpt="u@one.test", headers=b""):
        with smtplib.SMTP("127.0.0.1", 2600, timeout=10) as client:
            for _ in range(n):
                client.sendmail("s@from.test", [rcpt], b"From: s@from.test\r\n" + headers + b"Subject: x\r\n\r\nText\r\n")
        self.sent += n

    def arrive(self, seconds=20):
        """From which sources what has arrived since the last call left."""
        wait_until("delivery", lambda: sum(self.by_source().values()) == self.sent, seconds)
        before, self.seen = self.seen, self.by_source()
        return self.seen - before

    def send(self, n, rcpt="u@one.test", headers=b""):
        self.hand_in(n, rcpt, headers)
        return self.arrive()


def row_of(engine, ip, pool=None):
    return next((s for s in engine.json("sources")["sources"] if s["address"] == ip and pool in (None, s["pool"])), None)


def state_of(engine, ip):
    row = row_of(engine, ip)
    return row and row["state"]


def connections_from(ip):
    return subprocess.run(["ss", "-Htn", "state", "established", "src", ip], capture_output=True, text=True, check=True).stdout.count("\n")
