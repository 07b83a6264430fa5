"""A script's checks: each is counted, a wrong one is told at once and the script goes on; what the last one says is its result."""

failures = []
done = 0


def check(fine, text):
    global done
    done += 1
    if not fine:
        failures.append(text)
        print("WRONG:", text, flush=True)


def ended_well(control):
    """Stops the daemon: it goes in good order, and no sanitizer had anything to say."""
    control.stop()
    said = control.log.read_text(errors="replace")
    check(control.process.returncode == 0 and "Sanitizer" not in said and "runtime error" not in said,
          f"the daemon ends in good order ({control.process.returncode}): {said[-2000:]}")


def result(*more):
    """The line that ends a script."""
    print("result: " + ", ".join([*more, f"{done} checks, {len(failures)} wrong"]))
