"""The world of a soak: 100 domains, of which one is dead and four are slow, an engine, and who takes its events back."""
import json
import os
import pathlib
import signal
import subprocess

from hosts import Clockwork, Tarpit
from signatures import make_key
from stack import Engine, Failure, Nameserver, Part, Sink, own, wait_until

DOMAINS = 100
DEAD, SLOW, SLOW_MS = 1, (2, 3, 4, 5), 1000
SUBMISSION = 2600


class Events(Part):
    """postern-events: takes every event back, as the control plane does."""
    name = "events"

    def __init__(self, base, build, engine):
        super().__init__(base)
        self.build, self.engine, self.stats = pathlib.Path(build), engine, self.base / "events.json"

    def start(self):
        self.spawn([self.build / "bench/postern-events", "--socket", self.engine.link, "--name", "soak", "--stats", self.stats])

    def counts(self):
        if not self.alive():
            raise Failure(f"events: ended with status {self.process.returncode}: {self.log.read_text(errors='replace')}")
        self.stats.unlink(missing_ok=True)

        def told():
            self.process.send_signal(signal.SIGUSR1)
            return self.stats.exists() and self.stats.read_text().endswith("}\n")
        wait_until("counts of events", told, 10, 0.05)
        return json.loads(self.stats.read_text())


class World:
    def __init__(self, base, build, signed):
        self.base, self.build = pathlib.Path(base), pathlib.Path(build)
        self.first = 0  # number of the next message
        self.dns = Nameserver(base, "127.0.0.1", 53)
        self.sink, self.slow = Sink(base, build), Sink(base, build, "slow")
        self.clock, self.tarpit = Clockwork("127.0.2.9"), Tarpit("127.0.9.1")
        # Short delays and a short life, so that what the dead provider's mail takes comes to rest within two minutes.
        self.engine = Engine(base, build, {
            "listen.submission": f"127.0.0.1:{SUBMISSION}", "dns.servers": "127.0.0.1:53", "smtp.tls": "never", "log.level": "error",
            "bounce.messages": "no", "retry.schedule": "5s, 10s, 15s", "expire.after": "1m", "site.connections": "400", "site.messages": "1000",
            "smtp.timeout.greeting": "5s", "site.backoff_min": "1s", "site.backoff_max": "5s", "host.bad": "1s"})
        self.events = Events(base, build, self.engine)
        self.signed = signed

    def start(self):
        records = [f"mx{i} A 127.0.1.{i}" for i in range(1, 21)] + [f"slow{i} A 127.0.2.{i}" for i in (1, 2)]
        records += ["dead A 127.0.9.1", "d0001 MX 10 dead", "clock A 127.0.2.9", "otp MX 10 clock"]
        records += [f"d{n:04d} MX 10 slow{n % 2 + 1}" for n in SLOW]
        records += [f"d{n:04d} MX 10 mx{n % 20 + 1}" for n in range(SLOW[-1] + 1, DOMAINS + 1)]
        self.dns.start({"test": records})
        rules = self.base / "rules"
        rules.write_text("".join(f"domain d{n:04d}.test slow {SLOW_MS}\n" for n in SLOW) + "domain *.test defer-share 5\n", encoding="ascii")
        self.sink.start("127.0.1.1-20:25", "--rules", rules, store=False)
        self.slow.start("127.0.2.1-2:25", "--rules", rules, store=False)
        self.clock.start()
        self.tarpit.start()
        if self.signed:
            folder = self.engine.keys / "sender.test"
            folder.mkdir(parents=True)
            own(self.engine.keys)
            own(folder)
            make_key("rsa", folder / "soak.pem")
            own(folder / "soak.pem")
        self.engine.start()
        self.events.start()

    def stop(self):
        self.engine.stop()
        for part in (self.events, self.sink, self.slow, self.dns):
            part.stop()

    def load(self, messages, rate=0):
        """Starts sending; rate a second, 0: as fast as they are taken."""
        stats = self.base / "load.json"
        process = subprocess.Popen([str(self.build / "bench/postern-load"), "--to", f"127.0.0.1:{SUBMISSION}", "--messages", str(messages), "--connections", "50",
                                    "--domains", str(DOMAINS), "--first", str(self.first), "--stats", str(stats), *(["--rate", str(rate)] if rate else [])])
        self.first += messages
        return process

    def to_the_dead(self):
        """How many of the messages sent so far were for the dead provider."""
        return (self.first + DOMAINS - DEAD) // DOMAINS

    def received(self):
        """(messages, how many of them twice) at the hosts"""
        counts = [self.sink.counts(), self.slow.counts()]
        return sum(c["messages"] for c in counts), sum(c["duplicates"] for c in counts)

    def files(self):
        return len(os.listdir(f"/proc/{self.engine.process.pid}/fd"))

    def disk_kib(self):
        total = 0
        for f in self.engine.spool.iterdir():
            try:
                total += f.stat().st_blocks // 2
            except FileNotFoundError:  # a segment that was just removed
                pass
        return total

    def resident_kib(self):
        status = pathlib.Path(f"/proc/{self.engine.process.pid}/status").read_text(encoding="ascii")
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))

    def cpu_ms(self):
        tasks = pathlib.Path(f"/proc/{self.engine.process.pid}/task").glob("*/schedstat")
        return sum(int(p.read_text().split()[0]) for p in tasks) / 1e6

    def books(self):
        return self.engine.json("status")["books"]
