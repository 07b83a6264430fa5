#!/usr/bin/python3
"""The figures of docs/PERFORMANCE.md: Postern beside Postfix in one run, on loopback, in a namespace of its own.

Run it through script/bench.  10 KiB messages, one recipient each, 100 domains on 20 MX addresses; every acceptance is
synced.  A row is measured in turns, Postern and Postfix, --runs times; CPU is the engine's process alone for Postern, a
cgroup for Postfix (which forks).  The median counts, the spread stands beside it.
"""
import argparse
import json
import pathlib
import statistics
import sys
import tempfile
import time

SRC = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(SRC / "tests/lib"))
sys.path.insert(0, str(SRC / "bench"))
import rows  # noqa: E402
import rows_limits  # noqa: E402
import rows_scale  # noqa: E402
from stack import Failure  # noqa: E402
from world import Bench  # noqa: E402

ROWS = {**rows.ROWS, **rows_scale.ROWS, **rows_limits.ROWS}
# The main rows in under three minutes: once each, this part of the messages.
QUICK = {"ingest": 0.4, "deliver": 0.4, "e2e": 0.4, "e2e_rsa": 0.3, "e2e_tls_rsa": 0.3, "campaign_feed": 1.0, "campaign_rsa": 0.3,
         "sign_rsa": 1.0, "sign_ed25519": 1.0, "queue_10m": 1.0, "latency": 1.0, "reports": 0.3}
JSON_ALWAYS = ("rate", "peer_rate", "ratio", "cpu_ms")


def median_row(runs):
    out = {}
    for key in runs[0]:
        values = [r[key] for r in runs]
        out[key] = statistics.median(values)
        out[f"{key}_min"], out[f"{key}_max"] = min(values), max(values)
    return out


def measure(b, name, runs, scale):
    what, ours, n, rival, rival_n = ROWS[name]
    mine, theirs, start = [], [], time.monotonic()
    for i in range(runs):
        b.say(f"{name}: run {i + 1} of {runs}")
        mine.append(ours(b, max(int(n * scale), 1000)))
        if rival:
            theirs.append(rival(b, max(int(rival_n * scale), 1000)))
    b.say(f"{name}: {time.monotonic() - start:.0f} s")
    result = {"what": what, "messages": max(int(n * scale), 1000) if n else None, **median_row(mine)}
    if theirs:
        peer = median_row(theirs)
        result |= {"peer_rate": peer["rate"], "peer_cpu_ms": peer["cpu_ms"], "peer_resident_mib": peer["resident_mib"],
                   "peer_rate_min": peer["rate_min"], "peer_rate_max": peer["rate_max"], "ratio": result["rate"] / peer["rate"]}
    return result


def profile(b, names, scale):
    for name in names:
        b.profiling, b.recorder = True, None
        ROWS[name][1](b, max(int(ROWS[name][2] * scale), 1000))
        print(f"| {name} | " + ", ".join(f"{share} {percent:.0f} %" for share, percent in b.recorder.shares().items()) + " |")


EXTRA = ("of_plain", "limit_ms", "libopendkim_ms", "bytes_per_recipient", "resident_bytes", "restart_first_s", "restart_whole_s", "feed_rate", "p50_ms", "p99_ms", "taken_p50_ms", "connections",
         "sessions", "kib_per_session", "trips_data", "trips_flight", "near_rate", "alone_rate", "kept", "e2e_rate", "kept_e2e", "small_cpu_ms", "cost", "one_rate", "one_cpu_ms", "gain", "written_ratio", "syncs")


def table(results):
    print("| what | Postern msg/s [min–max] | CPU-ms | MiB | Postfix msg/s [min–max] | CPU-ms | MiB | ratio | more |\n|---|---|---|---|---|---|---|---|---|")
    for r in results.values():
        peer = (f"{r['peer_rate']:,.0f} [{r['peer_rate_min']:,.0f}–{r['peer_rate_max']:,.0f}] | {r['peer_cpu_ms']:.2f} | {r['peer_resident_mib']:.0f} | {r['ratio']:.1f}"
                if "peer_rate" in r else "– | – | – | –")
        more = ", ".join(f"{k} {r[k]:,.3g}" if r[k] < 1000 else f"{k} {r[k]:,.0f}" for k in EXTRA if k in r)
        print(f"| {r['what']} | {r['rate']:,.0f} [{r['rate_min']:,.0f}–{r['rate_max']:,.0f}] | {r['cpu_ms']:.3f} | {r.get('resident_mib', 0):.0f} | {peer} | {more} |")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("rows", nargs="*", help=f"any of {', '.join(ROWS)}; quick: {', '.join(QUICK)} once, small")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--scale", type=float, default=1.0, help="multiplies the number of messages")
    parser.add_argument("--json", action="store_true", help="last line: one object, rows by name")
    parser.add_argument("--profile", action="store_true", help="instead: where the engine's CPU goes in each row, once, without the rival")
    parser.add_argument("--build", required=True)
    args = parser.parse_args()
    names, runs, scales = args.rows or list(ROWS), args.runs, {}
    if names == ["quick"]:
        names, runs, scales = list(QUICK), 1, QUICK
    if unknown := [n for n in names if n not in ROWS]:
        parser.error(f"no row called {', '.join(unknown)}")
    with tempfile.TemporaryDirectory(prefix="postern-bench-", dir="/var/tmp") as base:
        b = Bench(base, args.build, True)
        b.start()
        try:
            if args.profile:
                profile(b, names, args.scale)
                return 0
            results = {name: measure(b, name, runs, scales.get(name, 1.0) * args.scale) for name in names}
        except Failure as e:
            print(f"bench: {e}", file=sys.stderr)
            return 1
        finally:
            b.stop()
    table(results)
    if args.json:
        print(json.dumps({name: {**dict.fromkeys(JSON_ALWAYS), **r} for name, r in results.items()}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
