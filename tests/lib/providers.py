"""Two real OpenID Connect providers: npm's oidc-provider over https at localhost, and Debian's glewlwyd over http at
127.0.0.1.  Each has people of its own, who log in with its own pages or calls."""
import json
import pathlib
import re
import shutil
import sqlite3
import urllib.parse
import subprocess

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from stack import SRC, Failure, Part, can_connect, own

SECRET = "of the client: %&+=/"  # what a form writes in another way


class NodeProvider(Part):
    name = "oidc-provider"
    issuer = "https://localhost:4443"

    def __init__(self, base):
        super().__init__(base)
        self.key, self.cert, self.settings = (self.base / f for f in ("oidc.key", "oidc.crt", "oidc.json"))

    def make_certificate(self):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", self.key, "-out", self.cert, "-days", "2",
                        "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"], check=True, capture_output=True)
        own(self.key)
        own(self.cert)

    def start(self, redirect_uri, accounts):
        modules = SRC / "var/oidc/node_modules"
        if not modules.exists():
            raise Failure("the npm packages of tests/oidc are missing: run script/oidc_provider")
        self.settings.write_text(json.dumps({
            "issuer": self.issuer, "port": 4443, "key": str(self.key), "cert": str(self.cert), "modules": str(modules), "accounts": accounts,
            "clients": [{"client_id": "postern", "client_secret": SECRET, "redirect_uris": [redirect_uri]}]}))
        own(self.settings)
        self.spawn(["node", SRC / "tests/oidc/provider.mjs", self.settings])
        self.wait(lambda: can_connect("127.0.0.1", 4443))


class Glewlwyd(Part):
    name = "glewlwyd"
    url = "http://127.0.0.1:4593"
    issuer = f"{url}/api/oidc"

    def start(self):
        if not shutil.which("glewlwyd", path="/usr/bin"):
            raise Failure("glewlwyd is not installed: run script/install test")
        database, conf = self.base / "glewlwyd.db", self.base / "glewlwyd.conf"
        db = sqlite3.connect(database)
        db.executescript(pathlib.Path("/usr/share/dbconfig-common/data/glewlwyd/install/sqlite3").read_text())
        db.close()
        text = pathlib.Path("/etc/glewlwyd/glewlwyd.conf").read_text()
        text = re.sub(r"@include \"/etc/glewlwyd/glewlwyd-db.conf\"", f'database = {{ type = "sqlite3" path = "{database}" }};', text)
        text = text.replace('log_mode="file"', 'log_mode="console"').replace("port=4593", 'port=4593\nbind_address="127.0.0.1"', 1)
        conf.write_text(text.replace("http://localhost:4593/", self.url))
        own(database)
        own(conf)
        self.spawn(["glewlwyd", f"--config-file={conf}"])
        self.wait(lambda: can_connect("127.0.0.1", 4593))

    def call(self, b, method, path, body):
        page = b.ask(self.url + path, method, json.dumps(body).encode(), {"Content-Type": "application/json"})
        if page.status != 200:
            raise Failure(f"glewlwyd: {method} {path}: {page.status} {page.body}")

    def set_up(self, b, redirect_uri, people):
        """By its administrator: the plugin that speaks OpenID Connect, our client, and who may log in."""
        self.call(b, "POST", "/api/auth/", {"username": "admin", "password": "password"})
        self.call(b, "PUT", "/api/mod/user/database", {"module": "database", "name": "database", "display_name": "Database", "order_rank": 0,
                                                       "parameters": {"use-glewlwyd-connection": True, "data-format": {
                                                           "email_verified": {"multiple": False, "read": True, "write": True}}}})
        self.call(b, "PUT", "/api/mod/reload/", None)
        key = rsa.generate_private_key(65537, 2048)
        pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()
        public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
        self.call(b, "POST", "/api/mod/plugin/", {"module": "oidc", "name": "oidc", "display_name": "OIDC", "parameters": {
            "iss": self.issuer, "jwt-type": "rsa", "jwt-key-size": "256", "key": pem, "cert": public, "access-token-duration": 3600,
            "refresh-token-duration": 3600, "code-duration": 600, "auth-type-code-enabled": True, "auth-type-id-token-enabled": True,
            "pkce-allowed": True, "pkce-method-plain-allowed": False, "pkce-required": True, "subject-type": "public", "name-claim": "mandatory",
            "email-claim": "mandatory", "claims": [{"name": "email_verified", "user-property": "email_verified", "type": "boolean",
                                                    "boolean-value-true": "yes", "boolean-value-false": "no", "mandatory": True}], "jwks-show": True}})
        self.call(b, "POST", "/api/client/", {"client_id": "postern", "name": "Postern", "enabled": True, "confidential": True, "client_secret": SECRET,
                                              "redirect_uri": [redirect_uri], "authorization_type": ["code"], "scope": [],
                                              "token_endpoint_auth_method": ["client_secret_post"]})
        for person in people:
            self.call(b, "POST", "/api/user/", {**person, "scope": ["openid", "g_profile"], "enabled": True})

    def log_in(self, b, page, name, password):
        """What its login page does with `page`, which leads there: log in, agree, and go back to where it came from."""
        self.call(b, "POST", "/api/auth/", {"username": name, "password": password})
        self.call(b, "PUT", "/api/auth/grant/postern", {"scope": "openid"})
        url = page.location
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(url).query)
        url = query["callback_url"][0] if "callback_url" in query else url
        return b.ask(url + "&g_continue")
