"""Starts and stops the parts of a whole Postern on loopback addresses: PostgreSQL, nsd, the sink's MX hosts, both
daemons.  Used by script/demo and the end-to-end tests.  Each part is a process of ours, stopped by its pid.

As root, everything that should not be root runs as the account `postgres` (it exists wherever PostgreSQL does).
"""
import json
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import time

PG_BIN = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"))[-1] if pathlib.Path("/usr/lib/postgresql").exists() else None
SRC = pathlib.Path(__file__).resolve().parents[2]
ROOT = os.geteuid() == 0
ACCOUNT = "postgres"


class Failure(Exception):
    """Something a user can act on; printed without a traceback."""


def as_account():
    """preexec function and keyword arguments that make a child run as the account."""
    if not ROOT:
        return {}
    p = pwd.getpwnam(ACCOUNT)
    return {"user": p.pw_uid, "group": p.pw_gid, "extra_groups": []}


def own(path):
    if ROOT:
        shutil.chown(path, ACCOUNT, ACCOUNT)
    return path


def wait_until(what, check, seconds=20, step=0.05):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = check()
        if value:
            return value
        time.sleep(step)
    raise Failure(f"{what}: nothing after {seconds} s")


def can_connect(address, port):
    try:
        with socket.create_connection((address, port), 1):
            return True
    except OSError:
        return False


def answers(path):
    """Does somebody listen on this Unix socket?"""
    with socket.socket(socket.AF_UNIX) as s:
        try:
            s.connect(str(path))
            return True
        except OSError:
            return False


class Part:
    """A daemon that runs in the foreground, its output in <dir>/<name>.log."""
    name = "?"
    daemon = False  # one of ours: must end with status 0, which a sanitizer with something to say prevents

    def __init__(self, base, name=None):
        self.base = pathlib.Path(base)
        self.name = name or self.name
        self.process = None
        self.log = self.base / f"{self.name}.log"

    def spawn(self, argv, env=None, account=True):
        out = open(self.log, "ab")
        self.process = subprocess.Popen([str(a) for a in argv], stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                        start_new_session=True, cwd="/", env=env, **(as_account() if account else {}))
        out.close()

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def wait(self, check, seconds=30):
        def step():
            if not self.alive():
                raise Failure(f"{self.name} ended at once (status {self.process.returncode}); {self.log} ends with:\n"
                              + "\n".join(self.log.read_text(errors="replace").splitlines()[-15:]))
            return check()
        wait_until(self.name, step, seconds)

    def stop(self, how=signal.SIGTERM, seconds=30):
        if not self.alive():
            return
        self.process.send_signal(how)
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(5)
            raise Failure(f"{self.name} did not stop within {seconds} s")
        if self.daemon and self.process.returncode:
            raise Failure(f"{self.name} ended with status {self.process.returncode}; {self.log} ends with:\n"
                          + "\n".join(self.log.read_text(errors="replace").splitlines()[-60:]))

    def kill(self):
        if self.alive():
            self.process.kill()
            self.process.wait(10)


class Postgres(Part):
    name = "postgresql"

    def __init__(self, base):
        super().__init__(base)
        self.data, self.sockets = self.base / "pgdata", self.base / "pgsocket"

    def start(self):
        if PG_BIN is None:
            raise Failure("PostgreSQL is not installed: run script/install run")
        if not self.data.exists():
            for d in (self.data, self.sockets):
                d.mkdir(mode=0o700)
                own(d)
            subprocess.run([str(PG_BIN / "initdb"), "-D", str(self.data), "-U", "postgres", "-A", "trust", "-E", "UTF8",
                            "--locale=C.UTF-8", "--no-instructions"], check=True, stdout=subprocess.DEVNULL, cwd="/", **as_account())
            with open(self.data / "postgresql.conf", "a") as f:
                f.write(f"listen_addresses = ''\nunix_socket_directories = '{self.sockets}'\nunix_socket_permissions = 0700\n"
                        "max_connections = 60\nshared_buffers = 256MB\nlog_min_messages = warning\n")
        for last in [False] * 39 + [True]:
            self.spawn([PG_BIN / "postgres", "-D", self.data])
            try:
                self.wait(lambda: subprocess.run([str(PG_BIN / "pg_isready"), "-q", "-h", str(self.sockets)], check=False).returncode == 0)
                return
            except Failure as e:  # after a kill the old backends hold the shared memory until they notice
                if last or "shared memory block" not in str(e):
                    raise
                time.sleep(0.25)

    def psql(self, sql, database="postgres", user="postgres"):
        r = subprocess.run([str(PG_BIN / "psql"), "-XAtq", "-v", "ON_ERROR_STOP=1", "-h", str(self.sockets), "-U", user, "-d", database],
                           input=sql, capture_output=True, text=True, check=False, **as_account())
        if r.returncode:
            raise Failure(f"psql: {r.stderr.strip()}")
        return r.stdout.strip()

    def conninfo(self, database, user):
        return f"host={self.sockets} dbname={database} user={user}"

    def stop(self, how=signal.SIGINT, seconds=30):
        super().stop(how, seconds)


