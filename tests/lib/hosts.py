"""MX hosts of a kind that postern-sink is not: one that notes when letters arrive, one that never greets."""
import collections
import smtplib
import socket
import threading
import time


class Tarpit(threading.Thread):
    """Takes connections and says nothing; of the last thousand none is closed."""

    def __init__(self, address):
        super().__init__(daemon=True)
        self.listener = socket.create_server((address, 25), backlog=512)
        self.peers = collections.deque(maxlen=1000)

    def run(self):
        while True:
            self.peers.append(self.listener.accept()[0])


class Clockwork(threading.Thread):
    """Notes when each letter's final dot arrived; at: time of the letter to u<number>@..., by number.  It answers the dot after
    `delay` seconds.  most: connections at a time."""

    def __init__(self, address, delay=0):
        super().__init__(daemon=True)
        self.listener = socket.create_server((address, 25))
        self.at, self.delay, self.open, self.most, self.lock = {}, delay, 0, 0, threading.Lock()

    def run(self):
        while True:
            peer, _ = self.listener.accept()
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # it answers command by command
            threading.Thread(target=self.serve, args=(peer,), daemon=True).start()

    def serve(self, peer):
        with self.lock:
            self.open += 1
            self.most = max(self.most, self.open)
        try:
            self.talk(peer)
        except OSError:
            pass
        with self.lock:
            self.open -= 1

    def talk(self, peer):
        f = peer.makefile("rb")
        peer.sendall(b"220 clock\r\n")
        number = None
        while line := f.readline():
            verb = line[:4].upper()
            if verb == b"EHLO":
                peer.sendall(b"250-clock\r\n250 PIPELINING\r\n")
            elif verb == b"DATA":
                peer.sendall(b"354 go\r\n")
                while (line := f.readline()) != b".\r\n":
                    pass
                self.at[number] = time.monotonic()
                time.sleep(self.delay)
                peer.sendall(b"250 ok\r\n")
            elif verb == b"RCPT":
                number = int(line.split(b"<u")[1].split(b"@")[0])
                peer.sendall(b"250 ok\r\n")
            else:
                peer.sendall(b"250 ok\r\n")


class Letters:
    """Letters alone, submitted over a connection that is kept, to a domain whose MX is `clock`."""

    def __init__(self, clock, port, domain):
        self.clock, self.domain = clock, domain
        self.client = smtplib.SMTP("127.0.0.1", port)
        self.client.ehlo("app.test")

    def send(self, number, seconds=10):
        """(milliseconds until it was accepted, milliseconds until its dot reached the host)"""
        start = time.monotonic()
        self.client.sendmail("app@sender.test", [f"u{number}@{self.domain}"], b"From: a@sender.test\r\nSubject: code\r\n\r\n1234\r\n")
        taken = time.monotonic()
        while number not in self.clock.at:
            if time.monotonic() > start + seconds:
                raise TimeoutError(f"letter {number} did not arrive within {seconds} s")
            time.sleep(0.0005)
        return (taken - start) * 1000, (self.clock.at.pop(number) - start) * 1000

    def close(self):
        self.client.quit()


class Gatekeeper(threading.Thread):
    """Answers MAIL by what judge(client's address) says: b"" takes the message, anything else is the reply.
    taken: messages by client."""

    def __init__(self, address, judge):
        super().__init__(daemon=True)
        self.listener = socket.create_server((address, 25), backlog=512)
        self.judge, self.taken, self.lock = judge, collections.Counter(), threading.Lock()

    def run(self):
        while True:
            peer, (client, _) = self.listener.accept()
            threading.Thread(target=self.serve, args=(peer, client), daemon=True).start()

    def serve(self, peer, client):
        try:
            self.talk(peer, peer.makefile("rb"), client)
        except OSError:
            pass

    def talk(self, peer, f, client):
        peer.sendall(b"220 gate\r\n")
        while line := f.readline():
            verb = line[:4].upper()
            if verb == b"MAIL":
                peer.sendall((self.judge(client) or b"250 ok") + b"\r\n")
            elif verb == b"DATA":
                peer.sendall(b"354 go\r\n")
                while (line := f.readline()) and line != b".\r\n":
                    pass
                with self.lock:
                    self.taken[client] += 1
                peer.sendall(b"250 ok\r\n")
            elif verb == b"QUIT":
                peer.sendall(b"221 bye\r\n")
                return
            else:
                peer.sendall(b"250 ok\r\n")
