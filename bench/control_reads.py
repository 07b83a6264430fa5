"""The row `reads`: what people and programs look at, over HTTP with keys of organisations of every size, four clients in turns that
wait for each answer."""
import http.client
import json
import multiprocessing
import random
import time
import urllib.parse

from stack import Api

CLIENTS = 4
HEAVY = 0.2  # this part of the requests is the largest organisation's; the others are anybody's


def ids(api, path, many=20):
    return [o["id"] for o in api.get(f"{path}?limit={many}")["data"]]


def questions(api):
    """What one organisation may be asked: name of the kind, path."""
    contacts, lists, campaigns = ids(api, "/v1/contacts", 100), ids(api, "/v1/lists"), ids(api, "/v1/campaigns")
    templates = ids(api, "/v1/templates")
    page = api.get("/v1/contacts?limit=50")["next"]
    paths = [("contacts, first page", "/v1/contacts?limit=50"), ("campaigns", "/v1/campaigns?limit=50"), ("lists", "/v1/lists"),
             ("templates", "/v1/templates?limit=50"), ("suppressions", "/v1/suppressions?limit=50"), ("audit", "/v1/audit?limit=50"),
             ("domains", "/v1/domains"), ("organisation", "/v1/org")]
    if page:
        paths.append(("contacts, next page", "/v1/contacts?limit=50&after=" + urllib.parse.quote(page)))
    paths += [("one contact", f"/v1/contacts/{c}") for c in contacts[:20]]
    paths += [("one template", f"/v1/templates/{t}") for t in templates[:5]]
    paths += [("contacts of a list", f"/v1/contacts?limit=50&list={x}") for x in lists]
    for c in campaigns[:10]:
        paths += [("one campaign", f"/v1/campaigns/{c}"), ("progress", f"/v1/campaigns/{c}/progress"), ("figures", f"/v1/campaigns/{c}/stats")]
    paths += [("recipients, bounced", f"/v1/campaigns/{c}/recipients?state=bounced&limit=50") for c in campaigns[:10]]
    kinds = {}
    for kind, path in paths:
        kinds.setdefault(kind, []).append(path)
    return kinds


def client(port, tenants, requests, seed, out):
    """Asks and waits, so many times; every answer has to be 200."""
    rng, conn, took = random.Random(seed), http.client.HTTPConnection("127.0.0.1", port), []
    kinds = sorted(tenants[0][1])
    for _ in range(requests):
        key, paths = tenants[0] if rng.random() < HEAVY else rng.choice(tenants)
        kind = rng.choice(kinds)
        if kind not in paths:
            continue
        path = rng.choice(paths[kind])
        start = time.perf_counter()
        conn.request("GET", path, headers={"Authorization": "Bearer " + key})
        reply = conn.getresponse()
        body = reply.read()
        took.append((kind, (time.perf_counter() - start) * 1000))
        if reply.status != 200:
            out.put(f"{path}: {reply.status} {body[:200]!r}")
            return
    out.put(took)


def percentile(values, part):
    values = sorted(values)
    return values[min(int(len(values) * part), len(values) - 1)]


def ask(port, tenants, requests):
    """(kind, ms) of every request of all clients; Failure with the first that was not answered with 200."""
    out = multiprocessing.Queue()
    clients = [multiprocessing.Process(target=client, args=(port, tenants, requests // CLIENTS, seed, out)) for seed in range(CLIENTS)]
    for c in clients:
        c.start()
    took = [out.get() for _ in clients]
    for c in clients:
        c.join()
    wrong = [t for t in took if isinstance(t, str)]
    if wrong:
        raise SystemExit(f"a request was refused: {wrong[0]}")
    return [x for t in took for x in t]


def measure(world, requests, cpu_ms):
    sample = sorted(random.Random(1).sample(range(1, world.tenants), min(30, world.tenants - 1)))
    tenants = [(world.keys[i], questions(Api(world.control.url, world.keys[i]))) for i in (0, *sample)]
    port = int(world.control.url.rsplit(":", 1)[1])
    ask(port, tenants, requests // 10)
    before, start = cpu_ms(), time.monotonic()
    took = ask(port, tenants, requests)
    seconds = time.monotonic() - start
    kinds = {k: [ms for kind, ms in took if kind == k] for k in sorted({kind for kind, _ in took})}
    row = {"rate": len(took) / seconds, "p50_ms": percentile([ms for _, ms in took], 0.5), "p99_ms": percentile([ms for _, ms in took], 0.99),
           "cpu_ms": (cpu_ms() - before) / len(took), "requests": len(took),
           "kinds": {k: {"p50_ms": percentile(v, 0.5), "p99_ms": percentile(v, 0.99)} for k, v in kinds.items()}}
    return json.loads(json.dumps(row))
