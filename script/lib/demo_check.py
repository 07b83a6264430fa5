"""Checks the mail that arrived in the demo, without our own code: who got it, how often, and what dkimpy says."""
import collections
import concurrent.futures
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../tests/lib"))
import signatures  # noqa: E402


def index(store):
    """[(recipient, offset, length)] of the messages in a sink's store."""
    out = []
    with open(store, "rb") as f:
        while line := f.readline():
            facts = json.loads(line)
            out.append((facts["rcpt"], f.tell(), facts["bytes"]))
            f.seek(facts["bytes"] + 1, os.SEEK_CUR)
    return out


def verify(store, places, lookup, per_message):
    """How many signatures of each message pass; runs in a process of its own."""
    good = 0
    with open(store, "rb") as f:
        for _, offset, length in places:
            f.seek(offset)
            good += signatures.dkimpy_passes(f.read(length), lookup, per_message) == per_message
    return good


def verify_all(store, places, lookup, per_message, say):
    passed, done, size = 0, 0, 250
    parts = [places[i:i + size] for i in range(0, len(places), size)]
    with concurrent.futures.ProcessPoolExecutor(max_workers=2) as pool:
        jobs = [pool.submit(verify, store, part, lookup, per_message) for part in parts]
        for part, job in zip(parts, jobs):
            passed += job.result()
            done += len(part)
            say(f"verifying signatures with dkimpy: {done} of {len(places)}")
    return passed


def compare(places, recipients, must_arrive):
    """lost, duplicates, strangers: received against imported."""
    seen = collections.Counter(rcpt for rcpt, _, _ in places)
    known = set(recipients)
    lost = sum(1 for r in recipients if must_arrive(r) and not seen[r])
    duplicates = sum(n - 1 for n in seen.values())
    strangers = sum(1 for r in seen if r not in known)
    return lost, duplicates, strangers
