"""A mail host that offers what it is told to, one command at a time, with TLS: for extensions that no receiver of Debian has."""
import socket
import socketserver
import ssl
import threading


class LockStep:
    """offers: EHLO keywords, those under TLS; with STARTTLS where it has a certificate.  auth: initial response -> reply.
    Notes every command under `said` as (TLS?, line) and every message under `messages`."""

    def __init__(self, address, port=25, certificate=None, offers=(), auth=None):
        self.said, self.messages = [], []
        self.offers, self.auth = list(offers), auth
        self.context = None
        if certificate:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(*certificate)
        host = self

        class Session(socketserver.BaseRequestHandler):
            def handle(self):
                try:
                    host.serve(self.request)
                except (OSError, ssl.SSLError, EOFError):
                    pass

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = daemon_threads = True
        self.server = Server((address, port), Session)

    def start(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def serve(self, sock):
        sock.settimeout(20)
        tls, inbox = False, sock.makefile("rb")
        sock.sendall(b"220 lockstep.test ESMTP\r\n")
        while True:
            line = inbox.readline(4096)
            if not line.endswith(b"\r\n"):
                raise EOFError
            line = line.decode(errors="replace").strip()
            self.said.append((tls, line))
            verb = line.split(" ", 1)[0].upper()
            if verb == "STARTTLS" and self.context and not tls:
                sock.sendall(b"220 go\r\n")
                sock = self.context.wrap_socket(sock, server_side=True)
                tls, inbox = True, sock.makefile("rb")
                continue
            sock.sendall(self.reply(verb, line, tls))
            if verb == "DATA":
                self.messages.append(self.body(inbox))
                sock.sendall(b"250 2.0.0 taken\r\n")
            elif verb == "QUIT":
                sock.shutdown(socket.SHUT_RDWR)
                return

    def reply(self, verb, line, tls):
        if verb == "EHLO":
            words = ["lockstep.test", *(self.offers if tls or not self.context else ["STARTTLS"])]
            return "".join(f"250{' ' if i + 1 == len(words) else '-'}{w}\r\n" for i, w in enumerate(words)).encode()
        if verb == "AUTH":
            return self.auth(line) if self.auth else b"502 5.5.1 no AUTH\r\n"
        return {"MAIL": b"250 ok\r\n", "RCPT": b"250 ok\r\n", "DATA": b"354 go\r\n", "RSET": b"250 ok\r\n", "QUIT": b"221 bye\r\n",
                "NOOP": b"250 ok\r\n"}.get(verb, b"500 5.5.1 what\r\n")

    @staticmethod
    def body(inbox):
        lines = []
        while True:
            line = inbox.readline(1 << 20)
            if not line:
                raise EOFError
            if line == b".\r\n":
                return b"".join(lines)
            lines.append(line[1:] if line.startswith(b".") else line)
