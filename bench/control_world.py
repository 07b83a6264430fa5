"""A control plane with much in it: a database of its own, organisations that signed up over the API, and rows by the million that
SQL made, spread as tenants are: the first has a fifth of everything, the second a tenth, and so on down to many small ones."""
import concurrent.futures
import os
import pathlib

from stack import Api, ApiError, Control, Engine, Failure, Nameserver, Postgres, Sink

SCOPES = ["org.read", "domains.read", "contacts.read", "templates.read", "campaigns.read", "suppressions.read", "analytics.read", "audit.read"]
PASSWORD = "correct horse battery staple"
DAYS = 90
CAMPAIGNS = 10  # of each organisation; the ledger has the first of them
TUNED = ("shared_buffers = 2GB\nmax_wal_size = 16GB\ncheckpoint_timeout = 30min\nmaintenance_work_mem = 512MB\neffective_cache_size = 8GB\n"
         "random_page_cost = 1.1\nmax_parallel_workers_per_gather = 0\n")
QUIET = "SET session_replication_role = replica; SET synchronous_commit = off; SET work_mem = '256MB';"


def shares(tenants):
    """The part of everything that each organisation has; they sum to 1."""
    weights = [1 / (i + 4) for i in range(tenants)]
    return [w / sum(weights) for w in weights]


