"""An endpoint over HTTPS that gives access tokens for a refresh token (RFC 6749 section 6) and a new refresh token each time;
one that comes a second time is taken for a stolen one and ends the grant."""
import http.server
import json
import ssl
import threading
import urllib.parse


class TokenEndpoint(threading.Thread):
    def __init__(self, address, cert, key, path, client, refresh="refresh-0"):
        """client: members of the form beside grant_type and refresh_token."""
        super().__init__(daemon=True)
        self.path, self.client = path, client
        self.n, self.refresh, self.asked, self.wrong, self.revoked, self.life = 0, refresh, [], [], False, 3600
        host = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                status, answer = host.answer(self.path, self.headers["Content-Type"], urllib.parse.parse_qs(body, strict_parsing=True))
                text = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *args):
                pass
        self.server = http.server.ThreadingHTTPServer((address, 443), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)

    def run(self):
        self.server.serve_forever()

    def answer(self, path, kind, form):
        self.asked.append(form)
        expected = {"grant_type": ["refresh_token"], "refresh_token": [self.refresh], **{k: [v] for k, v in self.client.items()}}
        if (path, kind) != (self.path, "application/x-www-form-urlencoded") or form != expected:
            self.wrong.append((path, kind, form))
            self.revoked = True
        if self.revoked:
            return 400, {"error": "invalid_grant", "error_description": "the grant was revoked"}
        self.n += 1
        self.refresh = f"refresh-{self.n}"
        return 200, {"access_token": f"access-{self.n}", "token_type": "Bearer", "expires_in": self.life, "refresh_token": self.refresh}
