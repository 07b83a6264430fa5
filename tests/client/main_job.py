"""The demo's main job as a program of a user does it, with the client that script/client_python makes: sign up, log in, add a domain,
import contacts, write a template, send a campaign, read its statistics.  main_job.py URL - prints "publish RECORDS" and waits for a line on
standard input before it has the domain verified; prints "sent STATISTICS" at the end."""
import json
import sys
import time
from collections.abc import Callable
from typing import TypeVar

from postern_client import Client, Import, Refused

T = TypeVar("T")
PEOPLE = 20


def poll(what: str, ask: Callable[[], T | None]) -> T:
    """What ask() returns when it is no longer None."""
    for _ in range(600):
        seen = ask()
        if seen is not None:
            return seen
        time.sleep(0.1)
    raise SystemExit(f"{what}: not done after a minute")


def enter(api: Client) -> None:
    email, password = "ann@sender.test", "correct horse battery"
    api.signup({"organization": "Sender Ltd", "email": email, "password": password})
    entered = api.login({"email": email, "password": password}).data
    assert "token" in entered  # else a second factor is asked for
    api.token = entered["token"]
    me = api.get_me().data
    assert me["role"] == "admin" and "campaigns.send" in me["permissions"]


def add_domain(api: Client, name: str) -> None:
    domain = api.add_domain({"name": name}).data
    print("publish", json.dumps(api.get_domain_records(domain["id"]).data["records"]), flush=True)
    sys.stdin.readline()
    checked = api.verify_domain(domain["id"]).data
    assert checked["status"] == "verified", checked


def import_contacts(api: Client) -> str:
    made = api.create_list({"name": "Readers"}).data
    api.create_field({"name": "city", "type": "text"})
    people = "\n".join(f"person{i}@d1.test,Ann{i},Town{i}" for i in range(PEOPLE))
    started = api.create_import(f"email,first_name,city\n{people}\n".encode(), "text/csv", list=made["id"]).data

    def finished() -> Import | None:
        job = api.get_import(started["id"]).data
        return job if job["finished_at"] is not None else None

    ended = poll("import", finished)
    assert ended["status"] == "completed" and ended["invalid"] == 0, ended
    assert len(list(api.each_contacts(limit=7))) == PEOPLE  # page after page
    return made["id"]


def write_template(api: Client) -> str:
    """Writes a template, and changes it as somebody who read it before."""
    made = api.create_template({"name": "News", "alias": "news", "subject": "News for {{first_name}}", "text": "Hello {{first_name}}"},
                               idempotency_key="news-1")
    text = "Hello {{first_name}} of {{city}}\n\nUnsubscribe: {{unsubscribe_url}}\n"
    changed = api.change_template(made.data["id"], {"text": text}, if_match=made.etag or "").data
    assert changed["version"] == made.data["version"] + 1
    return changed["id"]


def send(api: Client, template: str, readers: str) -> None:
    sender = {"name": "Sender", "email": "news@sender.test"}
    campaign = api.create_campaign({"name": "February", "template": template, "lists": [readers],
                                    "from": {"name": sender["name"], "email": sender["email"]}}).data
    ready = api.check_campaign(campaign["id"]).data
    assert ready["contacts"] == PEOPLE, ready
    api.send_campaign(campaign["id"], {})
    poll("campaign", lambda: api.get_progress(campaign["id"]).data["states"].get("delivered") == PEOPLE or None)
    assert all(recipient["state"] == "delivered" for recipient in api.each_recipients(campaign["id"]))
    stats = api.get_campaign_stats(campaign["id"]).data
    print("sent", json.dumps({"audience": stats["audience"], "delivered": sum(minute["delivered"] for minute in stats["series"])}), flush=True)


def read_refusal(api: Client) -> None:
    try:
        api.create_list({"name": ""})
    except Refused as refused:
        assert refused.status == 422 and refused.problem["errors"][0]["pointer"] == "/name", refused.problem
        return
    raise SystemExit("a list without a name was taken")


def main() -> None:
    api = Client(sys.argv[1])
    enter(api)
    add_domain(api, "sender.test")
    readers = import_contacts(api)
    send(api, write_template(api), readers)
    read_refusal(api)
    api.close()


main()
