"""A name server whose zones may be signed, and a validating resolver on loopback that knows their keys."""
import pathlib
import shutil
import subprocess

from stack import Failure, Nameserver, Part, can_connect, own


class SignedNameserver(Nameserver):
    """Zones in `signed` are signed whenever they are written; spoil(zone, text) may change what was signed."""

    def __init__(self, base, signed, address="127.0.0.53", port=5300):
        super().__init__(base, address, port)
        self.keys = {zone: None for zone in signed}
        self.spoil = {}
        self.dir.mkdir(exist_ok=True)
        for zone in self.keys:
            name = self.run("ldns-keygen", "-k", "-a", "ECDSAP256SHA256", zone)
            self.keys[zone] = name.strip()

    def run(self, *argv):
        if not shutil.which(argv[0]):
            raise Failure(f"{argv[0]} is not installed: run script/install test")
        r = subprocess.run(argv, cwd=self.dir, capture_output=True, text=True, check=False)
        if r.returncode:
            raise Failure(f"{' '.join(argv)}: {r.stderr.strip()}")
        return r.stdout

    def write(self, zone, records):
        super().write(zone, records)
        if zone not in self.keys:
            return
        path = self.dir / f"{zone}.zone"
        path.write_text(path.read_text().replace("$TTL 60", "$TTL 1"))
        self.run("ldns-signzone", "-o", zone, path.name, self.keys[zone])
        text = (self.dir / f"{zone}.zone.signed").read_text()
        path.write_text(self.spoil[zone](text) if zone in self.spoil else text)

    def anchors(self):
        return "".join((self.dir / f"{key}.key").read_text() for key in self.keys.values())


class Unbound(Part):
    """Validates what `upstream` serves; every zone of it is asked for there alone."""
    name = "unbound"

    def __init__(self, base, upstream, address="127.0.0.1", also=()):
        super().__init__(base)
        self.upstream, self.address, self.also = upstream, address, also

    def start(self):
        if not shutil.which("unbound", path="/usr/sbin:/usr/bin"):
            raise Failure("unbound is not installed: run script/install test")
        folder = self.base / "unbound"
        folder.mkdir()
        anchors = folder / "anchors"
        anchors.write_text(self.upstream.anchors())
        conf = folder / "unbound.conf"
        conf.write_text(f"""server:
  interface: {self.address}
{"".join(f"  interface: {a}{chr(10)}" for a in self.also)}  port: 53
  username: ""
  chroot: ""
  directory: "{folder}"
  pidfile: "{folder}/unbound.pid"
  use-syslog: no
  logfile: ""
  do-ip6: no
  do-daemonize: no
  do-not-query-localhost: no
  access-control: 0.0.0.0/0 allow
  module-config: "validator iterator"
  trust-anchor-file: "{anchors}"
  local-zone: "test." transparent
  cache-max-ttl: 1
  cache-max-negative-ttl: 1
  infra-host-ttl: 1
  val-bogus-ttl: 1
remote-control:
  control-enable: no
""" + "".join(f'stub-zone:\n  name: "{z}."\n  stub-addr: {self.upstream.address}@{self.upstream.port}\n' for z in self.upstream.zones))
        own(folder)
        self.spawn(["/usr/sbin/unbound", "-d", "-c", conf], account=False)
        self.wait(lambda: can_connect(self.address, 53))
