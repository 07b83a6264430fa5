"""What the scripts about signing in at another party share: a control plane, an organisation with an admin, and the dance
of a browser."""
import json
import os
import pathlib
import types

from browser import Browser
from stack import Api, Control, Postgres

TMP = pathlib.Path(os.environ["POSTERN_TMP"])
PASSWORD = "correct horse battery"
API = "http://127.0.0.1:8080"
HOST = "127.0.0.1:8080"


class World:
    def __init__(self, **options):
        self.pg = Postgres(TMP)
        self.control = Control(TMP, os.environ["POSTERN_BUILD"], self.pg, types.SimpleNamespace(link=TMP / "no-engine.sock"),
                               options={"auth.burst": 10000, "auth.password_memory": "8M", "api.url": API, "federation.http_loopback": "yes",
                                        "api.origins": "https://pages.test", **options})

    def start(self):
        self.pg.start()
        self.control.start()

    def stop(self):
        self.control.stop()
        self.pg.stop()

    def organisation(self, name):
        made = Api(API).post("/v1/auth/signup", {"organization": name, "email": f"admin@{name}.test", "password": PASSWORD})
        api = Api(API, made["token"])
        api.org = api.get("/v1/org")["id"]
        return api

    def audit(self, api, action):
        return [a for a in api.get("/v1/audit?limit=200")["data"] if a["action"] == action]


def browser(ca=None):
    return Browser(ca, held=(HOST,))


def start_of(api, provider, return_to=None):
    return f"{API}/v1/auth/oidc/{api.org}/{provider}" + (f"?return_to={return_to}" if return_to else "")


def go(b, api, provider, fill=None, return_to=None):
    """To the provider and back: the page that the API answers on the way back with."""
    page = b.ask(start_of(api, provider, return_to))
    assert page.status == 303, (page.status, page.body)
    page = b.follow(page, f"{API}/v1/auth/oidc/", fill)
    return b.ask(page.location, cross=True)


def token_of(page):
    return page.parameter("federation", "fragment") if page.location else None


def error_of(page):
    return page.parameter("federation_error", "fragment") if page.location else json.loads(page.body)["code"]


def post(b, path, body, token=None):
    """A request of a page of ours: status and answer."""
    headers = {"Content-Type": "application/json", "Accept": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
    page = b.ask(API + path, "POST", json.dumps(body).encode(), headers)
    return page.status, json.loads(page.body) if page.body else None


def exchange(b, token):
    return post(b, "/v1/auth/federation/exchange", {"token": token})


def enter(b, api, provider, fill=None):
    """All of it: status and answer of the exchange."""
    page = go(b, api, provider, fill)
    token = token_of(page)
    assert token, (page.status, page.location, page.body)
    return exchange(b, token)
