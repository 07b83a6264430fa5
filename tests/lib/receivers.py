"""Real receiving MTAs as MX hosts: Postfix, OpenSMTPD and Exim from Debian.

To be used inside tests/e2e/run (own network, mount and pid namespace, as root): accounts the daemons insist on are
added by mounting changed copies of /etc/passwd and /etc/group over the real ones, which nobody else sees.
Each takes all mail for its domains into one Maildir; arrived() gives the messages as they were on the wire, without
the lines the receiver itself put on top.
"""
import email.utils
import os
import pathlib
import shutil
import socket
import subprocess
import time

SRC = pathlib.Path(os.environ["POSTERN_SRC"])
TMP = pathlib.Path(os.environ["POSTERN_TMP"])
DEBS = SRC / "var" / "receivers"
ACCOUNTS = {"opensmtpd": 61001, "opensmtpq": 61002, "Debian-exim": 61003, "mxuser": 61004}


def sh(*argv, **kw):
    return subprocess.run([str(a) for a in argv], check=True, **kw)


def prepare_accounts():
    for name in ("passwd", "group"):
        text = pathlib.Path("/etc", name).read_text()
        for user, number in ACCOUNTS.items():
            if not any(line.startswith(user + ":") for line in text.splitlines()):
                text += f"{user}:x:{number}:{number}::/nonexistent:/usr/sbin/nologin\n" if name == "passwd" else f"{user}:x:{number}:\n"
        copy = TMP / name
        copy.write_text(text)
        copy.chmod(0o644)
        sh("mount", "--bind", copy, f"/etc/{name}")


def use_dns(server):
    copy = TMP / "resolv.conf"
    copy.write_text(f"nameserver {server}\noptions timeout:2 attempts:2\n")
    # /etc/resolv.conf may be a link into a folder that is mounted elsewhere.
    target = os.path.realpath("/etc/resolv.conf")
    if not os.path.exists(target):
        pathlib.Path("/etc/resolv.conf").write_text("")
        target = "/etc/resolv.conf"
    sh("mount", "--bind", copy, target)


def certificate():
    cert, key = TMP / "mx.crt", TMP / "mx.key"
    if not cert.exists():
        sh("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key,
           "-out", cert, "-days", "30", "-subj", "/CN=mx.test", stderr=subprocess.DEVNULL)
        key.chmod(0o600)
    return cert, key