class World:
    def __init__(self, base, build, tenants, contacts, events, say):
        self.base, self.say = pathlib.Path(base), say
        self.tenants, self.contacts, self.events = tenants, contacts, events
        self.base.chmod(0o755)
        self.dns = Nameserver(base, "127.0.0.53", 5300)
        self.postgres = Postgres(base)
        self.sink = Sink(base, build)
        self.engine = Engine(base, build, {"dns.servers": "127.0.0.53:5300", "smtp.port": "2525"})
        self.control = Control(base, build, self.postgres, self.engine, options={
            "dns.servers": "127.0.0.53:5300", "auth.burst": 100000, "api.org_per_minute": 1000000, "api.org_burst": 1000000})
        self.keys = []  # an API key of each organisation, in order of size
        self.parts = [self.dns, self.postgres, self.sink, self.engine, self.control]

    def start(self):
        self.dns.start({"sender.test": []})
        self.postgres.start()
        with open(self.postgres.data / "postgresql.conf", "a", encoding="utf-8") as f:
            f.write(TUNED)
        self.postgres.stop()
        self.postgres.start()
        self.sink.start("127.0.1.1:2525")
        self.engine.start()
        self.control.start()

    def stop(self):
        for part in reversed(self.parts):
            try:
                part.stop()
            except Failure as e:
                self.say(str(e))

    def sql(self, text):
        return self.postgres.psql(QUIET + text, "postern")

    def sign_up(self):
        """Over the API, as people do; so the keys are real ones."""
        def one(i):
            api = Api(self.control.url)
            login = {"email": f"admin@tenant{i}.test", "password": PASSWORD}
            api.post("/v1/auth/signup", {"organization": f"Tenant {i}", **login})
            api.token = api.post("/v1/auth/login", login)["token"]
            return api.post("/v1/keys", {"name": "bench", "scopes": SCOPES})["key"]
        try:
            with concurrent.futures.ThreadPoolExecutor(2) as pool:
                self.keys = list(pool.map(one, range(1, self.tenants + 1)))
        except ApiError as e:
            raise Failure(f"signing up: {e}") from e
        self.orgs = [int(o) for o in self.sql("SELECT org_id FROM orgs WHERE name LIKE 'Tenant %' ORDER BY substr(name, 8)::int").split()]

    def fill(self):
        """Contacts, lists, campaigns with their ledger, events of 90 days, sums of minutes, suppressions."""
        self.sql(f"SELECT events_make_day((current_date - d)::date) FROM generate_series(0, {DAYS}) d")
        jobs = []
        for org, share in zip(self.orgs, shares(self.tenants), strict=True):
            contacts, events = max(int(self.contacts * share), 20), max(int(self.events * share), 20)
            jobs.append((org, contacts, events))
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            for i, _ in enumerate(pool.map(self.fill_one, jobs), 1):
                if i == 1 or i % 20 == 0:
                    self.say(f"rows made for {i} of {self.tenants} organisations")
        self.say("vacuum analyze")
        self.postgres.psql("VACUUM (ANALYZE, PARALLEL 0)", "postern")

    def fill_one(self, job):
        org, contacts, events = job
        per_list, per_campaign = max(contacts // 5, 1), max(events // CAMPAIGNS, 1)
        self.sql(f"""
INSERT INTO lists (org_id, name) SELECT {org}, 'List ' || i FROM generate_series(1, 5) i;
INSERT INTO contacts (org_id, email, email_norm, first_name, last_name, fields, created_at)
	SELECT {org}, 'user' || i || '@d' || i % 1000 || '.test', 'user' || i || '@d' || i % 1000 || '.test', 'First' || i % 5000, 'Last' || i % 20000,
		jsonb_build_object('company', 'Company ' || i % 300, 'city', 'City ' || i % 100), now() - (i % {DAYS}) * interval '1 day'
	FROM generate_series(1, {contacts}) i;
INSERT INTO list_members (org_id, list_id, contact_id)
	SELECT {org}, l.id, c.id FROM (SELECT id, row_number() OVER (ORDER BY id) n FROM contacts WHERE org_id = {org}) c
	JOIN (SELECT id, row_number() OVER (ORDER BY id) n FROM lists WHERE org_id = {org}) l ON l.n = (c.n - 1) / {per_list} + 1;
INSERT INTO list_counts (org_id, list_id, n) SELECT org_id, list_id, count(*) FROM list_members WHERE org_id = {org} GROUP BY 1, 2;
INSERT INTO templates (org_id, name, subject, html, text)
	SELECT {org}, 'Template ' || i, 'News', repeat('<p>Hello</p>', 200), 'Hello' FROM generate_series(1, 20) i;
INSERT INTO suppressions (org_id, email_hash, email, reason)
	SELECT {org}, substr(sha256(('gone' || i || '@d.test')::bytea), 1, 16), 'gone' || i || '@d.test', 3 FROM generate_series(1, {contacts // 50 + 1}) i;
INSERT INTO campaigns (org_id, name, status, subject, from_email, started_at, audience, sendable, next_seq)
	SELECT {org}, 'Campaign ' || i, 3, 'News', 'news@sender.test', now() - i * interval '8 days', CASE i WHEN 1 THEN {contacts} ELSE 0 END,
		CASE i WHEN 1 THEN {contacts} ELSE 0 END, CASE i WHEN 1 THEN {contacts + 1} ELSE 1 END FROM generate_series(1, {CAMPAIGNS}) i;
INSERT INTO campaign_recipients (org_id, campaign_id, seq, contact_id, state, code, attempts)
	SELECT {org}, (SELECT min(id) FROM campaigns WHERE org_id = {org}), row_number() OVER (ORDER BY id), id,
		CASE WHEN id % 50 = 0 THEN 5 ELSE 4 END, 250, 1 FROM contacts WHERE org_id = {org};
INSERT INTO campaign_counts (org_id, campaign_id, state, n)
	SELECT org_id, campaign_id, state, count(*) FROM campaign_recipients WHERE org_id = {org} GROUP BY 1, 2, 3;
INSERT INTO events (at, org_id, engine, lsn, kind, campaign_id, seq, attempt, code, dsn, rcpt_domain, host, ip, source)
	SELECT now() - (i % {DAYS}) * interval '1 day' - (i % 80000) * interval '1 second', {org}, 1, i, CASE WHEN i / {CAMPAIGNS} % 50 = 0 THEN 2 ELSE 1 END, c.id, i / {CAMPAIGNS} + 1, 1,
		CASE WHEN i / {CAMPAIGNS} % 50 = 0 THEN 550 ELSE 250 END, '2.0.0',
		'd' || i % 1000 || '.test', 'mx' || i % 20 || '.test', '192.0.2.' || i % 20, 'a'
	FROM generate_series(0, {events - 1}) i
	JOIN (SELECT id, row_number() OVER (ORDER BY id) - 1 n FROM campaigns WHERE org_id = {org}) c ON c.n = i % {CAMPAIGNS};
INSERT INTO reasons (org_id, campaign_id, kind, code, dsn, diagnostic_id, n)
	SELECT {org}, id, 2, 550, '5.1.' || i, 0, {per_campaign} / 50 / 100 + 1 FROM campaigns, generate_series(1, 100) i WHERE org_id = {org};
INSERT INTO stats (org_id, bucket, campaign_id, kind, n)
	SELECT {org}, date_trunc('minute', now()) - i * interval '1 minute', c.id, 1, {per_campaign} / 1000 + 1
	FROM generate_series(1, 1000) i, (SELECT id FROM campaigns WHERE org_id = {org}) c;""")