class Nameserver(Part):
    """nsd, serving zones from text that can change while it runs."""
    name = "nsd"

    def __init__(self, base, address="127.0.0.53", port=5300):
        super().__init__(base)
        self.address, self.port = address, port
        self.zones, self.serial = {}, 1
        self.dir = self.base / "dns"

    def write(self, zone, records):
        self.zones[zone] = list(records)
        self.serial += 1
        text = f"$ORIGIN {zone}.\n$TTL 60\n@ SOA ns.{zone}. hostmaster.{zone}. {self.serial} 60 60 86400 5\n@ NS ns.{zone}.\nns A {self.address}\n"
        (self.dir / f"{zone}.zone").write_text(text + "\n".join(records) + "\n")

    def start(self, zones):
        if not shutil.which("nsd", path="/usr/sbin:/usr/bin"):
            raise Failure("nsd is not installed: run script/install run")
        self.dir.mkdir(exist_ok=True)
        own(self.dir)
        for zone, records in zones.items():
            self.write(zone, records)
        conf = self.dir / "nsd.conf"
        conf.write_text(f"""server:
  ip-address: {self.address}
  port: {self.port}
  username: ""
  chroot: ""
  zonesdir: "{self.dir}"
  database: ""
  pidfile: "{self.dir}/nsd.pid"
  zonelistfile: "{self.dir}/zone.list"
  xfrdfile: "{self.dir}/xfrd.state"
  xfrdir: "{self.dir}"
  server-count: 1
  rrl-ratelimit: 0
  rrl-whitelist-ratelimit: 0
  zonefiles-check: yes
remote-control:
  control-enable: no
""" + "".join(f'zone:\n  name: "{z}"\n  zonefile: "{z}.zone"\n' for z in zones))
        self.spawn(["/usr/sbin/nsd", "-d", "-c", conf], account=self.port > 1023)
        self.wait(lambda: can_connect(self.address, self.port))

    def publish(self, zone, records):
        """Replaces a zone's records and waits until the server gives the new serial."""
        self.write(zone, records)
        self.process.send_signal(signal.SIGHUP)
        wait_until("nsd reload", lambda: self.soa_serial(zone) == self.serial)

    def soa_serial(self, zone):
        import dns.message
        import dns.query
        try:
            answer = dns.query.udp(dns.message.make_query(zone, "SOA"), self.address, port=self.port, timeout=1)
            return answer.answer[0][0].serial if answer.answer else None
        except Exception:  # a query that is lost while the server reloads
            return None


class Sink(Part):
    name = "sink"

    def __init__(self, base, build, name="sink"):
        super().__init__(base, name)
        self.build = pathlib.Path(build)
        self.store, self.stats = self.base / f"{self.name}.store", self.base / f"{self.name}.json"

    def start(self, listen, *options, store=True):
        own(self.base)  # its store and counts are made here
        argv = [self.build / "bench/postern-sink", "--listen", listen, "--stats", self.stats, *options]
        if store:
            argv += ["--store", self.store]
        self.spawn(argv, account=int(listen.rsplit(":", 1)[1]) > 1023)
        address, port = listen.split("-")[0].split(":")[0], int(listen.rsplit(":", 1)[1])
        self.wait(lambda: can_connect(address, port))

    def counts(self):
        """What it has seen so far; asks the running sink."""
        if self.alive():
            before = self.stats.stat().st_mtime_ns if self.stats.exists() else 0
            self.process.send_signal(signal.SIGUSR1)
            wait_until("sink counts", lambda: self.stats.exists() and self.stats.stat().st_mtime_ns != before and self.stats.stat().st_size > 0)
        return json.loads(self.stats.read_text())

    def messages(self):
        """Yields (facts, message bytes) of everything received."""
        with open(self.store, "rb") as f:
            while line := f.readline():
                facts = json.loads(line)
                yield facts, f.read(facts["bytes"])
                f.read(1)


class Engine(Part):
    """postern-mta with a configuration of its own under base."""
    name = "postern-mta"
    daemon = True

    def __init__(self, base, build, options=None, name="postern-mta"):
        super().__init__(base, name)
        self.build = pathlib.Path(build)
        self.conf = self.base / f"{self.name}.conf"
        self.spool, self.keys = self.base / f"{self.name}.spool", self.base / f"{self.name}.keys"
        self.link, self.admin = self.base / f"{self.name}.link", self.base / f"{self.name}.admin"
        self.options = {"hostname": "out.postern.test", "user": "", "spool.dir": self.spool, "spool.reserve": "64M",
                        "keys.dir": self.keys, "link.socket": self.link, "admin.socket": self.admin, "dns.ipv6": "no",
                        "route.allow": "127.0.0.0/8", "lanes": "2"}
        self.options.update(options or {})

    def launch(self, *flags):
        """Starts it and does not wait."""
        for d in (self.spool, self.keys):
            d.mkdir(mode=0o700, exist_ok=True)
            own(d)
        own(self.base)  # its sockets are made here
        self.write_conf()
        self.spawn([self.build / "mta/postern-mta", *flags, "-c", self.conf])

    def start(self, wait=60, flags=()):
        self.launch(*flags)
        self.wait(lambda: answers(self.admin), wait)

    def write_conf(self):
        self.conf.write_text("".join(f"{k} = {v}\n" for k, v in self.options.items()))

    def cli(self, *argv, check=True):
        r = subprocess.run([str(self.build / "spool/cli/postern"), "-c", str(self.conf), *map(str, argv)], capture_output=True, text=True,
                           check=False, **as_account())
        if check and r.returncode:
            raise Failure(f"postern {' '.join(map(str, argv))}: {r.stderr.strip() or r.stdout.strip()}")
        return r

    def json(self, *argv):
        return json.loads(self.cli("--json", *argv).stdout)


