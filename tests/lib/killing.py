"""What the scripts that kill share; run(): a campaign of 20,000 recipients during which one part is killed with SIGKILL at
30 random moments."""
import collections
import os
import random
import time

from stack import ApiError
from whole import Whole

RECIPIENTS, KILLS, DOMAINS = 20000, 30, 200


def settled(sink):
    """Counts once nothing more arrives: what was on its way when the engine died has been taken."""
    last = sink.counts()["recipients"]
    while True:
        time.sleep(0.15)
        now = sink.counts()["recipients"]
        if now == last:
            return now
        last = now


def restless_api(error):
    """What a client sees while a part is down: no connection, or an honest 5xx."""
    return isinstance(error, (OSError, EOFError)) or (isinstance(error, ApiError) and error.status >= 500)


def ask(whole, seconds=60):
    end = time.monotonic() + seconds
    while True:
        try:
            return whole.progress()
        except Exception as e:
            if not restless_api(e) or time.monotonic() > end:
                raise
            time.sleep(0.1)


def run(part_name, kill, revive):
    tmp, build = os.environ["POSTERN_TMP"], os.environ["POSTERN_BUILD"]
    seed = int(os.environ.get("POSTERN_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 32)
    rng = random.Random(seed)
    print(f"seed {seed}")
    whole = Whole(tmp, build, engine={"site.connections": "4", "smtp.tls": "never", "log.level": "warn", "spool.segment": "1M"},
                  control={"http.workers": "2"})
    records = [f"mx{i} A 127.0.1.{i}" for i in range(1, 21)] + [f"d{i:03d} MX 10 mx{i % 20 + 1}" for i in range(DOMAINS)]
    whole.start({"example.test": records}, "127.0.1.1-20:2525", "--delay", "300")
    whole.sign_up()
    whole.add_domain()
    recipients = [f"u{i}@d{i % DOMAINS:03d}.example.test" for i in range(RECIPIENTS)]
    whole.import_csv(("email,first_name\n" + "".join(f"{r},Person {i}\n" for i, r in enumerate(recipients))).encode())
    whole.send_campaign("Hello {{first_name}}", "", "Hello {{first_name}},\n\n{{{unsubscribe_url}}}\n")

    wrong, kills, fed = [], 0, 0
    while kills < KILLS:
        time.sleep(rng.uniform(0.05, 1.0))
        kill(whole)
        kills += 1
        time.sleep(rng.uniform(0, 0.1))
        revive(whole)
        p = ask(whole)
        fed = max(fed, RECIPIENTS - p["states"].get("waiting", 0))
        if p["done"] == RECIPIENTS:
            break
    end = time.monotonic() + 180
    while (p := ask(whole))["status"] != "completed" and time.monotonic() < end:
        time.sleep(0.3)
    books = whole.engine.json("status")["books"]
    whole.stop()

    seen = collections.Counter(facts["rcpt"] for facts, _ in whole.sink.messages())
    lost = sum(1 for r in recipients if not seen[r])
    duplicates = sum(n - 1 for n in seen.values())
    print(f"figures: {part_name} killed {kills} times, lost {lost}, duplicates {duplicates}, accepted by the engine {books['accepted']}, "
          f"delivered in its books {books['delivered']}, delivered in the ledger {p['states'].get('delivered')}")
    if lost or duplicates:
        wrong.append(f"lost {lost}, duplicates {duplicates}: the engine was never killed, so both must be 0")
    if books["accepted"] != RECIPIENTS or books["delivered"] != RECIPIENTS:
        wrong.append(f"the engine's books: {books}")
    if p["status"] != "completed" or p["states"].get("delivered") != RECIPIENTS:
        wrong.append(f"the ledger: {p}")
    if kills < KILLS:
        wrong.append(f"done after {kills} kills: the run was too fast to prove anything")
    print("\n".join(wrong) or f"result: {part_name} killed {kills} times, nothing lost, nothing twice, ledger and books agree")
    return 1 if wrong else 0
