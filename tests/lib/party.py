"""An OpenID Connect provider that does what it is told, also what no honest one does: the tests' attacker, and a stand-in
for large providers.  It signs people in without asking, as `person`; `say` changes what its answers hold."""
import base64
import hashlib
import hmac
import http.server
import json
import threading
import time
import urllib.parse

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def number(n, size=None):
    return b64(n.to_bytes(size or (n.bit_length() + 7) // 8, "big"))


class Key:
    def __init__(self, alg, kid):
        self.alg, self.kid = alg, kid
        self.private = {"RS256": lambda: rsa.generate_private_key(65537, 2048), "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
                        "EdDSA": ed25519.Ed25519PrivateKey.generate}[alg]()
        self.public = self.private.public_key()

    def jwk(self):
        about = {"kid": self.kid, "use": "sig", "alg": self.alg}
        if self.alg == "RS256":
            n = self.public.public_numbers()
            return {**about, "kty": "RSA", "n": number(n.n), "e": number(n.e)}
        if self.alg == "ES256":
            n = self.public.public_numbers()
            return {**about, "kty": "EC", "crv": "P-256", "x": number(n.x, 32), "y": number(n.y, 32)}
        raw = self.public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        return {**about, "kty": "OKP", "crv": "Ed25519", "x": b64(raw)}

    def pem(self):
        return self.public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)

    def sign(self, text):
        if self.alg == "RS256":
            return self.private.sign(text, padding.PKCS1v15(), hashes.SHA256())
        if self.alg == "ES256":
            r, s = utils.decode_dss_signature(self.private.sign(text, ec.ECDSA(hashes.SHA256())))
            return r.to_bytes(32, "big") + s.to_bytes(32, "big")
        return self.private.sign(text)


class Party:
    def __init__(self, port, client_id="postern", secret="of the client"):
        self.issuer = f"http://127.0.0.1:{port}"
        self.client_id, self.secret = client_id, secret
        self.keys = [Key("RS256", "one")]
        self.codes, self.number, self.asked = {}, 0, []
        self.reset()
        party = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                party.answer(self, None)

            def do_POST(self):
                party.answer(self, self.rfile.read(int(self.headers["Content-Length"])).decode())

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def reset(self):
        """Honest again."""
        self.person = {"sub": "1", "email": "ann@allowed.test", "email_verified": True, "name": "Ann"}
        self.claims, self.header, self.document, self.back = {}, {}, {}, {}
        self.sign, self.info = None, None
        self.signer = self.keys[0] if self.keys else None

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def answer(self, h, body):
        url = urllib.parse.urlsplit(h.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        self.asked.append((url.path, query, body, dict(h.headers)))
        if url.path == "/authorize":
            return self.authorize(h, query)
        pages = {"/.well-known/openid-configuration": self.discovery, "/userinfo": lambda: self.info, "/keys": lambda: {"keys": [k.jwk() for k in self.keys]},
                 "/token": lambda: self.token(dict(urllib.parse.parse_qsl(body or "")), h.headers)}
        reply = pages.get(url.path, lambda: None)()
        text = reply if isinstance(reply, bytes) else json.dumps(reply or {"error": "invalid_grant"}).encode()
        h.send_response(200 if reply else 400)
        h.send_header("Content-Type", "application/json")
        h.send_header("Content-Length", str(len(text)))
        h.end_headers()
        h.wfile.write(text)

    def discovery(self):
        return {"issuer": self.issuer, "authorization_endpoint": f"{self.issuer}/authorize", "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys", "authorization_response_iss_parameter_supported": True, **self.document}

    def authorize(self, h, query):
        self.number += 1
        code = f"code{self.number}"
        self.codes[code] = query
        back = {"state": query["state"], "code": code, "iss": self.issuer, **self.back}
        h.send_response(302)
        h.send_header("Location", query["redirect_uri"] + "?" + urllib.parse.urlencode({k: v for k, v in back.items() if v is not None}))
        h.send_header("Content-Length", "0")
        h.end_headers()

    def token(self, form, headers):
        query = self.codes.pop(form.get("code"), None)
        if query is None or form.get("redirect_uri") != query["redirect_uri"]:
            return None
        if b64(hashlib.sha256(form.get("code_verifier", "").encode()).digest()) != query["code_challenge"]:
            return None
        user, _, secret = base64.b64decode(headers.get("Authorization", "Basic Og==").split(" ")[1]).decode().partition(":")
        if (urllib.parse.unquote(user), urllib.parse.unquote_plus(secret)) != (self.client_id, self.secret):
            return None
        return {"access_token": "x", "token_type": "Bearer", "id_token": self.id_token(query)}

    def id_token(self, query):
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": self.client_id, "iat": now, "exp": now + 300, "nonce": query.get("nonce"), **self.person, **self.claims}
        header = {"alg": self.signer.alg, "kid": self.signer.kid, "typ": "JWT", **self.header}
        parts = [b64(json.dumps({k: v for k, v in part.items() if v is not None}).encode()) for part in (header, claims)]
        text = ".".join(parts).encode()
        return ".".join([*parts, b64((self.sign or self.signer.sign)(text))])

    def sign_with_public_key(self):
        """What fools a check that takes the algorithm from the token."""
        self.header = {"alg": "HS256"}
        self.sign = lambda text: hmac.new(self.keys[0].pem(), text, "sha256").digest()