class Control(Part):
    """postern-control: API on 127.0.0.1:api, public listener on 127.0.0.1:public."""
    name = "postern-control"
    daemon = True

    def __init__(self, base, build, postgres, engine, api=8080, public=8081, options=None):
        super().__init__(base)
        self.build, self.postgres, self.engine = pathlib.Path(build), postgres, engine
        self.conf = self.base / "control.conf"
        self.secrets, self.data = self.base / "control.key", self.base / "control.data"
        self.url, self.public = f"http://127.0.0.1:{api}", f"http://127.0.0.1:{public}"
        self.options = {"database.conninfo": f"host={postgres.sockets} dbname=postern", "http.api.listen": f"127.0.0.1:{api}",
                        "http.public.listen": f"127.0.0.1:{public}", "public.url": self.public, "secrets.key_file": self.secrets,
                        "data.dir": self.data, "engine.socket": engine.link, "signup.allowed": "yes", "http.cookie_secure": "no",
                        "signup.per_hour": 10000, "api.burst": 1000000, "api.per_minute": 1000000,
                        "api.address_burst": 1000000, "api.address_per_minute": 1000000, "auth.wrong_burst": 100000}
        self.options.update(options or {})

    def run(self, *argv):
        r = subprocess.run([str(self.build / "control/postern-control"), "-c", str(self.conf), *argv], capture_output=True, text=True,
                           check=False, cwd="/", **as_account())
        if r.returncode:
            raise Failure(f"postern-control {' '.join(argv)}: {r.stderr.strip() or r.stdout.strip()}")
        return r.stdout

    def start(self, wait=30):
        self.data.mkdir(mode=0o700, exist_ok=True)
        own(self.data)
        own(self.base)
        self.conf.write_text("".join(f"{k} = {v}\n" for k, v in self.options.items()))
        if not self.secrets.exists():
            self.run("--make-secrets")
            if not self.postgres.psql("SELECT 1 FROM pg_database WHERE datname = 'postern'"):
                self.postgres.psql("CREATE DATABASE postern")
            self.run("--bootstrap")
            self.run("--migrate")
        self.spawn([self.build / "control/postern-control", "-c", self.conf])
        port = int(self.url.rsplit(":", 1)[1])
        self.wait(lambda: can_connect("127.0.0.1", port), wait)


class ApiError(Failure):
    def __init__(self, method, path, status, body, headers=None):
        super().__init__(f"{method} {path}: {status} {body}")
        self.status, self.body, self.headers = status, body, headers


class Api:
    """The public HTTP API as a program sees it."""

    def __init__(self, url, token=None):
        self.url, self.token = url, token

    def call(self, method, path, body=None, headers=None, content_type="application/json", raw=False, etag=None):
        import urllib.error
        import urllib.request
        data = body if isinstance(body, (bytes, type(None))) or hasattr(body, "read") else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, method=method)
        if data is not None:
            request.add_header("Content-Type", content_type)
        if self.token:
            request.add_header("Authorization", f"Bearer {self.token}")
        if etag:
            request.add_header("If-Match", etag)
        for k, v in (headers or {}).items():
            request.add_header(k, v)
        try:
            with urllib.request.urlopen(request, timeout=120) as r:
                text = r.read()
                self.headers = r.headers
                self.hold(request, r.status, r.headers, text)
                return text if raw else json.loads(text) if text else None
        except urllib.error.HTTPError as e:
            text = e.read()
            self.hold(request, e.code, e.headers, text)
            text = text.decode(errors="replace")
            try:
                problem = json.loads(text)
            except ValueError:
                problem = text
            raise ApiError(method, path, e.code, problem, e.headers) from None

    @staticmethod
    def hold(request, status, headers, text):
        """Holds the answer to the document (tests/lib/contract.py)."""
        if not os.environ.get("POSTERN_CONTRACT"):
            return
        import contract
        sent = {k.lower(): v for k, v in request.header_items()}
        contract.check(request.get_method(), request.full_url, sent, request.data, status, headers, text)

    def get(self, path, **kw):
        return self.call("GET", path, **kw)

    def post(self, path, body=None, **kw):
        return self.call("POST", path, {} if body is None else body, **kw)
