#!/usr/bin/python3
# timeout: 90
# sanitize: yes
"""What organisations and people say of themselves: the profile of an organisation, at the sign-up and later, and the picture of a
person: what is taken for one, what is left of it, and how it is served."""
import base64
import os
import pathlib
import re
import struct
import subprocess
import sys
import types
import urllib.error
import urllib.request
import xml.etree.ElementTree
import zlib

from checks import check, ended_well, failures, refused, result
from stack import Api, Control, Postgres

TMP = pathlib.Path(os.environ["POSTERN_TMP"])
PASSWORD = "correct horse battery"
PROFILE = {"website": "https://www.cheese.test/a?b=c", "industry": "Käse", "employees": 12,
           "contacts": [{"name": "Ann Lee", "email": "ann@cheese.test", "phone": "+49 30 1234567", "role": "Marketing"}]}


def sign_up(control, name, **more):
    made = Api(control.url).post("/v1/auth/signup", {"organization": name, "email": f"admin@{name}.test", "password": PASSWORD, **more})
    api = Api(control.url, made["token"])
    api.user = made["user"]
    return api


def an_organisation_says_what_it_is(control):
    plain, full = sign_up(control, "plain"), sign_up(control, "cheese", profile=PROFILE)
    nothing = {"website": "", "industry": "", "employees": None, "contacts": []}
    check(plain.get("/v1/org")["profile"] == nothing, f"nothing is said at first: {plain.get('/v1/org')['profile']}")
    check(full.get("/v1/org")["profile"] == PROFILE, f"what the sign-up said: {full.get('/v1/org')['profile']}")
    bad = [{"website": "javascript:alert(1)"}, {"website": "https://"}, {"website": "https:///x"}, {"website": "https://a.test/\"x"}, {"website": "https://a.test/" + "a" * 200},
           {"website": "https://a b.test"}, {"website": 7}, {"industry": "two\nlines"}, {"industry": "x" * 101}, {"industry": "a\u202eb"}, {"employees": 0}, {"employees": -1},
           {"employees": "12"}, {"employees": 1.5}, {"employees": 10 ** 8}, {"contacts": {}}, {"contacts": [{}]}, {"contacts": ["x"]}, {"contacts": [{"role": "x"}]},
           {"contacts": [{"name": "x", "email": "no address"}]}, {"contacts": [{"name": "x", "phone": "12"}]}, {"contacts": [{"name": "x", "admin": True}]},
           {"contacts": [{"name": "x"}] * 11}, {"turnover": 5}, {"admin": True}]
    for profile in bad:
        refused(422, None, plain.call, "PATCH", "/v1/org", {"profile": profile})
    refused(422, None, Api(control.url).post, "/v1/auth/signup", {"organization": "bad", "email": "a@bad.test", "password": PASSWORD, "profile": bad[0]})
    refused(422, None, plain.call, "PATCH", "/v1/org", {"profile": None})
    check(plain.get("/v1/org")["profile"] == nothing, "none of it is kept")
    # a merge patch: what is absent stays, null takes away
    full.call("PATCH", "/v1/org", {"profile": {"industry": None, "employees": 13}})
    check(full.get("/v1/org")["profile"] == {**PROFILE, "industry": "", "employees": 13}, "merged")
    tag = full.headers["ETag"]
    full.call("PATCH", "/v1/org", {"profile": {"employees": 13, "website": PROFILE["website"]}})
    check(full.headers["ETag"] == tag, "what is there already changes nothing")
    full.call("PATCH", "/v1/org", {"profile": {"contacts": [{"email": "b@cheese.test"}]}})
    check(full.get("/v1/org")["profile"]["contacts"] == [{"name": "", "email": "b@cheese.test", "phone": "", "role": ""}], "the whole list")
    viewer = full.post("/v1/members", {"email": "v@cheese.test", "role": "viewer"})
    viewer = Api(control.url, Api(control.url).post("/v1/auth/verify", {"token": viewer["token"], "password": PASSWORD})["token"])
    refused(403, "missing_permission", viewer.call, "PATCH", "/v1/org", {"profile": {"employees": 1}})


