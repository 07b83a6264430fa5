"""Servers that misbehave on purpose: SMTP hosts that hang, close, talk nonsense, never stop talking or drip at one chosen
step, and a nameserver that is silent, lies or loops for chosen names and answers the rest from a table.

All of it runs in one thread of its own, on asyncio; start() returns when everything listens.
"""
import asyncio
import os
import struct
import threading

STEPS = ("greeting", "ehlo", "starttls", "handshake", "mail", "rcpt", "data", "dot", "quit")
MODES = ("hang", "close", "garble", "endless", "drip")


class Rude:
    """Hosts: {ip: (step, mode, pipelining)}. Names: {name: how or {type: [values]}}; see Names."""

    def __init__(self, hosts, names, port=25, dns=("127.0.0.1", 53)):
        self.hosts, self.names, self.port, self.dns = hosts, names, port, dns
        self.open = self.peak = self.sessions = self.sent = 0
        self.taken = {}                                 # ip: messages answered with 250
        self.questions = {}                             # name: how often it was asked
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.ready, self.failed = threading.Event(), None

    def start(self):
        self.thread.start()
        self.ready.wait(20)
        if self.failed:
            raise self.failed

    def stop(self):
        self.loop.call_soon_threadsafe(lambda: [t.cancel() for t in asyncio.all_tasks(self.loop)])
        self.loop.call_soon_threadsafe(self.loop.call_later, 0.1, self.loop.stop)
        self.thread.join(10)

    def run(self):
        asyncio.set_event_loop(self.loop)
        try:
            self.loop.run_until_complete(self.listen())
        except OSError as e:
            self.failed = e
        self.ready.set()
        if not self.failed:
            self.loop.run_forever()

    async def listen(self):
        for ip, (step, mode, pipelining) in self.hosts.items():
            await asyncio.start_server(lambda r, w, a=(ip, step, mode, pipelining): self.session(r, w, *a), ip, self.port, limit=1 << 22)
        await self.loop.create_datagram_endpoint(lambda: Names(self), local_addr=self.dns)

    async def session(self, reader, writer, *how):
        self.open, self.sessions = self.open + 1, self.sessions + 1
        self.peak = max(self.peak, self.open)
        try:
            await self.talk(reader, writer, *how)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, asyncio.CancelledError):
            pass
        finally:
            self.open -= 1
            writer.close()

    async def misbehave(self, reader, writer, mode):
        if mode == "garble":
            writer.write(bytes(b for b in os.urandom(300) if b not in b"\r\n") + b"\r\n")
        while mode == "endless":
            writer.write((b"250-" + b"x" * 60 + b"\r\n") * 50)
            self.sent += 50 * 66
            await writer.drain()
        while mode == "drip":
            writer.write(b"2")
            await writer.drain()
            await asyncio.sleep(0.1)
        if mode in ("hang", "garble"):
            await reader.read(-1)                       # until the other side has had enough

    async def talk(self, reader, writer, ip, step, mode, pipelining):
        offered = b"250-rude.test\r\n" + (b"250-PIPELINING\r\n" if pipelining else b"") \
            + (b"250-STARTTLS\r\n" if step in ("starttls", "handshake") else b"") + b"250 SIZE 10000000\r\n"
        replies = {"ehlo": offered, "starttls": b"220 go\r\n", "mail": b"250 2.1.0 ok\r\n", "rcpt": b"250 2.1.5 ok\r\n",
                   "data": b"354 go\r\n", "dot": b"250 2.0.0 ok\r\n", "quit": b"221 bye\r\n"}
        at = "greeting"
        if step != at:
            writer.write(b"220 rude.test ESMTP\r\n")
        while step != at:
            line = await reader.readuntil(b"\n")
            at = line[:4].decode("latin-1").strip().lower()
            at = "starttls" if at == "star" else at
            if at == step:
                break
            writer.write(replies.get(at, b"250 ok\r\n"))
            if at == "starttls":
                at = "handshake"                        # only where that is the step
            elif at == "data":
                await reader.readuntil(b"\r\n.\r\n")
                at = "dot"
                if step != at:
                    writer.write(replies[at])
                    self.taken[ip] = self.taken.get(ip, 0) + 1
            elif at == "quit":
                return
            await writer.drain()
        await self.misbehave(reader, writer, mode)


def labels(name):
    return b"".join(bytes([len(x)]) + x.encode() for x in name.split(".") if x) + b"\0"


class Names(asyncio.DatagramProtocol):
    """A value of the table is {type: [rdata]} with type "A", "MX", "PTR" or "CNAME", or the name of a lie."""
    TYPES = {"A": 1, "CNAME": 5, "PTR": 12, "MX": 15}

    def __init__(self, rude):
        self.rude = rude

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, addr):
        name, at = [], 12
        while data[at]:
            name.append(data[at + 1:at + 1 + data[at]].decode("latin-1"))
            at += 1 + data[at]
        name, question = ".".join(name).lower(), data[12:at + 5]
        self.rude.questions[name] = self.rude.questions.get(name, 0) + 1
        known = self.rude.names.get(name, "nxdomain")
        lie = getattr(self, "lie_" + known) if isinstance(known, str) else None
        for answer in lie(data, question, name) if lie else [self.answer(data[:2], question, known)]:
            self.transport.sendto(answer, addr)

    def answer(self, qid, question, records, rcode=0, flags=0x8580):
        kind, out, n = struct.unpack(">H", question[-4:-2])[0], b"", 0
        for t, values in records.items():
            for v in values if self.TYPES[t] == kind or t == "CNAME" else []:
                rdata = bytes(map(int, v.split("."))) if t == "A" else labels(v) if t in ("CNAME", "PTR") else struct.pack(">H", v[0]) + labels(v[1])
                out += b"\xc0\x0c" + struct.pack(">HHIH", self.TYPES[t], 1, 60, len(rdata)) + rdata
                n += 1
        return qid + struct.pack(">HHHHH", flags | rcode, 1, n, 0, 0) + question + out

    def lie_silent(self, data, question, name):
        return []

    def lie_wrong_id(self, data, question, name):
        return [self.answer(bytes([data[0] ^ 0x55, data[1]]), question, {"MX": [(10, "evil.test")], "A": ["127.0.66.6"]})]

    def lie_wrong_name(self, data, question, name):
        return [self.answer(data[:2], labels("other.test") + question[-4:], {"MX": [(10, "evil.test")], "A": ["127.0.66.6"]})]

    def lie_garbage(self, data, question, name):
        return [os.urandom(40), data[:2] + os.urandom(60), b"", data[:2]]

    def lie_servfail(self, data, question, name):
        return [self.answer(data[:2], question, {}, rcode=2)]

    def lie_refused(self, data, question, name):
        return [self.answer(data[:2], question, {}, rcode=5)]

    def lie_loop(self, data, question, name):
        return [self.answer(data[:2], question, {"CNAME": [name]})]

    def lie_truncated(self, data, question, name):
        return [self.answer(data[:2], question, {}, flags=0x8780)]  # and over TCP nobody listens

    def lie_nxdomain(self, data, question, name):
        return [self.answer(data[:2], question, {}, rcode=3)]
