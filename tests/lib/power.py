"""A disk whose power can be cut, with a file system on it, and a witness of what an engine on it has promised.

The disk is tests/power/device.c under a loop device.  The caller has a mount namespace of its own (tests/e2e/run gives
it one): with it every mount goes, with the mount its loop device, which clears itself.
"""
import collections
import os
import pathlib
import re
import shutil
import signal
import subprocess
import threading
import time

from link import ACCEPTED, CONTENT, CURSOR, DEFERRED, ERROR, EVENTS, JOB, RULE, SUBSCRIBE, Link, LinkError, content_meta, job_meta, rows
from stack import ACCOUNT, ROOT, wait_until

SIZE = {"ext4": 256 << 20, "xfs": 512 << 20}
MKFS = {"ext4": ("mkfs.ext4", "-q", "-F"), "xfs": ("mkfs.xfs", "-q", "-f")}
ROWS = 20


def lacking(build, kinds):
    """Why power cannot be cut on this machine; empty: it can."""
    if os.geteuid() != 0:
        return "not root"
    if not os.access(f"{build}/tests/power/power_device", os.X_OK):
        return "built without fuse3"
    for path in ("/dev/fuse", "/dev/loop-control"):
        if not os.path.exists(path):
            return f"there is no {path}"
    known = pathlib.Path("/proc/filesystems").read_text().split()
    for kind in kinds:
        if not shutil.which(MKFS[kind][0], path="/usr/sbin:/usr/bin:/sbin:/bin"):
            return f"there is no {MKFS[kind][0]}"
        if kind not in known:
            return f"the kernel has no {kind}"
    return ""


class Disk:
    """kind on a disk of its own; files are in .path while it is on."""

    def __init__(self, base, build, kind, size=0):
        self.base, self.kind = pathlib.Path(base), kind
        self.device, self.process = f"{build}/tests/power/power_device", None
        self.image, self.fuse, self.path = self.base / "disk.image", self.base / "disk.fuse", self.base / "disk"
        for d in (self.fuse, self.path):
            d.mkdir()
        with open(self.image, "wb") as f:
            f.truncate(size or SIZE[kind])
        subprocess.run([*MKFS[kind], self.image], check=True, stdout=subprocess.DEVNULL)

    def on(self, seed=0, keep=0):
        out = open(self.base / "disk.log", "ab")
        self.process = subprocess.Popen([self.device, self.fuse, self.image, str(seed), str(keep)], stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        out.close()
        wait_until("the disk", (self.fuse / "disk").exists)
        subprocess.run(["mount", "-t", self.kind, "-o", "loop", self.fuse / "disk", self.path], check=True)
        if ROOT:
            shutil.chown(self.path, ACCOUNT, ACCOUNT)

    def settle(self):
        """What the test itself has put there is synced."""
        subprocess.run(["sync", "-f", self.path], check=True)

    def cut(self):
        """The power goes.  What still runs on it sees errors; end that, then call clear()."""
        self.process.send_signal(signal.SIGUSR1)
        self.process.wait(20)

    def clear(self):
        for path in (self.path, self.fuse):
            subprocess.run(["umount", "-l", path], check=False, stderr=subprocess.DEVNULL)
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)
        self.process = None

    def off(self):
        """In good order."""
        if self.process:
            subprocess.run(["umount", self.path], check=True)
            subprocess.run(["umount", self.fuse], check=True)
            self.process.wait(20)
            self.process = None

    def dropped(self):
        """(blocks that were not synced at the cuts, those of them that were lost)"""
        cuts = re.findall(r"cut: (\d+) of (\d+)", (self.base / "disk.log").read_text())
        return sum(int(n) for _, n in cuts), sum(int(n) - int(kept) for kept, n in cuts)


class Client(threading.Thread):
    """A client of the engine; ends when the engine does."""

    def __init__(self, witness, path):
        super().__init__(daemon=True)
        self.witness, self.path = witness, path

    def run(self):
        try:
            self.speak(self.witness)
        except (OSError, EOFError, LinkError):
            pass


class Feeder(Client):
    """Feeds jobs and rules, and keeps what was acknowledged."""

    def speak(self, w):
        link = Link(self.path, timeout=20)
        link.ask(CONTENT, 7, w.number, content_meta(), b"From: s@from.test\r\nSubject: x\r\n\r\n" + b"x" * 900 + b"\r\n")
        while not w.stop:
            self.feed(link, w.number)

    def feed(self, link, content):
        w, now = self.witness, int(time.time() * 1000)
        w.jobs += 1
        people = [(f"j{w.jobs}r{i}@d{w.jobs % 20}.test", i) for i in range(ROWS)]
        cursor = w.cursor                               # its record is before the job's
        link.ask(JOB, 9, w.jobs, 7, content, 1, 1, 0, now, now + 86400000, ROWS, job_meta("b@from.test"), rows(people))
        w.owed.update(address for address, _ in people)
        w.cursor_durable = cursor
        if w.jobs % 3 == 0:
            key, value = f"hold/tenant/{900 + w.jobs % 7}", f"reason {w.jobs}" if w.jobs % 5 else ""
            w.rules_sent[key].append(value)
            link.ask(RULE, key, value)
            w.rules_sent[key] = [value]
        time.sleep(0.002)


