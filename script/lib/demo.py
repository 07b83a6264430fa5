#!/usr/bin/python3
"""The demo behind script/demo: everything through the public HTTP API, everything real but on loopback addresses."""
import argparse
import json
import os
import pathlib
import shutil
import signal
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
SRC = HERE.parents[1]
sys.path[:0] = [str(HERE), str(SRC / "tests/lib")]
import demo_check  # noqa: E402
import demo_world as world  # noqa: E402
from stack import ROOT, Failure, as_account, own  # noqa: E402
from whole import LOGIN, Whole  # noqa: E402

STATE = SRC / "var" / "demo.json"


class Progress:
    """One line that changes on a terminal; a line now and then elsewhere."""

    def __init__(self):
        self.tty, self.last, self.open = sys.stderr.isatty(), 0.0, False

    def step(self, text):
        self.end()
        print(text, file=sys.stderr, flush=True)

    def say(self, text):
        now = time.monotonic()
        if self.tty:
            print(f"\r\x1b[K  {text}", end="", file=sys.stderr, flush=True)
            self.open = True
        elif now - self.last > 3:
            print(f"  {text}", file=sys.stderr, flush=True)
            self.last = now

    def end(self):
        if self.open:
            print(file=sys.stderr)
            self.open = False


def make_base():
    """var/demo, or a folder under /var/tmp when the account that runs the parts cannot reach this tree."""
    base = SRC / "var" / "demo"
    if base.is_symlink():
        shutil.rmtree(base.resolve(), ignore_errors=True)
        base.unlink()
    shutil.rmtree(base, ignore_errors=True)
    base.mkdir(parents=True)
    if ROOT and not reachable(base):
        base.rmdir()
        real = pathlib.Path(tempfile.mkdtemp(prefix="postern-demo-", dir="/var/tmp"))
        real.chmod(0o755)
        base.symlink_to(real)
        base = real
    return own(base)


def reachable(path):
    import subprocess
    return subprocess.run(["test", "-x", str(path)], check=False, **as_account()).returncode == 0


class Demo:
    def __init__(self, build, recipients):
        self.progress, self.n = Progress(), recipients
        self.build = self.usable(pathlib.Path(build))
        self.base = make_base()
        self.whole = Whole(self.base, self.build, engine={
            "smtp.port": world.MX_PORT, "listen.submission": "127.0.0.1:2587", "retry.schedule": "2s, 4s, 8s", "smtp.timeout.connect": "5s",
            "site.backoff_min": "1s", "host.bad": "30s"})
        self.engine, self.sink = self.whole.engine, self.whole.sink

    def usable(self, build):
        """The programs where the account can run them: a tree under /root is closed to it."""
        if not ROOT or reachable(build / "mta"):
            return build
        copy = pathlib.Path(tempfile.mkdtemp(prefix="postern-programs-", dir="/var/tmp"))
        copy.chmod(0o755)
        for program in ("mta/postern-mta", "control/postern-control", "spool/cli/postern", "bench/postern-sink"):
            (copy / program).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(build / program, copy / program)
        self.programs = copy
        return copy

    def start(self):
        self.progress.step("starting PostgreSQL, nsd, 20 MX hosts and both daemons ...")
        rules = self.base / "sink.rules"
        rules.write_text(world.sink_rules())
        self.whole.start({"example.test": world.zone()}, f"127.0.1.1-{world.HOSTS}:{world.MX_PORT}", "--rules", rules)

    # ---- the main job, through the API -------------------------------------------------------------------

    def import_contacts(self):
        path = self.base / "contacts.csv"
        world.write_csv(path, self.n)
        self.whole.api.post("/v1/fields", {"name": "city", "type": "text"})
        job = self.whole.import_csv(path.read_bytes(), say=self.progress.say)
        if job["imported"] != self.n:
            raise Failure(f"the import ended so: {json.dumps(job)}")

    def watch(self, limit=100):
        """Polls the progress; the states must sum to the audience every single time."""
        end = time.monotonic() + limit
        while time.monotonic() < end:
            p = self.whole.progress()
            done, states = p["done"], p["states"]
            bar = "#" * int(30 * done / max(p["audience"], 1))
            self.progress.say(f"[{bar:<30}] {done}/{p['audience']}  " + "  ".join(f"{k} {v}" for k, v in states.items() if v))
            if p["status"] == "completed":
                self.progress.end()
                return p
            time.sleep(0.3)
        raise Failure(f"the campaign is not done after {limit} s: {json.dumps(p)}")

    def check(self, progress):
        self.progress.step("comparing what arrived with what was imported ...")
        self.sink.counts()  # flushes its store
        recipients = [c["email"] for c in world.contacts(self.n)]
        places = demo_check.index(self.sink.store)
        delivered = {r for r, _, _ in places}
        some = set(recipients)
        # Where a host refuses half of its recipients, those it refused are known to the sink alone: what it took must be
        # what the books call delivered, and every other recipient of a host that refuses nobody must have arrived.
        lost, duplicates, strangers = demo_check.compare(places, recipients, lambda r: not world.may_be_refused(r))
        wrongly = sum(1 for r in delivered if r in some and world.must_bounce(r))
        passed = demo_check.verify_all(str(self.sink.store), places, self.whole.lookup, len(self.whole.lookup), self.progress.say)
        self.progress.end()
        states = progress["states"]
        books = self.engine.json("status")["books"]
        figures = {
            "accepted": progress["audience"], "delivered": states.get("delivered", 0), "bounced": states.get("bounced", 0),
            "expired": states.get("expired", 0), "cancelled": states.get("cancelled", 0) + states.get("suppressed", 0),
            "queued": states.get("queued", 0) + states.get("sending", 0) + states.get("pending", 0),
            "deferred_attempts": progress.get("deferred_attempts", 0), "duplicates": duplicates, "lost": lost,
            "dkim_checked": len(places), "dkim_passed": passed, "seconds": round(self.seconds, 1)}
        problems = []
        if strangers or wrongly:
            problems.append(f"{strangers} recipients nobody imported, {wrongly} deliveries that cannot be")
        if lost or duplicates:
            problems.append(f"lost {lost}, duplicates {duplicates}")
        if figures["delivered"] != len(delivered):
            problems.append(f"the API says {figures['delivered']} delivered, the MX hosts hold {len(delivered)}")
        if figures["accepted"] != sum(figures[k] for k in ("delivered", "bounced", "expired", "cancelled", "queued")):
            problems.append("the statistics do not balance")
        for k in ("accepted", "delivered", "bounced", "expired", "queued"):
            if books[k] != figures[k]:
                problems.append(f"engine and control plane differ: {k} {books[k]} and {figures[k]}")
        if passed != len(places) or not places:
            problems.append(f"DKIM: {passed} of {len(places)} verify")
        return figures, problems

    def run(self):
        step = self.progress.step
        step("creating an organisation and its first admin ...")
        self.whole.sign_up()
        step("adding the domain sender.test, publishing the DNS records the API shows ...")
        self.whole.add_domain()
        step(f"importing {self.n} contacts from CSV ...")
        self.import_contacts()
        step("creating a template and a campaign, sending it ...")
        started = time.monotonic()
        self.whole.send_campaign(world.SUBJECT, world.HTML, world.TEXT)
        progress = self.watch()
        self.seconds = time.monotonic() - started
        return self.check(progress)


