"""A Postfix of its own as a satellite: it takes mail on 127.0.0.2:2625 and hands all of it to its relay host.

To be used inside tests/e2e/run, as root."""
import pathlib
import shutil
import subprocess

from stack import wait_until


def run(*argv, **kw):
    r = subprocess.run([str(a) for a in argv], capture_output=True, text=True, check=False, timeout=60, **kw)
    if r.returncode:
        raise SystemExit(f"{argv[0]} failed ({r.returncode}):\n{r.stdout[-2000:]}\n{r.stderr[-2000:]}")
    return r.stdout


def relay(tmp, port, count, sender, to, extra=""):
    """Starts it with relayhost = 127.0.0.1:port and more lines of main.cf, feeds it by smtp-source, waits until its queue is
    empty, and stops it."""
    home = pathlib.Path(tmp, "relay")
    shutil.rmtree(home, ignore_errors=True)
    for d in ("conf", "data", "queue"):
        (home / d).mkdir(parents=True, mode=0o755)
    subprocess.run(["chown", "postfix", str(home / "data")], check=True)
    (home / "conf/main.cf").write_text(f"""compatibility_level = 3.6
queue_directory = {home}/queue
data_directory = {home}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
myhostname = relay.from.test
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
relayhost = [127.0.0.1]:{port}
{extra}smtp_dns_support_level = disabled
smtp_host_lookup = native
maillog_file = {home}/maillog
maillog_file_prefixes = /tmp, /var
alias_maps =
alias_database =
local_recipient_maps =
""")
    (home / "conf/master.cf").write_text("".join(f"{line}\n" for line in (
        "127.0.0.2:2625 inet n - n - - smtpd", "pickup unix n - n 60 1 pickup", "cleanup unix n - n - 0 cleanup", "qmgr unix n - n 300 1 qmgr",
        "tlsmgr unix - - n 1000? 1 tlsmgr", "rewrite unix - - n - - trivial-rewrite", "bounce unix - - n - 0 bounce", "defer unix - - n - 0 bounce",
        "trace unix - - n - 0 bounce", "proxymap unix - - n - - proxymap", "smtp unix - - n - - smtp", "error unix - - n - - error",
        "retry unix - - n - - error", "showq unix n - n - - showq", "anvil unix - - n - 1 anvil", "scache unix - - n - 1 scache",
        "postlog unix-dgram n - n - 1 postlogd")))
    run("postfix", "-c", home / "conf", "start")
    try:
        run("smtp-source", "-s", "5", "-m", str(count), "-l", "5000", "-f", sender, "-t", to, "127.0.0.2:2625")
        wait_until("Postfix's queue is empty", lambda: "empty" in run("postqueue", "-c", home / "conf", "-p"), 60, 0.3)
    finally:
        subprocess.run(["postfix", "-c", str(home / "conf"), "stop"], capture_output=True, check=False)
