"""A certificate authority for tests, and an HTTPS host of MTA-STS policies with certificates of it."""
import hashlib
import http.server
import ssl
import subprocess
import threading


class Authority:
    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()
        self.cert, self.key = folder / "ca.pem", folder / "ca.key"
        self.run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", self.key, "-out", self.cert,
                 "-days", "30", "-subj", "/CN=test authority")

    def run(self, *argv, **kw):
        return subprocess.run(["openssl", *map(str, argv)], check=True, capture_output=True, **kw).stdout

    def issue(self, name, file=None, also=()):
        """(certificate with its chain, key) for the names."""
        base = self.folder / (file or name)
        cert, key, request, ext = (base.with_name(base.name + end) for end in (".pem", ".key", ".csr", ".ext"))
        ext.write_text("subjectAltName=" + ",".join(f"DNS:{n}" for n in (name, *also)) + "\n")
        self.run("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", request,
                 "-subj", f"/CN={name}")
        self.run("x509", "-req", "-in", request, "-CA", self.cert, "-CAkey", self.key, "-CAcreateserial", "-days", "20", "-extfile", ext,
                 "-out", cert)
        cert.write_text(cert.read_text() + self.cert.read_text())
        return cert, key

    def tlsa(self, cert):
        """The data of a TLSA record 3 1 1 for the certificate."""
        key = self.run("x509", "-in", cert, "-noout", "-pubkey")
        der = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "DER"], input=key, check=True, capture_output=True).stdout
        return "3 1 1 " + hashlib.sha256(der).hexdigest()


class PolicyHost(threading.Thread):
    """Answers GET /.well-known/mta-sts.txt with self.answer = (status, headers, body); notes Host and path, and uploads."""

    def __init__(self, address, cert, key, port=443):
        super().__init__(daemon=True)
        self.asked, self.uploads = [], []
        self.answer = (404, {}, b"")
        host = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def reply(self, status, headers, body):
                self.send_response(status)
                for k, v in headers.items():
                    self.send_header(k, v)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self):
                host.asked.append((self.headers["Host"], self.path))
                self.reply(*host.answer)

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                host.uploads.append((self.path, self.headers["Content-Type"], body))
                self.reply(200, {}, b"")

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer((address, port), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
        self.server.handle_error = lambda *args: None  # a client that has seen enough
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)

    def run(self):
        self.server.serve_forever()

    def serve(self, policy, status=200, kind="text/plain", **headers):
        self.answer = (status, {"Content-Type": kind, **headers}, policy.encode())
