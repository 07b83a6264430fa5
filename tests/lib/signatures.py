"""DKIM keys for tests and the two verifiers that are not ours: dkimpy, and opendkim's own."""
import base64
import pathlib
import subprocess


def make_key(kind, path):
    argv = ["genrsa", "2048"] if kind == "rsa" else ["genpkey", "-algorithm", "ed25519"]
    pem = subprocess.run(["openssl", *argv], check=True, capture_output=True).stdout
    pathlib.Path(path).write_bytes(pem)
    pathlib.Path(path).chmod(0o600)


def txt_value(kind, path):
    der = subprocess.run(["openssl", "pkey", "-in", str(path), "-pubout", "-outform", "DER"], check=True, capture_output=True).stdout
    if kind == "ed25519":
        der = der[-32:]  # RFC 8463 section 4: the bare key
    return f"v=DKIM1; k={kind}; p={base64.b64encode(der).decode()}"


def txt_record(name, value):
    parts = " ".join(f'"{value[i:i + 250]}"' for i in range(0, len(value), 250))
    return f"{name} TXT {parts}"


def dkimpy_passes(message, lookup, signatures):
    """How many of the first `signatures` DKIM-Signature fields dkimpy verifies; lookup: name -> TXT value."""
    import dkim

    def find(name, timeout=5):
        name = (name.decode() if isinstance(name, bytes) else name).rstrip(".")
        value = lookup.get(name)
        return value.encode() if value else None
    verifier = dkim.DKIM(message)
    passed = 0
    for i in range(signatures):
        try:
            passed += bool(verifier.verify(i, dnsfunc=find))
        except dkim.DKIMException:
            pass
    return passed


def opendkim_verifies(message):
    """opendkim's verifier, which looks the keys up in the DNS of /etc/resolv.conf."""
    return subprocess.run(["opendkim-testmsg", "-C"], input=message, capture_output=True, check=False)
