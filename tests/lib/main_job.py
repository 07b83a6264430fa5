"""Runs a user's program that does the demo's main job (tests/client/main_job.*) against the whole product."""
import json
import os
import pathlib
import subprocess

from checks import check, failures, result
from stack import Failure
from whole import Whole, zone_line

TMP = pathlib.Path(os.environ["POSTERN_TMP"])
PEOPLE = 20


def watch(whole, command):
    with subprocess.Popen([*command, whole.control.url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as job:
        word, _, records = job.stdout.readline().partition(" ")
        if word == "publish":
            whole.dns.publish("sender.test", [zone_line(r) for r in json.loads(records)])
        rest, _ = job.communicate("\n", timeout=90)
    check(job.returncode == 0, f"the program ends well ({job.returncode})")
    word, _, stats = rest.strip().partition(" ")
    check(word == "sent" and json.loads(stats) == {"audience": PEOPLE, "delivered": PEOPLE}, f"the statistics are read: {rest!r}")
    whole.sink.counts()
    got = sorted(facts["rcpt"] for facts, _ in whole.sink.messages())
    check(got == sorted(f"person{i}@d1.test" for i in range(PEOPLE)), f"everybody got one message: {got}")


def main(make):
    """make() makes the client and returns the program's command."""
    whole = Whole(TMP, pathlib.Path(os.environ["POSTERN_BUILD"]))
    try:
        command = make()
        whole.start({"test": ["mx A 127.0.1.1", "d1 MX 10 mx"]}, "127.0.1.1:2525")
        watch(whole, command)
    except Failure as e:
        check(False, str(e))
    whole.stop()
    result()
    return 1 if failures else 0
