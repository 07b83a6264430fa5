"""What every row of the figures needs: DNS, sink, load, an engine of its own, and its CPU time and memory."""
import json
import os
import pathlib
import subprocess
import sys

import profile_engine
import rivals
from stack import Engine, Nameserver, Sink, wait_until

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
        self.profiling, self.recorder = False, None
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

    def load(self, port, messages, connections=50, options=(), login=None):
        stats = self.base / "load.json"
        env = {**os.environ, "POSTERN_LOGIN": login} if login else None
        subprocess.run([str(self.build / "bench/postern-load"), "--to", f"127.0.0.1:{port}", "--messages", str(messages), "--connections",
                        str(connections), "--domains", str(DOMAINS), "--first", str(self.first), "--stats", str(stats), *options],
                       check=True, timeout=300, env=env)
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
        # What remembers the spool outside of it goes with it (docs/SPOOL.md).
        subprocess.run(["rm", "-rf", str(engine.spool), f"{engine.spool}.id", str(engine.keys)], check=True)
        folder = engine.keys / "sender.test"
        if keys:
            folder.mkdir(parents=True)
            for kind in keys:
                (folder / f"{kind}.pem").write_bytes(self.keys[kind].read_bytes())
                (folder / f"{kind}.pem").chmod(0o600)
            subprocess.run(["chown", "-R", "postgres", str(engine.keys)], check=True)
            subprocess.run(["chmod", "-R", "go=", str(engine.keys)], check=True)
        engine.start()
        if self.profiling and not self.recorder:
            self.recorder = profile_engine.Recorder(engine.process.pid, self.base / "perf.data")
        return engine