def chunk(kind, data=b""):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width=2, height=2, *, extra=b"", tail=b"", depth=8, colour=2):
    rows = b"".join(b"\0" + b"\x10\x20\x30" * width for _ in range(height))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)) + extra + chunk(b"IDAT", zlib.compress(rows))
            + chunk(b"IEND") + tail)


def segment(marker, data):
    return b"\xff" + bytes([marker]) + struct.pack(">H", len(data) + 2) + data


def jpeg(width=8, height=8, *, extra=b"", tail=b"", sof=0xC0):
    """Enough of one: its tables and its scan are never decoded here."""
    return (b"\xff\xd8" + segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0") + extra + segment(0xDB, b"\0" + b"\1" * 64)
            + segment(sof, struct.pack(">BHHB", 8, height, width, 1) + b"\1\x11\0") + segment(0xC4, b"\0" + b"\1" + b"\0" * 15 + b"\0")
            + segment(0xDA, b"\1\1\0\0\x3f\0") + b"\x12\x34\xff\0\x56" + b"\xff\xd9" + tail)


def put(api, body, kind="image/png"):
    return api.call("PUT", "/v1/me/avatar", body, content_type=kind)


def fetch(control, path, method="GET"):
    try:
        with urllib.request.urlopen(urllib.request.Request(control.url + path, method=method)) as r:
            return r.status, r.headers, r.read()
    except urllib.error.HTTPError as e:
        return e.code, e.headers, e.read()


def a_person_has_a_picture(control):
    api, other = sign_up(control, "picture"), sign_up(control, "picture-other")
    check(api.get("/v1/me")["avatar"] is None, "none at first")
    secret = b"GPS 52.5N 13.4E"
    given = png(extra=chunk(b"tEXt", b"Comment\0" + secret) + chunk(b"eXIf", secret), tail=b"<script>alert(1)</script>")
    where = put(api, given)["avatar"]
    check(where == api.get("/v1/me")["avatar"] and where.startswith("/v1/avatars/") and len(where) > 50, f"its address: {where}")
    check(api.get("/v1/members")["data"][0]["avatar"] == where, "members are shown with it")
    status, headers, body = fetch(control, where)
    check(status == 200 and body == png(), f"what is left is the picture alone: {status} {body[:60]}")
    want = {"Content-Type": "image/png", "X-Content-Type-Options": "nosniff", "Content-Disposition": 'attachment; filename="avatar.png"',
            "Content-Security-Policy": "default-src 'none'; sandbox"}
    check(all(headers[k] == v for k, v in want.items()), f"its headers: {headers}")
    # one more: a new address, and the old one is gone
    second = put(api, jpeg(extra=segment(0xE1, b"Exif\0\0" + secret) + segment(0xFE, secret) + segment(0xED, secret), tail=b"PK\3\4"), "application/octet-stream")["avatar"]
    check(second != where and fetch(control, where)[0] == 404, "a new one has another address")
    status, headers, body = fetch(control, second)
    check(status == 200 and headers["Content-Type"] == "image/jpeg" and body == jpeg(), f"a JPEG without its metadata: {status} {len(body)}")
    for bad in (where + "a", second[:-1] + ("a" if second[-1] != "a" else "b"), "/v1/avatars/x", "/v1/avatars/" + "a" * 39):
        check(fetch(control, bad)[0] == 404, f"{bad}: {fetch(control, bad)[0]}")
    mine = put(other, png(3, 3))["avatar"]
    check(fetch(control, mine)[2] == png(3, 3) and fetch(control, mine[:25] + second[25:])[0] == 404, "an address is of one organisation")
    other.call("DELETE", "/v1/me/avatar")
    check(fetch(control, mine)[0] == 404 and other.get("/v1/me")["avatar"] is None, "removed")
    refused(404, None, other.call, "DELETE", "/v1/me/avatar")
    key = Api(control.url, api.post("/v1/keys", {"name": "k", "scopes": ["org.read"]})["key"])
    refused(403, "session_required", put, key, png())
    return api, second


