#!/usr/bin/python3
"""The figures of docs/PERFORMANCE.md: Postern beside Postfix in one run, on loopback, in a namespace of its own.

Run it through script/bench.  10 KiB messages, one recipient each, 100 domains on 20 MX addresses; every acceptance is
synced.  A row is measured in turns, Postern and Postfix, --runs times; CPU is the engine's process alone for Postern, a
cgroup for Postfix (which forks).  The median counts, the spread stands beside it.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

SRC = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(SRC / "tests/lib"))
sys.path.insert(0, str(SRC / "bench"))
import rivals  # noqa: E402
from stack import Engine, Failure, Nameserver, Sink, wait_until  # noqa: E402

MX = "127.0.1.1-20:25"
DOMAINS = 100
TICK = os.sysconf("SC_CLK_TCK")


def zone():
    records = ["out.sender A 127.0.0.1", "sender MX 10 out.sender"]
    records += [f"mx{i:02d} A 127.0.1.{i}" for i in range(1, 21)]
    records += [f"d{i:04d} MX 10 mx{(i - 1) % 20 + 1:02d}" for i in range(1, DOMAINS + 1)]
    return {"test": records}


def process_cpu_ms(pid):
    """User and system time of a process and all its threads, ended ones too."""
    try:  # nanoseconds where the kernel gives them
        return sum(int(p.read_text().split()[0]) for p in pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat")) / 1e6
    except (OSError, ValueError):
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) * 1000 / TICK


def process_resident_mib(pid):
    for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    return 0.0


class Bench:
    def __init__(self, base, build, progress):
        self.base, self.build, self.progress = pathlib.Path(base), pathlib.Path(build), progress
        self.first = 0
        self.base.chmod(0o755)
        self.dns = Nameserver(self.base, "127.0.0.1", 53)
        self.cgroup = rivals.Cgroup("postern_bench_rival")
        self.keys = {}
        for kind, argv in (("rsa", ["genrsa", "2048"]), ("ed25519", ["genpkey", "-algorithm", "ed25519"])):
            path = self.base / f"{kind}.pem"
            subprocess.run(["openssl", *argv[:1], *argv[1:], "-out", str(path)] if kind == "ed25519" else
                           ["openssl", "genrsa", "-out", str(path), "2048"], check=True, stderr=subprocess.DEVNULL)
            self.keys[kind] = path

    def say(self, text):
        if self.progress:
            print(text, file=sys.stderr, flush=True)

    def start(self):
        resolv = self.base / "resolv.conf"
        resolv.write_text("nameserver 127.0.0.1\n")
        subprocess.run(["mount", "--bind", str(resolv), os.path.realpath("/etc/resolv.conf")], check=True)
        self.dns.start(zone())

    def stop(self):
        self.dns.stop()
        self.cgroup.remove()

    def load(self, port, messages, connections=50):
        stats = self.base / "load.json"
        subprocess.run([str(self.build / "bench/postern-load"), "--to", f"127.0.0.1:{port}", "--messages", str(messages), "--connections",
                        str(connections), "--domains", str(DOMAINS), "--first", str(self.first), "--stats", str(stats)], check=True, timeout=300)
        self.first += messages
        return json.loads(stats.read_text())

    def sink(self, *options):
        sink = Sink(self.base, self.build)
        if sink.stats.exists():
            sink.stats.unlink()
        sink.start(MX, *options, store=False)
        return sink

    def drained(self, sink, messages, seconds=300):
        wait_until("deliveries", lambda: sink.counts()["messages"] >= messages, seconds, 0.2)
        return sink.counts()

    def engine(self, keys=(), options=None):
        engine = Engine(self.base, self.build, {"listen.submission": "127.0.0.1:2600", "dns.servers": "127.0.0.1:53", "smtp.tls": "never",
                                                "log.level": "warn", "spool.reserve": "1G", "site.messages": "1000", **(options or {})})
        subprocess.run(["rm", "-rf", str(engine.spool), str(engine.keys)], check=True)
        folder = engine.keys / "sender.test"
        if keys:
            folder.mkdir(parents=True)
            for kind in keys:
                (folder / f"{kind}.pem").write_bytes(self.keys[kind].read_bytes())
            subprocess.run(["chown", "-R", "postgres", str(engine.keys)], check=True)
            subprocess.run(["chmod", "-R", "go=", str(engine.keys)], check=True)
        engine.start()
        return engine


def row(messages, seconds, cpu_ms, resident, **more):
    return {"rate": messages / seconds, "cpu_ms": cpu_ms / messages, "resident_mib": resident, **more}


def ours_ingest(b, n):
    engine = b.engine()
    try:
        engine.cli("hold", "all", "--yes", "--reason", "bench")
        cpu = process_cpu_ms(engine.process.pid)
        stats = b.load(2600, n)
        cpu = process_cpu_ms(engine.process.pid) - cpu
        queued = engine.json("status")["books"]["queued"]
        if queued != n:
            raise Failure(f"{n} accepted but {queued} queued")
        return row(n, stats["seconds"], cpu, process_resident_mib(engine.process.pid))
    finally:
        engine.stop()


def ours_deliver(b, n):
    engine, sink = b.engine(), b.sink()
    try:
        engine.cli("hold", "all", "--yes", "--reason", "bench")
        b.load(2600, n)
        cpu, start = process_cpu_ms(engine.process.pid), time.monotonic()
        engine.cli("release", "all", "--yes")
        counts = b.drained(sink, n)
        cpu = process_cpu_ms(engine.process.pid) - cpu
        del start
        return row(n, counts["seconds"], cpu, process_resident_mib(engine.process.pid), connections=counts["connections"])
    finally:
        engine.stop()
        sink.stop()


def ours_e2e(b, n, keys=(), options=None, sink_options=()):
    engine, sink = b.engine(keys, options), b.sink(*sink_options)
    try:
        cpu, start = process_cpu_ms(engine.process.pid), time.monotonic()
        b.load(2600, n)
        counts = b.drained(sink, n)
        seconds = max(counts["seconds"], 0.001)
        cpu = process_cpu_ms(engine.process.pid) - cpu
        del start
        if counts["duplicates"]:
            raise Failure(f"{counts['duplicates']} duplicates")
        return row(n, seconds, cpu, process_resident_mib(engine.process.pid), connections=counts["connections"])
    finally:
        engine.stop()
        sink.stop()


def postfix_run(b, n, kind, dkim=False, sink_options=(), **settings):
    sink = b.sink(*sink_options)
    postfix = rivals.Postfix(b.base, b.cgroup, **settings)
    postfix.start(b.keys["rsa"] if dkim else None)
    try:
        port = rivals.PORTS["hold" if kind in ("ingest", "deliver") else "dkim" if dkim else "e2e"]
        cpu = b.cgroup.cpu_ms()
        stats = b.load(port, n)
        seconds = stats["seconds"]
        if kind == "deliver":
            cpu = b.cgroup.cpu_ms()
            start = time.monotonic()
            postfix.release()
            b.drained(sink, n)
            seconds = time.monotonic() - start
        elif kind == "e2e":
            seconds = b.drained(sink, n)["seconds"]
        cpu = b.cgroup.cpu_ms() - cpu
        return row(n, seconds, cpu, b.cgroup.resident_mib())
    finally:
        postfix.clean()
        postfix.stop()
        sink.stop()


# name: (what, ours, messages, rival, messages)
ROWS = {
    "ingest": ("durable SMTP ingest, 50 sessions", ours_ingest, 60000, lambda b, n: postfix_run(b, n, "ingest"), 10000),
    "deliver": ("delivery of a queue already spooled, unsigned", ours_deliver, 60000, lambda b, n: postfix_run(b, n, "deliver"), 10000),
    "e2e": ("end to end, unsigned", ours_e2e, 60000, lambda b, n: postfix_run(b, n, "e2e"), 8000),
    "e2e_rsa": ("end to end, RSA-2048", lambda b, n: ours_e2e(b, n, ("rsa",)), 20000, lambda b, n: postfix_run(b, n, "e2e", dkim=True), 4000),
    "e2e_both": ("end to end, RSA-2048 and Ed25519", lambda b, n: ours_e2e(b, n, ("rsa", "ed25519")), 20000, None, 0),
}
QUICK = ("ingest", "deliver", "e2e", "e2e_rsa")


def median_row(runs):
    out = {}
    for key in runs[0]:
        values = [r[key] for r in runs]
        out[key] = statistics.median(values)
        out[f"{key}_min"], out[f"{key}_max"] = min(values), max(values)
    return out


def measure(b, name, runs, scale):
    what, ours, n, rival, rival_n = ROWS[name]
    mine, theirs = [], []
    for i in range(runs):
        b.say(f"{name}: run {i + 1} of {runs}")
        mine.append(ours(b, max(int(n * scale), 1000)))
        if rival:
            theirs.append(rival(b, max(int(rival_n * scale), 1000)))
    result = {"what": what, **median_row(mine)}
    if theirs:
        peer = median_row(theirs)
        result |= {"peer_rate": peer["rate"], "peer_cpu_ms": peer["cpu_ms"], "peer_resident_mib": peer["resident_mib"],
                   "peer_rate_min": peer["rate_min"], "peer_rate_max": peer["rate_max"], "ratio": result["rate"] / peer["rate"]}
    return result


def table(results):
    print("| what | Postern msg/s [min–max] | CPU-ms | MiB | Postfix msg/s [min–max] | CPU-ms | MiB | ratio |\n|---|---|---|---|---|---|---|---|")
    for r in results.values():
        peer = (f"{r['peer_rate']:,.0f} [{r['peer_rate_min']:,.0f}–{r['peer_rate_max']:,.0f}] | {r['peer_cpu_ms']:.2f} | {r['peer_resident_mib']:.0f} | {r['ratio']:.1f}"
                if "peer_rate" in r else "– | – | – | –")
        print(f"| {r['what']} | {r['rate']:,.0f} [{r['rate_min']:,.0f}–{r['rate_max']:,.0f}] | {r['cpu_ms']:.3f} | {r['resident_mib']:.0f} | {peer} |")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("rows", nargs="*", help=f"any of {', '.join(ROWS)}; quick: {', '.join(QUICK)} once, small")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--scale", type=float, default=1.0, help="multiplies the number of messages")
    parser.add_argument("--json", action="store_true", help="last line: one object, rows by name")
    parser.add_argument("--build", required=True)
    args = parser.parse_args()
    names, runs, scale = args.rows or list(ROWS), args.runs, args.scale
    if names == ["quick"]:
        names, runs, scale = list(QUICK), 1, 0.4
    if unknown := [n for n in names if n not in ROWS]:
        parser.error(f"no row called {', '.join(unknown)}")
    with tempfile.TemporaryDirectory(prefix="postern-bench-", dir="/var/tmp") as base:
        b = Bench(base, args.build, True)
        b.start()
        try:
            results = {name: measure(b, name, runs, scale) for name in names}
        except Failure as e:
            print(f"bench: {e}", file=sys.stderr)
            return 1
        finally:
            b.stop()
    table(results)
    if args.json:
        print(json.dumps(results))
    return 0


if __name__ == "__main__":
    sys.exit(main())