class Reader(Client):
    """Reads events as the consumer "power" and moves its cursor."""

    def speak(self, w):
        link = Link(self.path, "power", timeout=20)
        link.ask(SUBSCRIBE, link.cursor)
        while not w.stop:
            frame = link.events.pop(0) if link.events else link.receive()
            if frame[0] != EVENTS:
                continue
            for e in frame[3]:
                w.seen[e[0]] = tuple(e[1:4]) + (e[6],)
            w.cursor_sent = frame[2]
            link.ask(CURSOR, frame[2])
            w.cursor = frame[2]


class Witness:
    """What an engine has promised, and whether it still holds after a cut."""

    def __init__(self, engine, sink):
        self.engine, self.sink = engine, sink
        self.owed, self.seen, self.wrong = set(), {}, []
        self.rules_sent = collections.defaultdict(lambda: [""])
        self.cursor = self.cursor_sent = self.cursor_durable = self.jobs = self.number = self.allowed = 0
        self.stop, self.threads = False, []

    def say(self, fine, text):
        if not fine:
            self.wrong.append(text)
            print(f"WRONG  {text}", flush=True)

    def begin(self):
        self.number, self.stop = self.number + 1, False
        self.threads = [Feeder(self, self.engine.link), Reader(self, self.engine.link)]
        for t in self.threads:
            t.start()

    def end(self):
        self.stop = True
        for t in self.threads:
            t.join(30)

    def check_files(self, what):
        """Before the engine has started again."""
        verify = self.engine.cli("--json", "spool", "verify", check=False)
        self.say(verify.returncode == 0, f"{what}: spool verify: {verify.stdout.strip()[-300:]} {verify.stderr.strip()[-300:]}")
        run = self.engine.cli("--json", "spool", "audit", check=False)
        self.say(run.returncode == 0, f"{what}: spool audit: {run.stdout.strip()[-300:]} {run.stderr.strip()[-300:]}")
        if run.returncode == 0:
            self.check_books(what, self.engine.json("spool", "audit"))

    def check_books(self, what, audit):
        ends = sum(audit[k] for k in ("delivered", "bounced", "expired", "cancelled", "queued"))
        self.say(audit["balanced"] and ends == audit["accepted"], f"{what}: the books do not balance: {audit}")
        self.say(audit["accepted"] >= len(self.owed), f"{what}: {audit['accepted']} accepted, but {len(self.owed)} acknowledged")
        self.allowed = max(self.allowed, self.settled() - audit["delivered"])

    def settled(self):
        last, now = -1, self.sink.counts()["recipients"]
        while now != last:
            time.sleep(0.1)
            last, now = now, self.sink.counts()["recipients"]
        return now

    def check_running(self, what):
        """The engine runs again."""
        self.check_rules(what)
        cursors = {c["name"]: c["cursor_lsn"] for c in self.engine.json("consumers")["consumers"]}
        found = cursors.get("power", 0)
        self.say(self.cursor_durable <= found <= self.cursor_sent,
                 f"{what}: cursor {found}, durable {self.cursor_durable}, sent {self.cursor_sent}")
        self.cursor = self.cursor_sent = self.cursor_durable = found
        self.check_events(what)

    def check_rules(self, what):
        found = {f"{r['kind']}/{r['selector']}": r["reason"] for r in self.engine.json("rules")["rules"]}
        for key, values in self.rules_sent.items():
            self.say(found.get(key, "") in values, f"{what}: rule {key} is {found.get(key, '')!r}, and should be one of {values}")
            self.rules_sent[key] = [found.get(key, "")]

    def read_log(self):
        """({lsn: event} as far as it is durable now, the oldest position); None: that is gone meanwhile."""
        link, events, next_lsn = Link(self.engine.link), {}, 0
        link.ask(SUBSCRIBE, 0)
        while next_lsn < link.durable:
            frame = link.events.pop(0) if link.events else link.receive()
            if frame[0] == ERROR:
                return None, 0
            if frame[0] == EVENTS:
                next_lsn = frame[2]
                events |= {e[0]: tuple(e[1:4]) + (e[6],) for e in frame[3]}
        link.close()
        return events, self.engine.json("consumers")["oldest_lsn"]

    def check_events(self, what):
        """Whatever was told stands where it stood, and nobody comes to an end twice."""
        events, ends = None, collections.Counter()
        while events is None:                           # the cleaner may remove what is just being read
            events, oldest = self.read_log()
        for kind, *row in events.values():
            ends[tuple(row)] += kind not in (DEFERRED, ACCEPTED)
        gone = [lsn for lsn, e in self.seen.items() if lsn > oldest and events.get(lsn) != e]  # positions are ends of records
        self.say(not gone, f"{what}: {len(gone)} events that were told are gone or others: {gone[:3]}, first {self.seen.get(gone[0]) if gone else ''}")
        twice = [k for k, n in ends.items() if n > 1]
        self.say(not twice, f"{what}: {len(twice)} recipients have two ends: {twice[:3]}")
        self.seen = {lsn: e for lsn, e in self.seen.items() if lsn > oldest and lsn not in gone}

    def check_end(self, seconds=120):
        """Everybody that was acknowledged has got it, nobody oftener than deliveries were open at the cuts."""
        wait_until("the rest", lambda: self.engine.json("status")["books"]["queued"] == 0, seconds, 0.2)
        self.settled()
        got = collections.Counter(facts["rcpt"] for facts, _ in self.sink.messages())
        lost = [a for a in self.owed if not got[a]]
        twice = sum(n - 1 for n in got.values())
        self.say(not lost, f"{len(lost)} acknowledged recipients got nothing: {lost[:3]}")
        self.say(twice <= self.allowed, f"{twice} duplicates, but only {self.allowed} deliveries were unanswered or unsynced at cuts")
        return len(self.owed), len(lost), twice