def wait_port(ip, port, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            with socket.create_connection((ip, port), 1) as s:
                s.settimeout(5)
                if s.recv(3) == b"220":
                    return
        except OSError:
            pass
        time.sleep(0.1)
    raise RuntimeError(f"nothing greets on {ip}:{port} after {seconds} s")


class Receiver:
    name = "?"
    extra = ""  # of Postfix: further lines of main.cf; of Exim: routers before the one that keeps mail; of OpenSMTPD: actions and matches
    retry = ""  # of Exim: retry rules before the one for everything
    transports = ""

    def __init__(self, ip, domains, tls):
        self.ip, self.domains, self.tls = ip, domains, tls
        self.dir = TMP / f"{self.name}-{'tls' if tls else 'plain'}"
        self.dir.mkdir(mode=0o755)
        self.maildir = self.dir / "mail"
        self.process = None

    def make_maildir(self, uid):
        for part in ("", "new", "cur", "tmp"):
            (self.maildir / part).mkdir(mode=0o755, exist_ok=True)
            os.chown(self.maildir / part, uid, uid)

    def wait(self):
        try:
            wait_port(self.ip, 25)
        except RuntimeError:
            log = self.dir / "log"
            print(f"{self.name} says:\n{log.read_text(errors='replace')}" if log.exists() else f"{self.name} has no log", flush=True)
            raise

    def arrived(self):
        """[(recipient, message bytes with CRLF)] of what is there now."""
        out = []
        for path in sorted((self.maildir / "new").iterdir()):
            out.append(self.strip(path.read_bytes()))
        return out

    def strip(self, raw):
        """Removes the receiver's own trace fields from the top, which end with its first Received."""
        lines = raw.replace(b"\r\n", b"\n").split(b"\n")
        rcpt, i, seen = None, 0, False
        while i < len(lines):
            name = lines[i].split(b":", 1)[0].lower()
            if name == b"received" and seen:
                break
            if name not in (b"return-path", b"delivered-to", b"x-original-to", b"envelope-to", b"delivery-date", b"received"):
                break
            if name in (b"delivered-to", b"envelope-to", b"x-original-to"):
                rcpt = lines[i].split(b":", 1)[1].strip().decode()
            seen = seen or name == b"received"
            i += 1
            while lines[i][:1] in (b" ", b"\t"):
                i += 1
        return rcpt, b"\r\n".join(lines[i:])

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait(20)


class Postfix(Receiver):
    name = "postfix"

    def start(self):
        self.make_maildir(ACCOUNTS["mxuser"])
        etc, spool, data = self.dir / "etc", self.dir / "spool", self.dir / "data"
        for d in (etc, spool, data):
            d.mkdir(mode=0o755)
        shutil.chown(data, "postfix")
        cert, key = certificate()
        domains = ", ".join(self.domains)
        (etc / "main.cf").write_text(self.without_overridden(f"""compatibility_level = 3.6
queue_directory = {spool}
data_directory = {data}
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = {self.dir}/log
maillog_file_prefixes = /tmp, /var
myhostname = {self.name}.mx.test
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 192.0.2.0/24
virtual_mailbox_domains = {domains}
virtual_mailbox_maps = static:mail/
virtual_mailbox_base = {self.dir}
virtual_uid_maps = static:{ACCOUNTS["mxuser"]}
virtual_gid_maps = static:{ACCOUNTS["mxuser"]}
virtual_minimum_uid = 100
alias_maps =
alias_database =
smtpd_peername_lookup = no
smtpd_tls_security_level = {"may" if self.tls else "none"}
smtpd_tls_chain_files = {key}, {cert}
smtpd_tls_received_header = yes
smtputf8_enable = no
smtpd_recipient_restrictions = reject_unauth_destination
""") + self.extra)
        master = "".join(
            f"{line}\n" for line in (
                f"{self.ip}:25 inet n - n - - smtpd", "pickup unix n - n 60 1 pickup", "cleanup unix n - n - 0 cleanup",
                "qmgr unix n - n 300 1 qmgr", "tlsmgr unix - - n 1000? 1 tlsmgr", "rewrite unix - - n - - trivial-rewrite",
                "bounce unix - - n - 0 bounce", "defer unix - - n - 0 bounce", "trace unix - - n - 0 bounce",
                "proxymap unix - - n - - proxymap", "smtp unix - - n - - smtp", "error unix - - n - - error",
                "retry unix - - n - - error", "local unix - n n - - local", "virtual unix - n n - - virtual",
                "anvil unix - - n - 1 anvil", "scache unix - - n - 1 scache", "postlog unix-dgram n - n - 1 postlogd"))
        (etc / "master.cf").write_text(master)
        sh("postfix", "-c", etc, "start", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.wait()

    def without_overridden(self, main):
        """Every daemon warns of a line that is there twice, and postlogd, told by all of them while it starts, can block on itself."""
        keys = {line.split("=", 1)[0].strip() for line in self.extra.splitlines()}
        return "".join(f"{line}\n" for line in main.splitlines() if line.split("=", 1)[0].strip() not in keys)

    def stop(self):
        subprocess.run(["postfix", "-c", str(self.dir / "etc"), "stop"], stderr=subprocess.DEVNULL, check=False)


class Opensmtpd(Receiver):
    name = "opensmtpd"
    mounted = False

    def start(self):
        root = DEBS / "opensmtpd"
        if not Opensmtpd.mounted:  # its helpers and folders are at fixed places
            Opensmtpd.mounted = True
            over = TMP / "libexec"
            over.mkdir()
            sh("mount", "-t", "tmpfs", "tmpfs", "/usr/libexec")
            shutil.copytree(root / "usr/libexec/opensmtpd", "/usr/libexec/opensmtpd")
            for d in ("/var/lib", "/var/spool"):
                sh("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", d)
            pathlib.Path("/var/lib/opensmtpd/empty").mkdir(parents=True, mode=0o755)
            pathlib.Path("/etc/mailname").exists() or None
        self.make_maildir(ACCOUNTS["mxuser"])
        cert, key = certificate()
        listen = f"listen on {self.ip} port 25" + (" tls pki \"mx.test\"" if self.tls else "") + " hostname opensmtpd.mx.test"
        conf = self.dir / "smtpd.conf"
        conf.write_text(
            (f'pki "mx.test" cert "{cert}"\npki "mx.test" key "{key}"\n' if self.tls else "") +
            f'table vusers {{ "mxuser" = "{ACCOUNTS["mxuser"]}:{ACCOUNTS["mxuser"]}:{self.dir}" }}\n'
            f'table anybody {{ "@" = "mxuser" }}\n'
            f"{listen}\n"
            f'action "keep" maildir "{self.maildir}" userbase <vusers> virtual <anybody>\n'
            + self.extra + "".join(f'match from any for domain "{d}" action "keep"\n' for d in self.domains))
        conf.chmod(0o600)
        # A second instance would find the first one's socket and queue: each gets its own.
        wrapper = ["unshare", "--mount", "bash", "-c",
                   f"mount -t tmpfs -o mode=711 tmpfs /var/spool && mount -t tmpfs -o mode=755 tmpfs /run && "
                   f"exec {root}/usr/sbin/smtpd -d -f {conf}"]
        self.process = subprocess.Popen(wrapper, stdout=open(self.dir / "log", "wb"), stderr=subprocess.STDOUT)
        self.wait()


class Exim(Receiver):
    name = "exim"

    def start(self):
        # Debian's Exim gives up root for a configuration file it does not know: everything is Debian-exim's.
        uid = ACCOUNTS["Debian-exim"]
        self.make_maildir(uid)
        spool = self.dir / "spool"
        spool.mkdir(mode=0o755)
        shutil.chown(spool, "Debian-exim", "Debian-exim")
        cert, key = certificate()
        copy = self.dir / "mx.key"
        shutil.copy(key, copy)
        shutil.chown(copy, "Debian-exim", "Debian-exim")
        conf = self.dir / "exim.conf"
        conf.write_text(f"""spool_directory = {spool}
log_file_path = {spool}/%slog
exim_path = {DEBS}/exim/usr/sbin/exim4
keep_environment =
exim_user = Debian-exim
exim_group = Debian-exim
primary_hostname = exim.mx.test
local_interfaces = {self.ip}
daemon_smtp_ports = 25
domainlist local_domains = {" : ".join(self.domains)}
host_lookup =
rfc1413_query_timeout = 0s
acl_smtp_rcpt = acl_rcpt
dkim_verify_signers =
pipelining_advertise_hosts = *
{"tls_advertise_hosts = *" if self.tls else "tls_advertise_hosts ="}
tls_certificate = {cert}
tls_privatekey = {copy}
begin acl
acl_rcpt:
  accept domains = +local_domains
  deny message = relay not permitted
begin routers
{self.extra}keep:
  driver = accept
  domains = +local_domains
  transport = maildir
begin transports
maildir:
  driver = appendfile
  directory = {self.maildir}
  maildir_format
  create_directory = false
  user = {uid}
  group = {uid}
  delivery_date_add
  envelope_to_add
  return_path_add
  directory_mode = 0755
{self.transports}begin retry
{self.retry}* * F,1h,5m
""")
        conf.chmod(0o644)
        exim = DEBS / "exim/usr/sbin/exim4"
        self.process = subprocess.Popen([str(exim), "-C", str(conf), "-bdf", "-q1s"], stdout=open(self.dir / "log", "wb"),
                                        stderr=subprocess.STDOUT)
        self.wait()


ALL = (Postfix, Opensmtpd, Exim)
