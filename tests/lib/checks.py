"""A script's checks: each is counted, a wrong one is told at once and the script goes on; what the last one says is its result."""

import time

from stack import ApiError

failures = []
done = 0


def check(fine, text):
    global done
    done += 1
    if not fine:
        failures.append(text)
        print("WRONG:", text, flush=True)


def refused(status, code, run, *args, **kw):
    """run is refused with this status and code; gives the problem."""
    name = f"{getattr(run, '__name__', run)} {args[:2]}"
    try:
        reply = run(*args, **kw)
    except ApiError as e:
        got = e.body.get("code") if isinstance(e.body, dict) else e.body
        check(e.status == status and (code is None or got == code), f"{name}: {e.status} {got}, not {status} {code}")
        return e.body if isinstance(e.body, dict) else {}
    check(False, f"{name}: answered {reply}, not {status} {code}")
    return {}


def wait_for(fine, seconds=30):
    """Does it become so within that time?"""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if fine():
            return True
        time.sleep(0.05)
    return False


def ended_well(control):
    """Stops the daemon: it goes in good order, and no sanitizer had anything to say."""
    control.stop()
    said = control.log.read_text(errors="replace")
    check(control.process.returncode == 0 and "Sanitizer" not in said and "runtime error" not in said,
          f"the daemon ends in good order ({control.process.returncode}): {said[-2000:]}")


def result(*more):
    """The line that ends a script."""
    print("result: " + ", ".join([*more, f"{done} checks, {len(failures)} wrong"]))
