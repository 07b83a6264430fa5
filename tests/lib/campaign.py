"""A whole Postern in a network namespace, and a campaign sent through its API: what the campaign_* tests share."""
import collections
import json
import os
import time

from stack import Api, ApiError, Control, Engine, Failure, Nameserver, Postgres, Sink, wait_until

TERMINAL = ("delivered", "bounced", "expired", "suppressed", "cancelled")
LOGIN = {"email": "admin@sender.test", "password": "correct horse battery staple"}
TEXT = "Hello {{first_name}} of {{city}}\n\n{{unsubscribe_url}}\n"


def zone_line(r):
    name, value = r["name"].rstrip(".") + ".", r["value"]
    if r["type"] == "TXT":
        return f"{name} TXT " + " ".join('"' + value[i:i + 250].replace("\\", "\\\\").replace('"', '\\"') + '"' for i in range(0, len(value), 250))
    if r["type"] == "MX":
        return f"{name} MX {r.get('priority', 10)} {value.rstrip('.')}."
    return f"{name} {r['type']} {value.rstrip('.')}."


def refused(w, pointer, code, f, *a, **kw):
    """The call is refused with 422; its problem names this member and this code."""
    try:
        f(*a, **kw)
        w.say(False, f"{a} was allowed, expected {pointer} {code}")
    except ApiError as e:
        text = json.dumps(e.body)
        w.say(e.status == 422 and f'"{pointer}"' in text and f'"{code}"' in text, f"{a}: {e.status} {e.body}, expected {pointer} {code}")


