"""The engine's link, spoken from Python (schema/wire/link.h), independent of our C codecs."""
import socket
import struct

import msgpack

HELLO, CONTENT, JOB, RULE, KEY, SUBSCRIBE, CURSOR, ADMIN = range(1, 9)
WELCOME, ACK, ERROR, EVENTS, REPORT = range(64, 69)
DELIVERED, BOUNCED, EXPIRED, CANCELLED, DEFERRED, ACCEPTED = 1, 2, 3, 4, 5, 16


class LinkError(Exception):
    def __init__(self, code, text):
        super().__init__(f"{code}: {text}")
        self.code = code


class Link:
    def __init__(self, path, name="", timeout=60):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(timeout)
        self.sock.connect(str(path))
        self.buffer = b""
        self.request = 0
        self.events = []
        self.send(HELLO, 1, name)
        frame = self.receive()
        if frame[0] == ERROR:
            raise LinkError(frame[2], frame[3])
        assert frame[0] == WELCOME, frame
        self.version, self.engine, self.durable, self.oldest, self.cursor = frame[2:7]

    def send(self, kind, *fields):
        self.request += 1
        body = msgpack.packb([kind, self.request, *fields], use_bin_type=True)
        self.sock.sendall(struct.pack(">I", len(body)) + body)
        return self.request

    def receive(self):
        while True:
            if len(self.buffer) >= 4:
                n = struct.unpack(">I", self.buffer[:4])[0]
                if len(self.buffer) >= 4 + n:
                    body, self.buffer = self.buffer[4:4 + n], self.buffer[4 + n:]
                    return msgpack.unpackb(body, raw=False, unicode_errors="surrogateescape")
            data = self.sock.recv(1 << 20)
            if not data:
                raise EOFError("the engine closed the link")
            self.buffer += data

    def ask(self, kind, *fields):
        """Sends one request and waits for its answer; events that come meanwhile are kept."""
        request = self.send(kind, *fields)
        while True:
            frame = self.receive()
            if frame[0] == EVENTS:
                self.events.append(frame)
            elif frame[1] == request:
                if frame[0] == ERROR:
                    raise LinkError(frame[2], frame[3])
                return frame

    def admin(self, command, **args):
        """Asks what the postern command asks; gives the report."""
        return self.ask(ADMIN, command, args)[2]

    def close(self):
        self.sock.close()


def rows(recipients):
    """recipients: (address, ref, *fields)"""
    return b"".join(msgpack.packb(list(r)) for r in recipients)


def content_meta(program=False, body_8bit=False, utf8=False, sign_domain=""):
    return msgpack.packb({"p": program, "8": body_8bit, "u": utf8, "d": sign_domain})


def job_meta(mail_from="", pool="", message_id_domain="", origin="control", date_ms=0):
    return msgpack.packb({"f": mail_from, "e": pool, "m": message_id_domain, "o": origin, "t": date_ms})


def feed_raw(link, campaign, message, recipients, chunk=1000, mail_from="bounce@sender.test", tenant=1, life_ms=86400000):
    """Feeds one raw message to many recipients as jobs of `chunk` rows; gives the number of jobs acknowledged."""
    import time
    now = int(time.time() * 1000)
    link.ask(CONTENT, campaign, 1, content_meta(), message)
    for first in range(0, len(recipients), chunk):
        part = recipients[first:first + chunk]
        link.ask(JOB, campaign, first + 1, campaign, 1, tenant, campaign, 0, now, now + life_ms, len(part),
                 job_meta(mail_from), rows((address, first + i) for i, address in enumerate(part)))
    return (len(recipients) + chunk - 1) // chunk
