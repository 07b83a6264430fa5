"""Rows about looking at a large queue: how long an operator waits for an answer, and what other mail feels of it."""
import json
import multiprocessing
import time

from hosts import Clockwork, Letters
from rows_scale import feed
from stack import Failure, wait_until
from world import process_cpu_ms, process_resident_mib

QUESTIONS = {
    "find": ("find", "campaign/1", "age<2h", "--max", "10"),
    "find_class": ("find", "class/spam-block", "attempts>0"),
    "by_provider": ("queue", "--by", "provider"),
    "by_class": ("queue", "--by", "class"),
    "by_domain": ("queue", "--by", "domain", "--max", "20"),
    "dry_run": ("hold", "tenant/1", "age>1s"),
}


ROUNDS = 3


def at(times, column, percent):
    values = sorted(t[column] for t in times)
    return values[max(int(len(values) * percent / 100) - 1, 0)]


def send_until(letters, number, done):
    """(milliseconds until each was accepted, until each reached the host)"""
    times = []
    while not done():
        times.append(letters.send(number + len(times)))
        time.sleep(0.005)
    return times


def send_for(letters, number, seconds):
    end = time.monotonic() + seconds
    return send_until(letters, number, lambda: time.monotonic() > end)


def ask_all(engine, questions, seconds, answers):
    """In a process of its own: Python's threads would keep the letters waiting for each other.  Once, or again and again for so long."""
    asked, end = {}, time.monotonic() + seconds
    while not asked or time.monotonic() < end:
        for name, question in questions.items():
            start = time.monotonic()
            answer = json.loads(engine.cli(*question, "--json", check=False).stdout)
            asked[name] = max(asked.get(name, 0), time.monotonic() - start)
            if answer.get("partial"):
                asked["partial"] = asked.get("partial", 0) + 1
    answers.put(asked)


def ask_meanwhile(engine, letters, number, questions, seconds=0):
    answers = multiprocessing.Queue()
    asker = multiprocessing.get_context("fork").Process(target=ask_all, args=(engine, questions, seconds, answers), daemon=True)
    asker.start()
    times = send_until(letters, number, lambda: not answers.empty() or not asker.is_alive())
    asked = answers.get(timeout=60)
    asker.join(60)
    return asked, times


def measure(engine, letters):
    """Letters alone, beside commands that ask nothing and beside questions, in turns: what the machine does by itself meets all three."""
    alone, commands, busy, asked, cpu = [], [], [], {}, 0
    for i in range(ROUNDS):
        start = time.monotonic()
        before = process_cpu_ms(engine.process.pid)
        answers, times = ask_meanwhile(engine, letters, 100000 * (i + 1), QUESTIONS)
        cpu += process_cpu_ms(engine.process.pid) - before
        took = time.monotonic() - start
        busy += times
        for name, value in answers.items():
            asked[name] = asked.get(name, 0) + value if name == "partial" else max(asked.get(name, 0), value)
        alone += send_for(letters, 100000 * (i + 1) + 30000, took)
        commands += ask_meanwhile(engine, letters, 100000 * (i + 1) + 60000, {"status": ("status",)}, took)[1]
    return alone, commands, busy, asked, cpu


def look_10m(b, n):
    """n queued and held; letters go out alone, beside commands that ask for the status, and beside questions without a pause."""
    records = b.dns.zones["test"]
    if "clock A 127.0.2.1" not in records:
        b.dns.publish("test", [*records, "clock A 127.0.2.1", "otp MX 10 clock"])
        b.clock = Clockwork("127.0.2.1")
        b.clock.start()
    engine = b.engine(options={"spool.segment": "256M", "log.level": "error"})

    try:
        engine.cli("hold", "tenant/1", "--yes", "--reason", "bench")
        feed(b, engine, n)
        wait_until("queue", lambda: engine.json("status")["queue"]["known"] >= n, 300, 0.5)
        letters = Letters(b.clock, 2600, "otp.test")
        send_for(letters, 0, 2)
        alone, commands, busy, asked, cpu = measure(engine, letters)
        start = time.monotonic()
        given = engine.json("hold", "campaign/1", "--yes")
        order_s = time.monotonic() - start
        start = time.monotonic()
        engine.json("retry", "campaign/1", "--yes")
        retry_s = time.monotonic() - start
        after = send_for(letters, 900000, 4)
        letters.close()
        if not set(QUESTIONS) <= set(asked):
            raise Failure(f"answers are not complete: {asked}")
        phases = {"alone": alone, "beside a command that asks nothing": commands, "asked": busy, "after": after}
        print({k: round(v, 2) for k, v in asked.items()}, f"hold {order_s:.2f} s of {given['count']}, retry {retry_s:.2f} s; p50 and p99 until accepted, and until there: "
              + ", ".join(f"{name} {at(t, 0, 50):.1f} {at(t, 0, 99):.1f}, {at(t, 1, 50):.1f} {at(t, 1, 99):.1f} ms ({len(t)} letters)" for name, t in phases.items()),
              flush=True)
        slowest = max(seconds for name, seconds in asked.items() if name != "partial")
        return {"rate": n / slowest, "cpu_ms": cpu / len(busy), "resident_mib": process_resident_mib(engine.process.pid), "p50_ms": at(busy, 1, 50),
                "p99_ms": at(busy, 1, 99), "alone_p99_ms": at(alone, 1, 99), "command_p99_ms": at(commands, 1, 99), "slowest_s": slowest}
    finally:
        engine.stop(seconds=60)


ROWS = {
    "look_10m": ("10,000,000 recipients queued: the slowest of find, queue --by and a dry run", look_10m, 10000000, None, 0),
}