class World:
    """20 MX hosts, 200 domains d000.test .. d199.test, both daemons; then an organisation with a verified domain."""

    def __init__(self, tmp, build, sink_options=(), engine_options=None):
        self.tmp = tmp
        self.dns = Nameserver(tmp, "127.0.0.1", 53)
        self.postgres = Postgres(tmp)
        self.sink = Sink(tmp, build)
        options = {"dns.servers": "127.0.0.1:53", "smtp.tls": "never", "site.backoff_min": "100ms", "site.backoff_max": "200ms",
                   "host.bad": "100ms", "retry.schedule": "1s", "log.level": "warn"}
        options.update(engine_options or {})
        self.engine = Engine(tmp, build, options)
        self.control = Control(tmp, build, self.postgres, self.engine, options={"dns.servers": "127.0.0.1:53", "domains.spf": "ip4:127.0.0.1"})
        self.sink_options = sink_options
        self.zones = {}  # more of them, by name
        self.wrong = []

    def say(self, fine, text):
        if not fine:
            self.wrong.append(text)
            print(f"WRONG  {text}", flush=True)

    def start(self):
        self.dns.start({"test": [f"mx{i} A 127.0.1.{i}" for i in range(1, 21)] + [f"d{i:03d} MX 10 mx{i % 20 + 1}" for i in range(200)],
                        "sender.test": [], **self.zones})
        self.sink.start("127.0.1.1-20:25", *self.sink_options)
        self.postgres.start()
        self.engine.start()
        self.control.start()
        self.api = Api(self.control.url)
        self.api.post("/v1/auth/signup", {"organization": "Sender", **LOGIN})
        self.api.token = self.api.post("/v1/auth/login", LOGIN)["token"]
        domain = self.api.post("/v1/domains", {"name": "sender.test"})
        records = self.api.get(f"/v1/domains/{domain['id']}/records")["records"]
        self.dns.publish("sender.test", [zone_line(r) for r in records])
        self.api.post(f"/v1/domains/{domain['id']}/verify")
        if self.api.get(f"/v1/domains/{domain['id']}")["status"] != "verified":
            raise Failure("the domain is not verified")
        self.api.post("/v1/fields", {"name": "city", "type": "text"})
        self.template = self.api.post("/v1/templates", {"name": "T", "subject": "For {{first_name}}", "text": TEXT})["id"]

    def stop(self):
        for part in (self.control, self.engine, self.postgres, self.sink, self.dns):
            part.stop()

    def audience(self, name, n):
        """A list of n fresh contacts spread over the domains; gives (list id, addresses)."""
        emails = [f"{name}{i}@d{i % 200:03d}.test" for i in range(n)]
        made = self.api.post("/v1/lists", {"name": name})["id"]
        text = "email,first_name,city\n" + "".join(f"{e},N{i},C{i % 7}\n" for i, e in enumerate(emails))
        job = self.api.post(f"/v1/imports?list={made}", text.encode(), content_type="text/csv")
        wait_until("import", lambda: self.api.get(f"/v1/imports/{job['id']}")["status"] in ("completed", "failed"), 60, 0.1)
        job = self.api.get(f"/v1/imports/{job['id']}")
        self.say(job["status"] == "completed" and job["imported"] == n, f"import: {job}")
        return made, emails

    def campaign(self, audience, **more):
        c = self.api.post("/v1/campaigns", {"name": "C", "template": self.template, "lists": [audience],
                                            "from": {"name": "Sender", "email": "news@sender.test"}, **more})
        return c["id"]

    def progress(self, campaign):
        """One answer, of which the states must sum to the audience: every time anybody asks."""
        p = self.api.get(f"/v1/campaigns/{campaign}/progress")
        self.say(sum(p["states"].values()) == (p["audience"] if p["status"] not in ("draft", "scheduled") else 0), f"states and audience differ: {p}")
        return p

    def finish(self, campaign, seconds=120):
        """Polls until every recipient is in a terminal state."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            p = self.progress(campaign)
            if p["audience"] and sum(p["states"][s] for s in TERMINAL) == p["audience"]:
                return p
            time.sleep(0.1)
        raise Failure(f"not finished: {json.dumps(p)}")

    def ledger(self):
        """The database proves its own sums: the counts against the rows they count."""
        bad = self.postgres.psql(
            "SELECT count(*) FROM (SELECT campaign_id, state, count(*) AS n FROM campaign_recipients GROUP BY 1, 2) r"
            " FULL JOIN (SELECT campaign_id, state, n FROM campaign_counts WHERE n <> 0) k USING (campaign_id, state)"
            " WHERE r.n IS DISTINCT FROM k.n", "postern")
        self.say(bad == "0", f"{bad} sums differ from the ledger")
        # and what came back beside it
        asked = {
            "the counts of returned against the ledger":
                "SELECT count(*) FROM (SELECT campaign_id, state, count(*) FILTER (WHERE later & 1 <> 0) AS n FROM campaign_recipients GROUP BY 1, 2) r"
                " FULL JOIN campaign_counts k USING (campaign_id, state) WHERE coalesce(r.n, 0) IS DISTINCT FROM k.returned",
            "the ledger's marks against the facts":
                "SELECT count(*) FROM campaign_recipients r FULL JOIN (SELECT campaign_id, seq, bit_or(CASE kind WHEN 32 THEN 1 + 2 * hard::int"
                " WHEN 33 THEN 32 WHEN 34 THEN 4 WHEN 35 THEN 16 WHEN 36 THEN 8 ELSE 64 END) AS m FROM returns GROUP BY 1, 2) f USING (campaign_id, seq)"
                " WHERE coalesce(f.m, 0) IS DISTINCT FROM r.later",
            "statistics against the facts":
                "SELECT count(*) FROM (SELECT campaign_id, kind, sum(n) AS n FROM stats WHERE kind >= 32 GROUP BY 1, 2) s"
                " FULL JOIN (SELECT campaign_id, kind, count(*) AS n FROM returns GROUP BY 1, 2) f USING (campaign_id, kind) WHERE s.n IS DISTINCT FROM f.n",
            "the reasons against the events":
                "SELECT count(*) FROM reasons r FULL JOIN (SELECT org_id, campaign_id, kind, code, dsn, coalesce(diagnostic_id, 0) AS diagnostic_id,"
                " count(*) AS n FROM events WHERE campaign_id <> 0 AND kind IN (2, 3, 5) GROUP BY 1, 2, 3, 4, 5, 6) e"
                " USING (org_id, campaign_id, kind, code, dsn, diagnostic_id) WHERE r.n IS DISTINCT FROM e.n"}
        for what, sql in asked.items():
            self.say(self.postgres.psql(sql, "postern") == "0", what)

    def received(self):
        """How often each recipient received something."""
        self.sink.counts()
        return collections.Counter(facts["rcpt"] for facts, _ in self.sink.messages())

    def unsubscribe_url(self, recipient):
        for facts, message in self.sink.messages():
            if facts["rcpt"] == recipient:
                for line in message.decode().replace("\r\n ", " ").split("\r\n"):
                    if line.lower().startswith("list-unsubscribe:"):
                        return line.split("<", 1)[1].split(">", 1)[0]
        return None

    def balanced(self, what):
        books = self.engine.json("status")["books"]
        rest = sum(books[k] for k in ("delivered", "bounced", "expired", "cancelled", "queued"))
        self.say(books["accepted"] == rest, f"{what}: the engine's books {books}")
        return books


def run(main):
    world = None
    try:
        world = main(os.environ["POSTERN_TMP"], os.environ["POSTERN_BUILD"])
        world.stop()
    except Failure as e:
        print(f"WRONG  {e}")
        return 1
    print(f"result: {len(world.wrong)} wrong")
    return 1 if world.wrong else 0
