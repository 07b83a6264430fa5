"""Rows measured beside Postfix: ingest, delivery, end to end, with signatures and with TLS."""
import base64
import subprocess
import time

import rivals
from stack import Failure, wait_until
from world import process_cpu_ms, process_resident_mib

def row(messages, seconds, cpu_ms, resident, **more):
    return {"rate": messages / seconds, "cpu_ms": cpu_ms / messages, "resident_mib": resident, **more}


def ours_ingest(b, n):
    engine = b.engine()
    try:
        engine.cli("hold", "all", "--yes", "--reason", "bench")
        cpu = process_cpu_ms(engine.process.pid)
        stats = b.load(2600, n)
        cpu = process_cpu_ms(engine.process.pid) - cpu
        queued = engine.json("status")["books"]["queued"]
        if queued != n:
            raise Failure(f"{n} accepted but {queued} queued")
        return row(n, stats["seconds"], cpu, process_resident_mib(engine.process.pid))
    finally:
        engine.stop()


def ours_ingest_auth(b, n):
    """The same on kept sessions with TLS and a name; beside it, without either, in the same run."""
    plain = ours_ingest(b, n)
    _, cert, _, key = tls(b)
    hashed = subprocess.run([str(b.build / "spool/cli/postern"), "credential", "hash"], input="bench\n", text=True, capture_output=True, check=True)
    credentials = b.base / "credentials"
    credentials.write_text(f"bench {hashed.stdout.strip()} tenant=7\n")
    credentials.chmod(0o600)
    subprocess.run(["chown", "postgres", cert, key, str(credentials)], check=True)
    engine = b.engine(options={"listen.submissions": "127.0.0.1:2601", "tls.cert": cert, "tls.key": key, "submission.credentials": credentials})
    try:
        engine.cli("hold", "all", "--yes", "--reason", "bench")
        cpu = process_cpu_ms(engine.process.pid)
        stats = b.load(2601, n, options=("--tls", "--login"), login=base64.b64encode(b"\0bench\0bench").decode())
        cpu = process_cpu_ms(engine.process.pid) - cpu
        status = engine.json("status")
        if status["books"]["queued"] != n or status["submission"]["auth"] < 50:
            raise Failure(f"{n} accepted but {status}")
        return row(n, stats["seconds"], cpu, process_resident_mib(engine.process.pid),
                   of_plain=round(n / stats["seconds"] / plain["rate"], 3))
    finally:
        engine.stop()


def ours_deliver(b, n):
    engine, sink = b.engine(), b.sink()
    try:
        engine.cli("hold", "all", "--yes", "--reason", "bench")
        b.load(2600, n)
        cpu, start = process_cpu_ms(engine.process.pid), time.monotonic()
        engine.cli("release", "all", "--yes")
        counts = b.drained(sink, n)
        cpu = process_cpu_ms(engine.process.pid) - cpu
        del start
        return row(n, counts["seconds"], cpu, process_resident_mib(engine.process.pid), connections=counts["connections"])
    finally:
        engine.stop()
        sink.stop()


def written(engine, n):
    """Once every outcome is on disk: bytes written to bytes of messages taken."""
    wait_until("outcomes", lambda: engine.json("status")["books"]["delivered"] >= n, 30, 0.1)
    status = engine.json("status")
    return {"written_ratio": status["books"]["bytes_written"] / status["submission"]["bytes"], "syncs": status["books"]["syncs"]}


def ours_e2e(b, n, keys=(), options=None, sink_options=(), disk=False):
    engine, sink = b.engine(keys, options), b.sink(*sink_options)
    try:
        cpu, start = process_cpu_ms(engine.process.pid), time.monotonic()
        b.load(2600, n)
        counts = b.drained(sink, n)
        seconds = max(counts["seconds"], 0.001)
        cpu = process_cpu_ms(engine.process.pid) - cpu
        del start
        if counts["duplicates"]:
            raise Failure(f"{counts['duplicates']} duplicates")
        return row(n, seconds, cpu, process_resident_mib(engine.process.pid), connections=counts["connections"],
                   **(written(engine, n) if disk else {}))
    finally:
        engine.stop()
        sink.stop()


