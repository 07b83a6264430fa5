#!/usr/bin/python3
"""The figures of the control plane in docs/PERFORMANCE.md.  Run it through `script/bench control [ROW...] [--scale X] [--json]`:
in a namespace of its own, with a PostgreSQL of its own that is gone afterwards.

At scale 1 there are 5,000,000 contacts and 50,000,000 events in 200 organisations; making them takes some 20 GB of disk and most of
the time.  CPU is that of postern-control's process alone.  With --json the last line is one object keyed by row.
"""
import argparse
import json
import pathlib
import sys
import tempfile
import time

SRC = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(SRC / "tests/lib"))
sys.path.insert(0, str(SRC / "bench"))
import control_reads  # noqa: E402
from control_world import World  # noqa: E402
from stack import Failure  # noqa: E402
from world import process_cpu_ms  # noqa: E402

TENANTS, CONTACTS, EVENTS, REQUESTS = 200, 5_000_000, 50_000_000, 20_000


def reads(world, scale):
    return control_reads.measure(world, max(int(REQUESTS * min(scale * 10, 1)), 400), lambda: process_cpu_ms(world.control.process.pid))


ROWS = {"reads": ("p99 of what people look at", reads)}


def table(results):
    print("| row | per second | p50, ms | p99, ms | CPU-ms |\n|---|---|---|---|---|")
    for name, r in results.items():
        print(f"| `{name}` | {r['rate']:,.0f} | {r['p50_ms']:.2f} | {r['p99_ms']:.2f} | {r['cpu_ms']:.2f} |")
        for kind, k in r.get("kinds", {}).items():
            print(f"| {kind} | | {k['p50_ms']:.2f} | {k['p99_ms']:.2f} | |")


def main():
    p = argparse.ArgumentParser(prog="script/bench control")
    p.add_argument("rows", nargs="*", choices=[*ROWS, []], help="any of " + ", ".join(ROWS))
    p.add_argument("--scale", type=float, default=1.0, help="multiplies contacts and events (default 1)")
    p.add_argument("--json", action="store_true", help="last line: one object, rows by name")
    p.add_argument("--build", required=True, help=argparse.SUPPRESS)
    a = p.parse_args()
    tenants = TENANTS if a.scale >= 0.1 else max(int(TENANTS * a.scale * 10), 3)

    def say(text):
        print(f"{time.monotonic() - start:6.0f} s  {text}", file=sys.stderr, flush=True)
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="postern-bench.") as base:
        world = World(base, a.build, tenants, int(CONTACTS * a.scale), int(EVENTS * a.scale), say)
        try:
            world.start()
            say(f"{tenants} organisations sign up")
            world.sign_up()
            world.fill()
            results = {}
            for name in a.rows or ROWS:
                say(f"{name}: {ROWS[name][0]}")
                results[name] = ROWS[name][1](world, a.scale)
        except Failure as e:
            say(str(e))
            return 1
        finally:
            world.stop()
    table(results)
    if a.json:
        print(json.dumps(results))
    return 0


if __name__ == "__main__":
    sys.exit(main())
