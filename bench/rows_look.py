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


def p99(times):
    return sorted(times)[max(int(len(times) * 0.99) - 1, 0)]


def send_until(letters, number, done, most):
    times = []
    while len(times) < most and not done():
        times.append(letters.send(number + len(times))[1])
        time.sleep(0.005)
    return times


def ask_all(engine, questions, answers):
    """In a process of its own: Python's threads would keep the letters waiting for each other."""
    asked = {}
    for _ in range(3):
        for name, question in questions.items():
            start = time.monotonic()
            answer = json.loads(engine.cli(*question, "--json", check=False).stdout)
            asked[name] = max(asked.get(name, 0), time.monotonic() - start)
            if answer.get("partial"):
                asked["partial"] = asked.get("partial", 0) + 1
    answers.put(asked)


def ask_meanwhile(engine, letters, number, questions):
    answers = multiprocessing.Queue()
    asker = multiprocessing.get_context("fork").Process(target=ask_all, args=(engine, questions, answers), daemon=True)
    asker.start()
    times = send_until(letters, number, lambda: not answers.empty() or not asker.is_alive(), 100000)
    asked = answers.get(timeout=60)
    asker.join(60)
    return asked, times


def look_10m(b, n):
    """n queued and held; letters go out alone, beside commands that ask for the status, then beside questions without a pause."""
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
        alone = send_until(letters, 0, lambda: False, 300)
        _, commands = ask_meanwhile(engine, letters, 1000, {name: ("status",) for name in QUESTIONS})
        cpu = process_cpu_ms(engine.process.pid)
        asked, busy = ask_meanwhile(engine, letters, 10000, QUESTIONS)
        cpu = process_cpu_ms(engine.process.pid) - cpu
        start = time.monotonic()
        given = engine.json("hold", "campaign/1", "--yes")
        order_s = time.monotonic() - start
        start = time.monotonic()
        engine.json("retry", "campaign/1", "--yes")
        retry_s = time.monotonic() - start
        after = send_until(letters, 500000, lambda: False, 200)
        letters.close()
        if len(asked) != len(QUESTIONS):
            raise Failure(f"answers are not complete: {asked}")
        print({k: round(v, 2) for k, v in asked.items()}, f"hold {order_s:.2f} s of {given['count']}, retry {retry_s:.2f} s, p99 alone {p99(alone):.1f} ms, "
              f"beside a command that asks nothing {p99(commands):.1f} ms, asked {p99(busy):.1f} ms ({len(busy)} letters), after {p99(after):.1f} ms", flush=True)
        slowest = max(seconds for name, seconds in asked.items() if name != "partial")
        return {"rate": n / slowest, "cpu_ms": cpu / len(busy), "resident_mib": process_resident_mib(engine.process.pid),
                "p50_ms": sorted(busy)[len(busy) // 2], "p99_ms": p99(busy), "alone_p99_ms": p99(alone), "command_p99_ms": p99(commands), "slowest_s": slowest}
    finally:
        engine.stop(seconds=60)


ROWS = {
    "look_10m": ("10,000,000 recipients queued: the slowest of find, queue --by and a dry run", look_10m, 10000000, None, 0),
}