def table(figures):
    words = {"accepted": "recipients accepted", "delivered": "delivered", "bounced": "bounced (refused, or no such host)", "expired": "expired",
             "cancelled": "cancelled or suppressed", "queued": "still queued", "deferred_attempts": "tries that were deferred and made again",
             "duplicates": "received twice", "lost": "accepted but not accounted for", "dkim_checked": "messages checked by dkimpy",
             "dkim_passed": "both signatures right", "seconds": "seconds from send to completed"}
    print()
    for key, text in words.items():
        print(f"  {text:<42} {figures[key]:>10,}")
    print()


def stop_kept():
    if not STATE.exists():
        print("demo: nothing is kept running")
        return 0
    state = json.loads(STATE.read_text())
    for name, pid in reversed(state["pids"].items()):
        try:
            command = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
            if any(word in command for word in (b"postern", b"nsd", b"postgres")):
                os.kill(pid, signal.SIGINT if name == "postgresql" else signal.SIGTERM)
        except OSError:
            pass
    STATE.unlink()
    print("demo: stopped")
    return 0


def main():
    parser = argparse.ArgumentParser(prog="script/demo")
    parser.add_argument("--build")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--stop", action="store_true")
    parser.add_argument("--recipients", type=int, default=10000)
    args = parser.parse_args()
    if args.stop:
        return stop_kept()
    if STATE.exists():
        print("demo: an earlier one is still running; end it with script/demo --stop", file=sys.stderr)
        return 1
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    demo = Demo(args.build, args.recipients)
    keep = False
    try:
        demo.start()
        figures, problems = demo.run()
        table(figures)
        for problem in problems:
            print(f"demo: {problem}", file=sys.stderr)
        keep = args.keep
        if keep:
            STATE.write_text(json.dumps({"pids": {p.name: p.process.pid for p in demo.whole.parts}}))
            print(f"API        {demo.whole.control.url}/v1   (document: {demo.whole.control.url}/v1/openapi.json)\npublic     {demo.whole.control.public}\n"
                  f"login      {LOGIN['email']} / {LOGIN['password']}\nsubmission 127.0.0.1:2587 (SMTP)\n"
                  f"postern    {demo.build}/spool/cli/postern -c {demo.engine.conf} status\nend it     script/demo --stop\n")
        if args.json:
            print(json.dumps(figures))
        return 1 if problems else 0
    except (Failure, KeyError) as e:
        demo.progress.end()
        print(f"demo: {e if isinstance(e, Failure) else 'a reply of the API lacks ' + str(e)}\nthe logs are in {demo.base}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        demo.progress.end()
        return 130
    finally:
        if not keep:
            demo.whole.stop()
            if getattr(demo, "programs", None):
                shutil.rmtree(demo.programs, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
