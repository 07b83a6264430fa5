"""A SAML identity provider: Debian's simplesamlphp under PHP's own server, with people who sign in through its real
forms; and a browser that goes there and brings back what its page would post."""
import html.parser
import http.cookiejar
import os
import pathlib
import re
import shutil
import subprocess
import urllib.parse
import urllib.request

from stack import Part, can_connect, own

HOME = pathlib.Path("/usr/share/simplesamlphp")
PEOPLE = {"student": ("ann@example.test", "Ann Rivers"), "employee": ("bob@example.test", "Bob Hill"), "guest": ("eve@elsewhere.test", "Eve")}


class IdentityProvider(Part):
    name = "simplesamlphp"

    def __init__(self, base, port=9080):
        super().__init__(base)
        self.dir, self.port = self.base / "simplesaml", port
        self.url = f"http://127.0.0.1:{port}"
        self.entity = f"{self.url}/saml2/idp/metadata.php"

    def certificate(self, name):
        """A new key, and the certificate that is signed with it."""
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", f"/CN={name}", "-keyout",
                        str(self.dir / f"{name}.key"), "-out", str(self.dir / f"{name}.crt")], check=True, capture_output=True)

    def write(self, services, key="one", extra=""):
        """services: {entity id of ours: address for responses}."""
        for name in ("one", "two"):
            if not (self.dir / f"{name}.key").exists():
                self.certificate(name)
        people = "".join(f"'{uid}:{uid}pass' => ['uid' => ['{uid}'], 'mail' => ['{mail}'], 'displayName' => ['{name}']],"
                         for uid, (mail, name) in PEOPLE.items())
        d = self.dir
        (d / "config.php").write_text(f"""<?php $config = ['baseurlpath' => '{self.url}/', 'certdir' => '{d}/', 'loggingdir' => '{d}/',
            'datadir' => '{d}/', 'tempdir' => '{d}/tmp', 'metadatadir' => '{d}/metadata/', 'secretsalt' => 'for tests only', 'timezone' => 'UTC',
            'auth.adminpassword' => 'unused', 'attributenamemapdir' => '{HOME}/attributemap/', 'enable.saml20-idp' => true, 'debug' => [],
            'module.enable' => ['exampleauth' => true, 'core' => true, 'saml' => true], 'logging.handler' => 'file', 'logging.level' => 4,
            'session.cookie.secure' => false, 'session.cookie.samesite' => null, 'store.type' => 'phpsession', 'language.cookie.secure' => false,
            'session.phpsession.savepath' => '{d}/tmp', 'metadata.sources' => [['type' => 'flatfile']], 'statistics.out' => []];""")
        (d / "authsources.php").write_text(f"<?php $config = ['example-userpass' => ['exampleauth:UserPass', {people}]];")
        (d / "metadata/saml20-idp-hosted.php").write_text(f"""<?php $metadata['{self.entity}'] = ['host' => '__DEFAULT__', 'privatekey' => '{key}.key',
            'certificate' => '{key}.crt', 'auth' => 'example-userpass', 'signature.algorithm' => 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
            {extra} 'authproc' => [3 => ['class' => 'saml:AttributeNameID', 'attribute' => 'uid',
            'Format' => 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent']]];""")
        (d / "metadata/saml20-sp-remote.php").write_text("<?php " + "".join(
            f"$metadata['{entity}'] = ['AssertionConsumerService' => '{acs}', 'NameIDFormat' => 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent'];"
            for entity, acs in services.items()))

    def start(self, services):
        for d in (self.dir, self.dir / "metadata", self.dir / "tmp"):
            d.mkdir(exist_ok=True)
        self.write(services)
        for path in (self.dir, *self.dir.rglob("*")):
            own(path)
        env = {**os.environ, "SIMPLESAMLPHP_CONFIG_DIR": str(self.dir)}
        self.spawn([shutil.which("php"), "-d", "error_log=" + str(self.dir / "php.log"), "-d", "opcache.enable=0", "-S", f"127.0.0.1:{self.port}", "-t", HOME / "www"],
                   env=env)
        self.wait(lambda: can_connect("127.0.0.1", self.port))

    def metadata(self, *more):
        """What it says of itself, with the certificates of other keys beside its own."""
        text = urllib.request.urlopen(self.entity, timeout=30).read().decode()
        for name in more:
            pem = (self.dir / f"{name}.crt").read_text()
            der = "".join(pem.strip().splitlines()[1:-1])
            text = re.sub(r"(<md:KeyDescriptor use=\"signing\">.*?</md:KeyDescriptor>)", lambda m: m.group(1) + re.sub(
                r"(<ds:X509Certificate>).*?(</ds:X509Certificate>)", lambda c: c.group(1) + der + c.group(2), m.group(1), flags=re.S), text, count=1, flags=re.S)
        return text


class Form(html.parser.HTMLParser):
    """The first form of a page: where it goes, and its fields."""

    def __init__(self, page):
        super().__init__()
        self.action, self.fields = None, {}
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        a = dict(attrs)
        if tag == "form" and self.action is None:
            self.action = a.get("action") or ""
        if tag == "input" and a.get("name") and self.action is not None:
            self.fields.setdefault(a["name"], a.get("value") or "")


class Browser:
    """The cookies of one person at the identity provider."""

    def __init__(self):
        self.jar = http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.jar))

    def open(self, url, fields=None):
        data = urllib.parse.urlencode(fields).encode() if fields is not None else None
        r = self.opener.open(urllib.request.Request(url, data), timeout=60)
        return r.geturl(), r.read().decode()

    def sign_in(self, location, uid):
        """Follows the way to the provider and signs in there; gives the form that its last page posts."""
        at, page = self.open(location)
        form = Form(page)
        if "SAMLResponse" not in form.fields:
            fields = {**form.fields, "username": uid, "password": uid + "pass"}
            at, page = self.open(urllib.parse.urljoin(at, form.action), fields)
            form = Form(page)
        return form.action, {k: form.fields[k] for k in ("SAMLResponse", "RelayState") if k in form.fields}
