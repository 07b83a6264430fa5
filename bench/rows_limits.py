"""Rows about what must not cost: distance, dead providers, a long queue, a second lane, the disk."""
import statistics
import time

from hosts import Tarpit
from rows import ours_deliver, ours_e2e, row
from rows_scale import campaign_rsa, feed
from stack import Failure, wait_until
from world import process_cpu_ms, process_resident_mib


def gauge(engine, name):
    for line in engine.json("metrics")["text"].splitlines():
        if line.startswith(f"postern_{name} "):
            return int(line.split()[1])
    raise Failure(f"no metric {name}")


def distance(b, n):
    """n messages over 5,000 sessions to hosts that answer 200 ms after the dot, beside `e2e` and `deliver` in the same run."""
    near, e2e = ours_deliver(b, n // 4), ours_e2e(b, n // 4)
    trips = {"trips_data": round_trips(b, 9), "trips_flight": round_trips(b, 9, "--chunking")}
    engine, sink = b.engine(options={"site.connections": "250", "site.connections_start": "250"}), b.sink("--delay", "200")
    try:
        engine.cli("hold", "all", "--yes", "--reason", "bench")
        b.load(2600, n)
        resident, cpu, most, sessions = process_resident_mib(engine.process.pid), process_cpu_ms(engine.process.pid), 0.0, 0
        engine.cli("release", "all", "--yes")
        while sink.counts()["messages"] < n:
            sessions = max(sessions, gauge(engine, "sessions_open"))
            most = max(most, process_resident_mib(engine.process.pid))
            time.sleep(0.2)
        counts, cpu = sink.counts(), process_cpu_ms(engine.process.pid) - cpu
        return row(n, counts["seconds"], cpu, most, sessions=sessions, near_rate=near["rate"], e2e_rate=e2e["rate"],
                   kept=n / counts["seconds"] / near["rate"], kept_e2e=n / counts["seconds"] / e2e["rate"],
                   kib_per_session=max(most - resident, 0) * 1024 / max(sessions, 1), **trips)
    finally:
        engine.stop()
        sink.stop()


def round_trips(b, messages, *offers):
    """Round trips of a message, one at a time on a kept connection, to a lock-step host 200 ms away."""
    trip, engine, sink = 0.2, b.engine(), b.sink("--away", "200", *offers)
    try:
        taken = []
        for i in range(messages + 2):
            start = time.monotonic()
            b.load(2600, 1, connections=1)
            b.first -= 1  # to the same host
            wait_until("its answer", lambda: engine.json("status")["books"]["delivered"] > i, 30, 0.005)
            taken.append((time.monotonic() - start) / trip)
        return statistics.median(taken[2:])  # the first two open the connection, and find out what the host can do
    finally:
        b.first += 1
        engine.stop()
        sink.stop()


def dead_provider(b, n):
    """`deliver` with a million recipients queued for a provider that takes connections and never greets, beside one without."""
    records = b.dns.zones["test"]
    if "tar A 127.0.3.1" not in records:
        b.dns.publish("test", [*records, "tar A 127.0.3.1", "dead MX 10 tar"])
        Tarpit("127.0.3.1").start()
    alone = ours_deliver(b, n)
    engine, sink = b.engine(), b.sink()
    try:
        engine.cli("hold", "all", "--yes", "--reason", "bench")
        dead = max(int(1000000 * min(n / 60000, 1)), 1000)
        feed(b, engine, dead, b.first, to="dead.test")
        b.first += dead
        b.load(2600, n)
        wait_until("queue", lambda: engine.json("status")["queue"]["known"] >= n + dead, 60, 0.1)
        cpu = process_cpu_ms(engine.process.pid)
        engine.cli("release", "all", "--yes")
        counts = b.drained(sink, n)
        cpu = process_cpu_ms(engine.process.pid) - cpu
        return row(n, counts["seconds"], cpu, process_resident_mib(engine.process.pid), alone_rate=alone["rate"],
                   kept=n / counts["seconds"] / alone["rate"], dead_queued=dead)
    finally:
        engine.stop(seconds=60)
        sink.stop()


def cpu_of_draining(engine, sink, n):
    """CPU-ms a message while n of what is queued are delivered."""
    cpu, sent = process_cpu_ms(engine.process.pid), sink.counts()["messages"]
    wait_until("deliveries", lambda: sink.counts()["messages"] >= sent + n, 120, 0.05)
    return (process_cpu_ms(engine.process.pid) - cpu) / (sink.counts()["messages"] - sent)


def cost_with_queue(b, n):
    """A campaign of n being delivered, over 60,000 of its messages, beside campaigns of 10,000."""
    engine, sink = b.engine(options={"spool.segment": "256M"}), b.sink()
    try:
        small = []
        for i in range(6):
            engine.cli("hold", "all", "--yes", "--reason", "bench")
            feed(b, engine, 10000, b.first, campaign=i + 1)
            b.first += 10000
            wait_until("queue", lambda: engine.json("status")["queue"]["known"] >= 10000, 60, 0.05)
            before = sink.counts()["messages"]
            cpu = process_cpu_ms(engine.process.pid)
            engine.cli("release", "all", "--yes")
            b.drained(sink, before + 10000)
            small.append((process_cpu_ms(engine.process.pid) - cpu) / 10000)
        engine.cli("hold", "all", "--yes", "--reason", "bench")
        feed(b, engine, n, b.first, campaign=100)
        b.first += n
        wait_until("queue", lambda: engine.json("status")["queue"]["known"] >= n, 120, 0.5)
        engine.cli("release", "all", "--yes")
        large = [cpu_of_draining(engine, sink, min(n // 12, 10000)) for _ in range(6)]
        return {"rate": 0.0, "cpu_ms": statistics.median(large), "small_cpu_ms": statistics.median(small),
                "cost": statistics.median(large) / statistics.median(small), "resident_mib": process_resident_mib(engine.process.pid)}
    finally:
        engine.stop(seconds=60)
        sink.stop()


def lanes(b, n):
    """A signed campaign, whose sender and sink cost little, on one lane and on two."""
    one, two = campaign_rsa(b, n, {"lanes": "1"}), campaign_rsa(b, n, {"lanes": "2"})
    return {**two, "one_rate": one["rate"], "one_cpu_ms": one["cpu_ms"], "gain": two["rate"] / one["rate"], "cost": two["cpu_ms"] / one["cpu_ms"]}


def disk(b, n):
    """Bytes the engine wrote, from acceptance to the last outcome, to bytes of the messages it took."""
    return ours_e2e(b, n, disk=True)


NOTICE = """From: MAILER-DAEMON@mx.example.org (Mail Delivery System)\r
Subject: Undelivered Mail Returned to Sender\r
Auto-Submitted: auto-replied\r
MIME-Version: 1.0\r
Content-Type: multipart/report; report-type=delivery-status; boundary="x"\r
\r
--x\r
Content-Type: text/plain; charset=us-ascii\r
\r
This is the mail system at host mx.example.org. Your message could not be delivered to one or more recipients.\r
\r
<user@example.org>: host mx1.example.org[192.0.2.1] said: 550 5.1.1 <user@example.org>: Recipient address rejected: User unknown\r
\r
--x\r
Content-Type: message/delivery-status\r
\r
Reporting-MTA: dns; mx.example.org\r
\r
Final-Recipient: rfc822; user@example.org\r
Action: failed\r
Status: 5.1.1\r
Diagnostic-Code: smtp; 550 5.1.1 <user@example.org>: Recipient address rejected: User unknown\r
\r
--x\r
Content-Type: text/rfc822-headers\r
\r
From: News <news@sender.test>\r
To: user@example.org\r
Subject: News of the day\r
Message-ID: <1@sender.test>\r
\r
--x--\r
"""


def reports(b, n):
    """Notices that come back: taken, durable, read by the process that reads, and recorded."""
    engine = b.engine((), {"listen.reports": "127.0.0.1:2601", "return.hosts": "r.test", "return.keys": b.base / "return", "reports.rate": "0/s"})
    notice = b.base / "notice.eml"
    notice.write_text(NOTICE, newline="")
    try:
        cpu, start = process_cpu_ms(engine.process.pid), time.monotonic()
        stats = b.load(2601, n, options=("--rcpt", "postmaster@r.test", "--message", str(notice)))
        wait_until("all to be read", lambda: engine.json("status")["books"]["returned"] >= n, 300, 0.1)
        seconds = time.monotonic() - start
        cpu = process_cpu_ms(engine.process.pid) - cpu
        return {"rate": n / seconds, "cpu_ms": cpu / n, "resident_mib": process_resident_mib(engine.process.pid), "taken": n / stats["seconds"]}
    finally:
        engine.stop()


ROWS = {
    "reports": ("notices that come back: taken, read in the sandbox, recorded", reports, 20000, None, 0),
    "distance": ("5,000 sessions to hosts that answer after 200 ms", distance, 300000, None, 0),
    "dead_provider": ("a tar-pitting provider with 1,000,000 queued: the others' rate", dead_provider, 60000, None, 0),
    "cost_with_queue": ("CPU of a message with 10,000,000 queued, beside 10,000", cost_with_queue, 10000000, None, 0),
    "lanes": ("two lanes beside one, campaign, RSA-2048", lanes, 20000, None, 0),
    "disk": ("bytes written a byte of message, end to end", disk, 60000, None, 0),
}
