"""The world of the demo: 200 recipient domains, how their hosts behave, and how each recipient must end."""
import csv
import random

MX_PORT = 2525
HOSTS = 20
DOMAINS = 200
FIRST = ["Ada", "Bruno", "Chloé", "Dmitri", "Eun-ji", "Fátima", "Grace", "Håkon", "Inés", "Jürgen", "Kofi", "Łukasz", "Mei", "Noor", "Olu", "Zoë"]
LAST = ["Okafor", "Müller", "O'Brien", "Sørensen", "García", "Nowak", "Tanaka", "Ivanova", "de Vries", "Smith & Sons"]
CITY = ["Lagos", "Köln", "São Paulo", "Kraków", "Osaka", "Århus", "Leeds", "Québec"]


def domain_name(i):
    return f"d{i:03d}.example.test"


def kind(i):
    """How domain i (1..200) behaves."""
    if i <= 160:
        return "accepts"
    if i <= 175:
        return "defers first"       # 451 to the first try of each recipient
    if i <= 183:
        return "refuses some"       # 550 to some recipients, by their name
    if i <= 188:
        return "refuses all"
    if i <= 191:
        return "no MX, no address"
    if i <= 193:
        return "does not exist"
    if i <= 195:
        return "null MX"
    return "first MX dead"          # nothing listens on its best host; the second one takes it


def zone():
    """Records of the zone example.test, and of sender.test before the sender publishes anything."""
    records = [f"mx{h:02d} A 127.0.1.{h}" for h in range(1, HOSTS + 1)] + ["dead A 127.0.2.1"]
    for i in range(1, DOMAINS + 1):
        host, name = f"mx{(i - 1) % HOSTS + 1:02d}", domain_name(i).split(".")[0]
        what = kind(i)
        if what == "no MX, no address":
            records.append(f'{name} TXT "no mail here"')
        elif what == "null MX":
            records.append(f"{name} MX 0 .")
        elif what == "first MX dead":
            records += [f"{name} MX 10 dead", f"{name} MX 20 {host}"]
        elif what != "does not exist":
            records.append(f"{name} MX 10 {host}")
    return records


def sink_rules():
    lines = []
    for i in range(1, DOMAINS + 1):
        what = kind(i)
        action = {"defers first": "defer 1", "refuses some": "refuse-share 50", "refuses all": "refuse"}.get(what)
        if action:
            lines.append(f"domain {domain_name(i)} {action}")
    return "\n".join(lines) + "\n"


def contacts(n, seed=1):
    """Rows of the CSV: email, first_name, last_name, city, with the characters that break careless code."""
    rng = random.Random(seed)
    for i in range(n):
        d = i % DOMAINS + 1
        yield {"email": f"person{i}@{domain_name(d)}", "first_name": rng.choice(FIRST), "last_name": rng.choice(LAST), "city": rng.choice(CITY)}


def write_csv(path, n):
    with open(path, "w", newline="", encoding="utf-8") as f:
        w = csv.DictWriter(f, ["email", "first_name", "last_name", "city"])
        w.writeheader()
        for row in contacts(n):
            w.writerow(row)


def may_be_refused(email):
    return kind(int(email.split("@d")[1][:3])) not in ("accepts", "defers first", "first MX dead")


def must_bounce(email):
    return kind(int(email.split("@d")[1][:3])) in ("refuses all", "no MX, no address", "does not exist", "null MX")


SUBJECT = "{{first_name}}, news from Postern"
TEXT = """Hello {{first_name}} {{last_name}},

this letter was written once and expanded for you when it was sent{{#city}} to {{city}}{{/city}}.

Unsubscribe: {{{unsubscribe_url}}}
"""
HTML = """<!doctype html>
<html><head><meta charset="utf-8"><title>News</title></head>
<body style="font-family: sans-serif">
<h1>Hello {{first_name}} {{last_name}}</h1>
<p>This letter was written once and expanded for you when it was sent{{#city}} to <b>{{city}}</b>{{/city}}.</p>
<p><a href="https://example.test/profile?name={{last_name}}">Your page</a></p>
<p><small><a href="{{unsubscribe_url}}">Unsubscribe</a></small></p>
</body></html>
"""
