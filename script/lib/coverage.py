"""coverage.py [--files] FILE: the summary that gcovr wrote, as a table of rooms."""
import collections
import json
import sys

COLUMNS = ("line", "branch")


def percent(entry, what):
    reached, total = entry[what + "_covered"], entry[what + "_total"]
    return 100 * reached / total if total else 100.0


def row(name, entry):
    line = f"{name:<28}"
    for what in COLUMNS:
        reached, total = entry[what + "_covered"], entry[what + "_total"]
        line += f"{percent(entry, what):>10.1f} %{reached:>8}{total:>8}"
    print(line)


def main():
    files = json.load(open(sys.argv[-1]))["files"]
    rooms, total = collections.defaultdict(collections.Counter), collections.Counter()
    for entry in files:
        counts = {k: v for k, v in entry.items() if k.endswith(("_covered", "_total"))}
        rooms[entry["filename"].rpartition("/")[0]].update(counts)
        total.update(counts)
    heads = "".join(f"{what:>12}{'reached':>8}{'of':>8}" for what in ("lines", "branches"))
    print(f"{'room':<28}{heads}")
    for room in sorted(rooms):
        row(room, rooms[room])
        if "--files" in sys.argv:
            inside = [e for e in files if e["filename"].rpartition("/")[0] == room]
            for entry in sorted(inside, key=lambda e: percent(e, "branch")):
                row("  " + entry["filename"].rpartition("/")[2], entry)
    row("total", total)


main()
