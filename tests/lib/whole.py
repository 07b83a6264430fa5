"""A whole Postern on loopback and the steps of its main job through the public HTTP API: what script/demo shows and
what the end-to-end tests start from."""
import json
import sys
import time

from stack import Api, ApiError, Control, Engine, Failure, Nameserver, Postgres, Sink

LOGIN = {"email": "admin@sender.test", "password": "correct horse battery staple"}
DONE = ("delivered", "bounced", "expired", "suppressed", "cancelled")


def zone_line(record):
    """A record as the API shows it, as a line of a zone file."""
    name, value = record["name"].rstrip(".") + ".", record["value"]
    if record["type"] == "TXT":
        return f"{name} TXT " + " ".join('"' + value[i:i + 250].replace("\\", "\\\\").replace('"', '\\"') + '"' for i in range(0, len(value), 250))
    if record["type"] == "MX":
        return f"{name} MX {record.get('priority', 10)} {value.rstrip('.')}."
    return f"{name} {record['type']} {value.rstrip('.')}."


class Whole:
    def __init__(self, base, build, engine=None, control=None):
        self.base = base
        self.dns = Nameserver(base, "127.0.0.53", 5300)
        self.postgres = Postgres(base)
        self.sink = Sink(base, build)
        self.engine = Engine(base, build, {"dns.servers": "127.0.0.53:5300", "smtp.port": "2525", **(engine or {})})
        self.control = Control(base, build, self.postgres, self.engine, options={
            "dns.servers": "127.0.0.53:5300", "domains.spf": "ip4:127.0.0.1", "domains.return_path_host": "bounce.postern.test", **(control or {})})
        self.parts = [self.dns, self.postgres, self.sink, self.engine, self.control]
        self.api = Api(self.control.url)
        self.lookup = {}

    def start(self, zones, listen, *sink_options):
        self.dns.start({**zones, "sender.test": []})
        self.postgres.start()
        self.sink.start(listen, *sink_options)
        self.engine.start()
        self.control.start()

    def stop(self):
        for part in reversed(self.parts):
            try:
                part.stop()
            except Failure as e:
                print(e, file=sys.stderr)

    def sign_up(self):
        self.api.post("/v1/auth/signup", {"organization": "Sender Inc", **LOGIN})
        self.api.token = self.api.post("/v1/auth/login", LOGIN)["token"]

    def add_domain(self, name="sender.test"):
        """Adds the domain, publishes what the API shows into the DNS and has it verified by real queries."""
        domain = self.api.post("/v1/domains", {"name": name})
        path = f"/v1/domains/{domain['id']}"
        records = self.api.get(f"{path}/records")["records"]
        self.lookup |= {r["name"].rstrip("."): r["value"] for r in records if "._domainkey." in r["name"]}
        try:
            self.api.post(f"{path}/verify")
        except ApiError:
            pass
        if self.api.get(path)["status"] == "verified":
            raise Failure("the domain counted as verified before anything was published")
        self.dns.publish(name, [zone_line(r) for r in records])
        result = self.api.post(f"{path}/verify")
        if self.api.get(path)["status"] != "verified":
            raise Failure(f"the domain is not verified: {json.dumps(result)}")

    def import_csv(self, data, name="Readers", say=lambda text: None):
        """Imports into a new list, which it gives, and the import's report."""
        self.list = self.api.post("/v1/lists", {"name": name})["id"]
        job = self.api.post(f"/v1/imports?list={self.list}", data, content_type="text/csv")
        while job["status"] not in ("completed", "failed", "cancelled"):
            time.sleep(0.2)
            job = self.api.get(f"/v1/imports/{job['id']}")
            say(f"import {job['status']}: {job.get('imported', 0)} rows")
        if job["status"] != "completed":
            raise Failure(f"the import ended so: {json.dumps(job)}")
        return job

    def send_campaign(self, subject, html, text):
        template = self.api.post("/v1/templates", {"name": "News", "subject": subject, "html": html, "text": text})
        campaign = self.api.post("/v1/campaigns", {"name": "First campaign", "template": template["id"], "lists": [self.list],
                                                   "from": {"name": "Postern Demo", "email": "news@sender.test"}})
        self.campaign = campaign["id"]
        self.api.post(f"/v1/campaigns/{self.campaign}/send")

    def progress(self):
        """The campaign's progress; its states must sum to the audience every single time."""
        p = self.api.get(f"/v1/campaigns/{self.campaign}/progress")
        if p["audience"] and sum(p["states"].values()) != p["audience"]:
            raise Failure(f"the states do not sum to the audience: {json.dumps(p)}")
        p["done"] = sum(p["states"].get(k, 0) for k in DONE)
        return p
