"""Rows about size: a campaign of a million, ten million queued, one letter among a million."""
import json
import random
import statistics
import subprocess
import time

from hosts import Clockwork, Letters
from rows import postfix_run, row
from stack import Failure, wait_until
from world import DOMAINS, process_cpu_ms, process_resident_mib


def feed(b, engine, n, first=0, campaign=1, sign_domain="", tenant=1, to=None):
    stats = b.base / "feed.json"
    subprocess.run([str(b.build / "bench/postern-feed"), "--socket", str(engine.link), "--recipients", str(n), "--domains", str(DOMAINS), "--first",
                    str(first), "--campaign", str(campaign), "--tenant", str(tenant), "--sign-domain", sign_domain, "--stats", str(stats), *(["--to", to] if to else [])],
                   check=True, timeout=600)
    return json.loads(stats.read_text())


def campaign_feed(b, n):
    engine = b.engine()
    try:
        engine.cli("hold", "all", "--yes", "--reason", "bench")
        before = engine.json("status")["books"]["bytes_written"]
        cpu = process_cpu_ms(engine.process.pid)
        stats = feed(b, engine, n)
        cpu = process_cpu_ms(engine.process.pid) - cpu
        books = engine.json("status")["books"]
        if books["queued"] != n:
            raise Failure(f"{n} fed but {books['queued']} queued")
        return row(n, stats["seconds"], cpu, process_resident_mib(engine.process.pid), bytes_per_recipient=(books["bytes_written"] - before) / n)
    finally:
        engine.stop()


def campaign_rsa(b, n, options=None):
    engine, sink = b.engine(("rsa",), options), b.sink()
    try:
        engine.cli("hold", "all", "--yes", "--reason", "bench")
        feed(b, engine, n, b.first, sign_domain="sender.test")
        b.first += n
        cpu = process_cpu_ms(engine.process.pid)
        engine.cli("release", "all", "--yes")
        counts = b.drained(sink, n)
        cpu = process_cpu_ms(engine.process.pid) - cpu
        if counts["duplicates"]:
            raise Failure(f"{counts['duplicates']} duplicates")
        return row(n, counts["seconds"], cpu, process_resident_mib(engine.process.pid))
    finally:
        engine.stop()
        sink.stop()


def queue_10m(b, n):
    """n queued; the engine is stopped and started: when does the first letter leave, when is the whole queue known?"""
    engine, sink = b.engine(options={"spool.segment": "256M"}), None
    try:
        engine.cli("hold", "all", "--yes", "--reason", "bench")
        stats = feed(b, engine, n)
        wait_until("queue", lambda: engine.json("status")["queue"]["known"] >= n, 120, 0.5)
        resident = process_resident_mib(engine.process.pid)
        engine.cli("release", "all", "--yes")
        engine.stop()
        b.first += n
        sink = b.sink()
        start = time.monotonic()
        engine.start(120)
        wait_until("first delivery", lambda: sink.counts()["messages"] > 0, 120, 0.01)
        first = time.monotonic() - start
        wait_until("whole queue", lambda: not engine.json("status")["queue"]["loading"], 120, 0.05)
        whole = time.monotonic() - start
        # Cost of a message with all of them queued: over five seconds of delivering.
        cpu, sent, at = process_cpu_ms(engine.process.pid), sink.counts()["messages"], time.monotonic()
        time.sleep(5)
        cpu, sent, seconds = process_cpu_ms(engine.process.pid) - cpu, sink.counts()["messages"] - sent, time.monotonic() - at
        return {"rate": sent / seconds, "cpu_ms": cpu / max(sent, 1), "resident_mib": resident, "resident_bytes": resident * 1048576,
                "restart_first_s": first, "restart_whole_s": whole, "feed_rate": stats["rate"]}
    finally:
        engine.stop(seconds=60)
        if sink:
            sink.stop()


