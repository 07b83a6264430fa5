"""Receivers that take a message and bounce it later, by a notice of their own: unknown user behind an alias (alias@), mailbox
full (full@), refused by a content filter (filtered@).  Used inside tests/e2e/run, as receivers.py."""
import socketserver
import subprocess
import threading

import receivers

BAD = ("alias", "full", "filtered")
UNKNOWN, FILTER, QUOTA = ("127.0.6.2", 25), ("127.0.6.1", 2500), ("127.0.6.3", 25)


class Refuser(socketserver.StreamRequestHandler):
    """Refuses every recipient, or the message at its end as a content filter does."""

    def handle(self):
        self.wfile.write(b"220 refuser.test\r\n")
        data, server = False, self.server.server_address
        for line in self.rfile:
            verb = line[:4].upper()
            if data:
                if line == b".\r\n":
                    data = False
                    self.wfile.write(b"554 5.7.1 refused by content filter\r\n")
                continue
            if verb == b"RCPT" and server != FILTER:
                self.wfile.write(b"550 5.1.1 no such user here\r\n" if server == UNKNOWN else b"552 5.2.2 mailbox is full\r\n")
            elif verb == b"DATA":
                data = True
                self.wfile.write(b"354 go on\r\n")
            elif verb == b"QUIT":
                self.wfile.write(b"221 bye\r\n")
                return
            else:
                self.wfile.write(b"250 ok\r\n")


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True


def refuse():
    """Starts those who refuse."""
    for address in (UNKNOWN, FILTER, QUOTA):
        threading.Thread(target=Server(address, Refuser).serve_forever, daemon=True).start()


class Postfix(receivers.Postfix):
    def start(self):
        d = self.dir
        (d / "aliases").write_text("/^alias@/ gone@refuser.test\n/^full@/ full@full.test\n")
        (d / "filtered").write_text("/^filtered@/ FILTER smtp:[127.0.6.1]:2500\n")
        (d / "transport").write_text("/@full.test$/ error:5.2.2 mailbox is full\n")
        self.extra = (f"virtual_alias_maps = regexp:{d}/aliases\ntransport_maps = regexp:{d}/transport\n"
                      f"smtp_host_lookup = dns\nminimal_backoff_time = 1s\n")
        super().start()

    def write_access(self):
        return f"check_recipient_access regexp:{self.dir}/filtered, reject_unauth_destination"


class Exim(receivers.Exim):
    extra = """out:
  driver = dnslookup
  domains = ! +local_domains
  transport = remote
  self = send
  no_more
unknown:
  driver = redirect
  local_parts = alias
  allow_fail
  data = :fail: 550 5.1.1 no such user here
filtered:
  driver = redirect
  local_parts = filtered
  allow_fail
  data = :fail: 554 5.7.1 refused by content filter
full:
  driver = accept
  local_parts = full
  transport = small
"""
    retry = "* quota\n"

    def start(self):
        uid = receivers.ACCOUNTS["Debian-exim"]
        self.transports = f"""remote:
  driver = smtp
small:
  driver = appendfile
  directory = {self.maildir}
  maildir_format
  quota = 1K
  user = {uid}
  group = {uid}
"""
        super().start()


class Opensmtpd(receivers.Opensmtpd):
    """Its own resolver finds nothing here: it is told the hosts.  notices: where they go."""
    notices = ("127.0.5.1", 25)

    def start(self):
        domain = self.domains[0]
        hosts = {"unknown": UNKNOWN, "full": QUOTA, "filtered": FILTER, "notices": self.notices}
        self.extra = ('table aliases { "alias" = "gone@refuser.test" }\naction "aliases" expand-only virtual <aliases>\n'
                      + "".join(f'action "{name}" relay host smtp://{ip}:{port}\n' for name, (ip, port) in hosts.items())
                      + f'match from any for rcpt-to "alias@{domain}" action "aliases"\nmatch from any for domain "refuser.test" action "unknown"\n'
                      + "".join(f'match from any for rcpt-to "{name}@{domain}" action "{name}"\n' for name in ("full", "filtered"))
                      + 'match from local for any action "notices"\n')
        super().start()


def start_postfix(postfix):
    """With its content filter, which stands in a restriction that receivers.py does not know."""
    postfix.start()
    config = postfix.dir / "etc/main.cf"
    config.write_text(config.read_text().replace("smtpd_recipient_restrictions = reject_unauth_destination",
                                                 f"smtpd_recipient_restrictions = {postfix.write_access()}"))
    subprocess.run(["postfix", "-c", config.parent, "reload"], check=True, stderr=subprocess.DEVNULL)
