#!/usr/bin/python3
# timeout: 90
# sanitize: yes
"""What organisations say of themselves: at the sign-up and later, within bounds, by a merge patch."""
import os
import pathlib
import sys
import types

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


def main():
    pg = Postgres(TMP)
    pg.start()
    control = Control(TMP, os.environ["POSTERN_BUILD"], pg, types.SimpleNamespace(link=TMP / "no-engine.sock"),
                      options={"auth.burst": 10000, "auth.password_memory": "8M"})
    try:
        control.start()
        an_organisation_says_what_it_is(control)
        ended_well(control)
        result()
    finally:
        control.stop()
        pg.stop()
    return 1 if failures else 0


sys.exit(main())