def latency(b, n):
    """n bulk recipients queued and being delivered; letters submitted alone to another domain, and to a busy one."""
    records = b.dns.zones["test"]
    if "clock A 127.0.2.1" not in records:
        b.dns.publish("test", [*records, "clock A 127.0.2.1", "otp MX 10 clock"])
        b.clock = Clockwork("127.0.2.1")
        b.clock.start()
    # Answers of the bulk hosts take 20 ms: the load is that of a queue, not of a flood over loopback.
    engine, sink = b.engine(options={"log.level": "error"}), b.sink("--delay", "20")
    try:
        engine.cli("hold", "all", "--yes", "--reason", "bench")
        feed(b, engine, n)
        engine.cli("release", "all", "--yes")
        b.first += n
        wait_until("bulk", lambda: sink.counts()["messages"] > 1000, 60, 0.1)
        times, taken = [], []
        letters = Letters(b.clock, 2600, "otp.test")
        bulk, cpu, begun = sink.counts()["messages"], process_cpu_ms(engine.process.pid), time.monotonic()
        for i in range(200):
            accepted, arrived = letters.send(b.first + i)
            taken.append(accepted)
            times.append(arrived)
            time.sleep(0.02)
        seconds, cpu = time.monotonic() - begun, process_cpu_ms(engine.process.pid) - cpu
        bulk = sink.counts()["messages"] - bulk
        letters.close()
        b.first += 200
        times.sort()
        taken.sort()
        return {"rate": bulk / seconds, "cpu_ms": cpu / max(bulk, 1), "p50_ms": statistics.median(times), "p99_ms": times[int(len(times) * 0.99) - 1],
                "taken_p50_ms": statistics.median(taken), "resident_mib": process_resident_mib(engine.process.pid)}
    finally:
        engine.stop(seconds=60)
        sink.stop()


def fairness(b, n):
    """A site of 4 connections and 100 messages a second, n bulk messages of five tenants queued for it: letters to the same site."""
    b.dns.publish("test", [r for r in b.dns.zones["test"] if not r.startswith(("narrow ", "fair "))] + ["narrow A 127.0.2.2", "fair MX 10 narrow"])
    narrow = Clockwork("127.0.2.2", delay=0.025)
    narrow.start()
    engine = b.engine(options={"log.level": "error", "site.connections": "4", "site.connections_start": "4", "site.rate": "100", "site.messages": "1000000"})
    try:
        engine.cli("hold", "all", "--yes", "--reason", "bench")
        for tenant in range(1, 6):
            feed(b, engine, n // 5, b.first, campaign=tenant, tenant=tenant, to="fair.test")
            b.first += n // 5
        engine.cli("release", "all", "--yes")
        wait_until("bulk", lambda: len(narrow.at) > 500, 60, 0.1)
        letters, times = Letters(narrow, 2600, "fair.test"), []
        bulk, cpu, begun = len(narrow.at), process_cpu_ms(engine.process.pid), time.monotonic()
        for i in range(200):
            times.append(letters.send(b.first + i)[1])
            time.sleep(random.uniform(0.02, 0.2))
        seconds, cpu = time.monotonic() - begun, process_cpu_ms(engine.process.pid) - cpu
        bulk = len(narrow.at) - bulk
        letters.close()
        b.first += 200
        if narrow.most > 4 or (bulk + 200) / seconds > 105:
            raise Failure(f"{narrow.most} connections, {(bulk + 200) / seconds:.0f} messages a second")
        times.sort()
        return {"rate": (bulk + 200) / seconds, "cpu_ms": cpu / max(bulk, 1), "p50_ms": statistics.median(times),
                "p99_ms": times[int(len(times) * 0.99) - 1], "resident_mib": process_resident_mib(engine.process.pid)}
    finally:
        engine.stop(seconds=60)
        narrow.listener.close()


ROWS = {
    "campaign_feed": ("campaign: one template, three merge fields, fed through the link to durable spool", campaign_feed, 1000000, None, 0),
    "campaign_rsa": ("campaign end to end from that spool, RSA-2048", campaign_rsa, 20000, lambda b, n: postfix_run(b, n, "e2e", dkim=True), 4000),
    "queue_10m": ("10,000,000 recipients queued, then a restart", queue_10m, 10000000, None, 0),
    "fairness": ("one letter to a site of 4 connections and 100/s with 1,000,000 bulk recipients of five tenants queued", fairness, 1000000, None, 0),
    "latency": ("one letter alone while 1,000,000 bulk recipients are queued", latency, 1000000, None, 0),
}