def a_real_reader_reads_it(control):
    """What is left of a picture of a QR code, and of a real encoder's JPEG."""
    api = sign_up(control, "reader")
    made = api.call("PUT", "/v1/me/totp")
    svg = xml.etree.ElementTree.fromstring(base64.b64decode(made["qr"].split(",")[1]))
    side = int(svg.get("viewBox").split()[2])
    dark = svg.findall("{http://www.w3.org/2000/svg}path")[1].get("d")
    rows = [bytearray(b"\xff" * side) for _ in range(side)]
    for x, y, n in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\3z", dark):
        rows[int(y)][int(x):int(x) + int(n)] = b"\0" * int(n)
    wide = b"".join(b"\0" + b"".join(bytes([b]) * 6 for b in row) for row in rows for _ in range(6))
    raw = (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 6 * side, 6 * side, 8, 0, 0, 0, 0)) + chunk(b"tIME", b"\7\xe8\1\1\0\0\0")
           + chunk(b"IDAT", zlib.compress(wide)) + chunk(b"IEND"))
    (TMP / "left.png").write_bytes(fetch(control, put(api, raw)["avatar"])[2])
    read = subprocess.run(["zbarimg", "--quiet", "--raw", TMP / "left.png"], check=True, capture_output=True, text=True).stdout.strip()
    check(read == made["uri"], f"a scanner reads {read}")
    real = (pathlib.Path(os.environ["POSTERN_SRC"]) / "tests/fuzz/control/picture.seeds/real_jpeg").read_bytes()
    left = fetch(control, put(api, real, "image/jpeg")["avatar"])[2]
    check(left[:2] == b"\xff\xd8" and left[-2:] == b"\xff\xd9" and len(left) <= len(real), f"a real encoder's JPEG: {len(real)} bytes, {len(left)} left")


def what_is_no_picture(control, api, second):
    plain = png()
    broken = [b"", b"x", b"GIF89a" + b"\0" * 40, b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"RIFF\x20\0\0\0WEBPVP8 " + b"\0" * 20, plain[:-12], plain[:40], plain[8:],
              plain[:20] + b"\xff" + plain[21:], png(0, 1), png(1025, 1), png(1, 1025), png(1 << 30, 1 << 30) if False else plain.replace(b"\0\0\0\2\0\0\0\2", b"\x7f\xff\xff\xff\0\0\0\2"),
              png(depth=3), png(colour=5), png(extra=chunk(b"IHDR", b"\0" * 13)), png(extra=chunk(b"QQQQ")), jpeg()[:-2], jpeg(0, 8), jpeg(1025, 8), jpeg(sof=0xC9), jpeg()[:30],
              b"\xff\xd8\xff\xd9", jpeg().replace(b"\xff\xda", b"\xff\xdb"), jpeg()[:2] + b"\0" + jpeg()[2:], jpeg(extra=b"\xff\xe1\xff\xff" + b"a" * 20)]
    for body in broken:
        refused(422, "invalid_picture", put, api, body)
    refused(413, None, put, api, plain + b"\0" * 300000)
    check(fetch(control, second)[0] == 200, "the one that was there stays")
    big = png(1024, 1024)
    check(len(big) < 262144 and fetch(control, put(api, big)["avatar"])[2] == big, "1024 by 1024 is taken")


def main():
    pg = Postgres(TMP)
    pg.start()
    control = Control(TMP, os.environ["POSTERN_BUILD"], pg, types.SimpleNamespace(link=TMP / "no-engine.sock"),
                      options={"auth.burst": 10000, "auth.password_memory": "8M"})
    try:
        control.start()
        an_organisation_says_what_it_is(control)
        a_real_reader_reads_it(control)
        what_is_no_picture(control, *a_person_has_a_picture(control))
        ended_well(control)
        result()
    finally:
        control.stop()
        pg.stop()
    return 1 if failures else 0


sys.exit(main())