def postfix_run(b, n, kind, dkim=False, sink_options=(), **settings):
    sink = b.sink(*sink_options)
    postfix = rivals.Postfix(b.base, b.cgroup, **settings)
    postfix.start(b.keys["rsa"] if dkim else None)
    try:
        port = rivals.PORTS["hold" if kind in ("ingest", "deliver") else "dkim" if dkim else "e2e"]
        cpu = b.cgroup.cpu_ms()
        stats = b.load(port, n)
        seconds = stats["seconds"]
        if kind == "deliver":
            cpu = b.cgroup.cpu_ms()
            start = time.monotonic()
            postfix.release()
            b.drained(sink, n)
            seconds = time.monotonic() - start
        elif kind == "e2e":
            seconds = b.drained(sink, n)["seconds"]
        cpu = b.cgroup.cpu_ms() - cpu
        return row(n, seconds, cpu, b.cgroup.resident_mib())
    finally:
        postfix.clean()
        postfix.stop()
        sink.stop()


def tls(b):
    """Sink and engine options for STARTTLS with a P-256 certificate."""
    cert, key = b.base / "sink.crt", b.base / "sink.key"
    if not cert.exists():
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", str(key), "-out",
                        str(cert), "-days", "30", "-subj", "/CN=mx.test"], check=True, stderr=subprocess.DEVNULL)
    return ("--cert", str(cert), "--key", str(key))


def ours_tls(b, n, messages):
    return ours_e2e(b, n, ("rsa",), {"smtp.tls": "may", "site.messages": str(messages)}, tls(b))


def postfix_tls(b, n, reuse):
    return postfix_run(b, n, "e2e", sink_options=tls(b), tls="may", reuse=reuse)


def sign(b, kind):
    """One signature of a 10 KiB message, and the bare signature of OpenSSL as the limit."""
    import json
    out = subprocess.run([str(b.build / "bench/sign_bench"), "--json"], check=True, capture_output=True, text=True).stdout
    figures = json.loads(out.strip().splitlines()[-1])
    ms, limit, judge = (figures[f"{k}_ms"] for k in (kind, f"raw_{kind}", f"judge_{kind}"))
    return {"rate": 1000 / ms, "cpu_ms": ms, "limit_ms": limit, "libopendkim_ms": judge}


# name: (what, ours, messages, rival or None, its messages)
ROWS = {
    "ingest": ("durable SMTP ingest, 50 sessions", ours_ingest, 60000, lambda b, n: postfix_run(b, n, "ingest"), 10000),
    "ingest_auth": ("durable SMTP ingest, 50 kept sessions with TLS and AUTH", ours_ingest_auth, 60000, None, 0),
    "deliver": ("delivery of a queue already spooled, unsigned", ours_deliver, 60000, lambda b, n: postfix_run(b, n, "deliver"), 10000),
    "e2e": ("end to end, unsigned", ours_e2e, 60000, lambda b, n: postfix_run(b, n, "e2e"), 8000),
    "e2e_rsa": ("end to end, RSA-2048", lambda b, n: ours_e2e(b, n, ("rsa",)), 20000, lambda b, n: postfix_run(b, n, "e2e", dkim=True), 4000),
    "e2e_both": ("end to end, RSA-2048 and Ed25519", lambda b, n: ours_e2e(b, n, ("rsa", "ed25519")), 20000, None, 0),
    "e2e_tls_rsa": ("end to end, RSA-2048, STARTTLS, pooled connections", lambda b, n: ours_tls(b, n, 1000), 20000, lambda b, n: postfix_tls(b, n, "yes"), 6000),
    "e2e_tls_each": ("end to end, STARTTLS, one handshake a message (Postern also signs RSA-2048)", lambda b, n: ours_tls(b, n, 1), 8000,
                     lambda b, n: postfix_tls(b, n, "no"), 4000),
    "sign_rsa": ("signing one 10 KiB message, RSA-2048", lambda b, n: sign(b, "rsa"), 0, None, 0),
    "sign_ed25519": ("signing one 10 KiB message, Ed25519", lambda b, n: sign(b, "ed25519"), 0, None, 0),
}
