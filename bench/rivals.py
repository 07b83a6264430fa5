"""Postfix, tuned, and OpenDKIM as the rival that is measured in the same run.  Settings: docs/PERFORMANCE.md."""
import pathlib
import shutil
import subprocess
import time

from stack import Failure, can_connect, wait_until

PORTS = {"e2e": 2525, "hold": 2526, "dkim": 2527}

MAIN = """compatibility_level = 3.6
queue_directory = {dir}/spool
data_directory = {dir}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = {dir}/log
maillog_file_prefixes = /var, /tmp
myhostname = out.sender.test
mydomain = sender.test
myorigin = sender.test
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
alias_database =
local_recipient_maps =
local_header_rewrite_clients =
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_recipient_restrictions =
smtpd_peername_lookup = no
smtpd_client_connection_count_limit = 0
smtpd_client_event_limit_exceptions = 127.0.0.0/8
smtpd_tls_security_level = none
smtp_tls_security_level = {tls}
smtp_tls_connection_reuse = {reuse}
smtp_tls_session_cache_database = btree:{dir}/data/smtp_scache
smtp_tls_loglevel = 0
smtp_host_lookup = dns
smtputf8_enable = no
strict_rfc821_envelopes = no
in_flow_delay = 0
default_process_limit = 200
max_use = 5000
default_destination_concurrency_limit = 50
smtp_destination_concurrency_limit = 20
initial_destination_concurrency = 20
smtp_destination_concurrency_failed_cohort_limit = 100
smtp_connection_cache_on_demand = yes
smtp_connection_cache_time_limit = 10s
smtp_connection_reuse_time_limit = 300s
qmgr_message_active_limit = 60000
qmgr_message_recipient_limit = 60000
hash_queue_names = deferred, defer, hold, incoming, active
hash_queue_depth = 1
notify_classes =
message_size_limit = 52428800
"""
MASTER = """127.0.0.1:2525 inet n - n - 200 smtpd
127.0.0.1:2526 inet n - n - 200 smtpd
  -o {{ smtpd_data_restrictions = check_client_access static:HOLD }}
127.0.0.1:2527 inet n - n - 200 smtpd
  -o {{ smtpd_milters = inet:127.0.0.1:8891 }}
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsproxy unix - - n - 0 tlsproxy
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


class Postfix:
    name = "postfix"

    def __init__(self, base, cgroup, tls="none", reuse="no"):
        self.dir = pathlib.Path(base) / "postfix"
        self.cgroup, self.tls, self.reuse = cgroup, tls, reuse
        self.milter = None

    def start(self, dkim_key=None):
        shutil.rmtree(self.dir, ignore_errors=True)
        for d in ("etc", "spool", "data"):
            (self.dir / d).mkdir(parents=True, mode=0o755)
        shutil.chown(self.dir / "data", "postfix")
        values = {"dir": self.dir, "tls": self.tls, "reuse": self.reuse}
        (self.dir / "etc/main.cf").write_text(MAIN.format(**values))
        (self.dir / "etc/master.cf").write_text(MASTER.format(**values))
        if dkim_key:
            self.start_milter(dkim_key)
        subprocess.run(["postfix", "-c", str(self.dir / "etc"), "start"], check=True, preexec_fn=self.cgroup.enter,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until("postfix", lambda: all(can_connect("127.0.0.1", p) for p in PORTS.values()))

    def start_milter(self, key):
        copy = self.dir / "dkim.pem"
        shutil.copy(key, copy)
        shutil.chown(copy, "opendkim")
        copy.chmod(0o600)
        conf = self.dir / "opendkim.conf"
        conf.write_text(f"Mode s\nDomain sender.test\nSelector s1\nKeyFile {copy}\nCanonicalization relaxed/relaxed\n"
                        "Socket inet:8891@127.0.0.1\nUserID opendkim\nSyslog no\nBackground no\nRequireSafeKeys no\nInternalHosts 127.0.0.0/8\n"
                        f"PidFile {self.dir}/opendkim.pid\n")
        self.milter = subprocess.Popen(["opendkim", "-f", "-x", str(conf)], preexec_fn=self.cgroup.enter, start_new_session=True,
                                       stdout=open(self.dir / "opendkim.log", "wb"), stderr=subprocess.STDOUT)
        wait_until("opendkim", lambda: can_connect("127.0.0.1", 8891))

    def release(self):
        subprocess.run(["postsuper", "-c", str(self.dir / "etc"), "-H", "ALL"], check=True, preexec_fn=self.cgroup.enter,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        subprocess.run(["postqueue", "-c", str(self.dir / "etc"), "-f"], check=True, preexec_fn=self.cgroup.enter, stdout=subprocess.DEVNULL)

    def clean(self):
        subprocess.run(["postsuper", "-c", str(self.dir / "etc"), "-d", "ALL"], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def stop(self):
        subprocess.run(["postfix", "-c", str(self.dir / "etc"), "stop"], check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if self.milter:
            self.milter.terminate()
            self.milter.wait(10)
            self.milter = None
        for _ in range(100):
            if not can_connect("127.0.0.1", PORTS["e2e"]):
                return
            time.sleep(0.1)
        raise Failure("postfix did not stop")


class Cgroup:
    """CPU time and memory of everything a rival forks; cgroup v1 (cpuacct, memory) or v2."""

    def __init__(self, name):
        v1 = pathlib.Path("/sys/fs/cgroup/cpuacct")
        self.v1 = v1.is_dir()
        self.dirs = [v1 / name, pathlib.Path("/sys/fs/cgroup/memory") / name] if self.v1 else [pathlib.Path("/sys/fs/cgroup") / name]
        for d in self.dirs:
            d.mkdir(exist_ok=True)

    def enter(self):
        for d in self.dirs:
            (d / "cgroup.procs").write_text("0")

    def cpu_ms(self):
        if self.v1:
            return int((self.dirs[0] / "cpuacct.usage").read_text()) / 1e6
        for line in (self.dirs[0] / "cpu.stat").read_text().splitlines():
            if line.startswith("usage_usec"):
                return int(line.split()[1]) / 1e3
        return 0.0

    def resident_mib(self):
        """Sum of proportional set sizes of what runs now."""
        total = 0
        for pid in (self.dirs[0] / "cgroup.procs").read_text().split():
            try:
                for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                    if line.startswith("Pss:"):
                        total += int(line.split()[1])
            except OSError:
                pass
        return total / 1024

    def remove(self):
        for d in self.dirs:
            try:
                d.rmdir()
            except OSError:
                pass
