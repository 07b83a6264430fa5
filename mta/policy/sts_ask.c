/* mta/policy/sts_ask.c - records asked for, policies found or fetched. */
#include "mta/policy/sts_ask.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "mta/policy/public_host.h"

#define POLICY_PATH "/.well-known/mta-sts.txt"
enum { SOON_S = 60, HOST_MAX = DNS_NAME_MAX + 16 };

/* A fetch under way: addresses of the policy's host, then the request. */
struct sts_fetching {
	struct list link, waiting;
	struct policies *of;
	char domain[DNS_NAME_MAX], host[HOST_MAX], id[STS_ID_MAX];
	struct public_host reach;
	bool failed;
	struct fetch fetch;
	struct note note;
	bool posted; /* the note is on its way; it frees the fetch */
};

/* ---- what came of a fetch: on the fetcher's thread --------------------------------------- */

static void note_fault(struct sts_fetching *g, const char *type, const char *reason)
{
	char text[128];

	(void)snprintf(text, sizeof(text), "%s: %s", type, reason);
	sts_cache_failed(g->of->shared->cache, slice_str(g->domain), text, clock_wall_ms());
	g->failed = true;
	log_info("mta-sts.failed", kv_str("domain", g->domain), kv_str("reason", text));
}

static void take_body(struct sts_fetching *g)
{
	struct sts_policy *p;

	if (sts_policy_parse(buf_data(&g->fetch.body), &p) < 0) {
		note_fault(g, "sts-policy-invalid", "the file is no policy");
		return;
	}
	sts_cache_put(g->of->shared->cache, slice_str(g->domain), g->id, p, clock_wall_ms());
	log_info("mta-sts.fetched", kv_str("domain", g->domain), kv_str("id", g->id),
		 kv_str("mode", sts_mode_name(p->mode)), kv_int("max_age", p->max_age_s));
	(void)sts_policy_unref(p);
}

static void run_note(struct note *n, struct lane *l);

static void on_fetched(struct fetch *f)
{
	struct sts_fetching *g = container_of(f, struct sts_fetching, fetch);
	char reason[64];

	(void)snprintf(reason, sizeof(reason), "the host answered with status %u", f->status);
	if (f->fault == FETCH_CERTIFICATE)
		note_fault(g, "sts-webpki-invalid", f->reason);
	else if (f->fault != FETCH_OK)
		note_fault(g, "sts-policy-fetch-error", f->reason);
	else if (f->status != 200)
		note_fault(g, "sts-policy-fetch-error", reason);
	else if (!f->is_text)
		note_fault(g, "sts-policy-fetch-error", "the answer is not text/plain");
	else
		take_body(g);
	g->note.run = run_note;
	g->posted = true;
	lane_post(g->of->lane, &g->note);
}

/* ---- a fetch, on the lane ---------------------------------------------------------------- */

static void answer(struct sts_query *q, const struct sts_entry *e, uint32_t ttl_s)
{
	list_remove(&q->link);
	q->done(q, e, ttl_s); /* q may be gone now */
}

static void fetching_free(struct sts_fetching *g)
{
	list_remove(&g->link);
	fetch_end(&g->fetch);
	free(g);
}

static void over(struct sts_fetching *g)
{
	struct sts_entry e;
	struct list *l;

	if (g->failed)
		count_add(&g->of->counters.sts_failures, 1);
	(void)sts_cache_find(g->of->shared->cache, slice_str(g->domain), clock_wall_ms(), &e);
	while ((l = list_pop(&g->waiting)) != NULL) {
		struct sts_query *q = container_of(l, struct sts_query, link);
		answer(q, &e, g->failed ? STS_AGAIN_MS / 1000 : q->ttl_s);
	}
	(void)sts_policy_unref(e.policy);
	fetching_free(g);
}

static void run_note(struct note *n, struct lane *l)
{
	struct sts_fetching *g = container_of(n, struct sts_fetching, note);

	(void)l;
	if (g->of)
		over(g);
	else
		fetching_free(g); /* the lane has ended meanwhile */
}

static void give_up(struct sts_fetching *g, const char *reason)
{
	note_fault(g, "sts-policy-fetch-error", reason);
	over(g);
}

static void addresses_known(struct public_host *r)
{
	struct sts_fetching *g = container_of(r, struct sts_fetching, reach);

	if (!r->n_ips) {
		give_up(g, r->special ? "the policy's host has only private or reserved addresses"
				      : "the policy's host has no address");
		return;
	}
	memcpy(g->fetch.ips, r->ips, sizeof(r->ips));
	g->fetch.n_ips = r->n_ips;
	count_add(&g->of->counters.sts_fetches, 1);
	if (!g->of->shared->fetcher || fetch_begin(g->of->shared->fetcher, &g->fetch) < 0)
		give_up(g, "too many policies are being fetched");
}

static struct sts_fetching *find(struct policies *p, struct slice domain)
{
	struct sts_fetching *g;

	list_each(&p->fetching, g, struct sts_fetching, link)
		if (slice_eq(slice_str(g->domain), domain))
			return g;
	return NULL;
}

/* NULL: the name of its host would be too long. */
static struct sts_fetching *fetching(struct policies *p, struct slice domain, const char *id)
{
	struct sts_fetching *g = find(p, domain);

	if (g)
		return g;
	g = must_alloc(sizeof(*g));
	g->of = p;
	list_init(&g->link);
	list_init(&g->waiting);
	(void)slice_copy(g->domain, sizeof(g->domain), domain);
	(void)slice_copy(g->id, sizeof(g->id), slice_str(id));
	(void)snprintf(g->host, sizeof(g->host), "mta-sts.%s", g->domain);
	fetch_init(&g->fetch);
	g->fetch.host = g->host;
	g->fetch.path = POLICY_PATH;
	g->fetch.done = on_fetched;
	if (public_host_ask(p, &g->reach, slice_str(g->host), addresses_known) < 0) {
		fetching_free(g);
		return NULL;
	}
	list_push(&p->fetching, &g->link);
	return g;
}

/* ---- the record -------------------------------------------------------------------------- */

bool sts_record_of(const struct dns_answer *a, char *ret_id)
{
	struct slice found = slice_of("", 0);
	unsigned n = 0;

	for (unsigned i = 0; a->status == 0 && i < a->n; i++) {
		struct slice rest = a->records[i].data;
		if (slice_strip(&rest, SLICE("v=STSv1")) &&
		    (!rest.n || strchr("; \t", rest.p[0]))) {
			found = a->records[i].data;
			n++;
		}
	}
	return n == 1 && sts_record_parse(found, ret_id) == 0;
}

static bool is_due(const struct sts_entry *e, const char *id, int64_t now_ms)
{
	if (e->tried_ms && now_ms - e->tried_ms < STS_AGAIN_MS && now_ms >= e->tried_ms)
		return false;
	return !e->policy || strcmp(e->id, id) != 0 || now_ms - e->fetched_ms > STS_FRESH_MS;
}

static void on_txt(struct dns_query *dq, const struct dns_answer *a)
{
	struct sts_query *q = container_of(dq, struct sts_query, txt);
	struct sts_fetching *g = NULL;
	int64_t now = clock_wall_ms();
	struct sts_entry e;
	char id[STS_ID_MAX];

	(void)sts_cache_find(q->of->shared->cache, q->domain, now, &e);
	q->ttl_s = a->ttl_s;
	if (sts_record_of(a, id) && is_due(&e, id, now))
		g = fetching(q->of, q->domain, id);
	if (g && !e.policy)
		list_push(&g->waiting, &q->link);
	else
		answer(q, &e, g ? MIN_OF(q->ttl_s, (uint32_t)SOON_S) : q->ttl_s);
	(void)sts_policy_unref(e.policy);
}

void sts_ask(struct policies *p, struct sts_query *q, struct slice domain)
{
	static const struct sts_entry none;
	char name[HOST_MAX];
	int n = snprintf(name, sizeof(name), "_mta-sts.%.*s", (int)domain.n, domain.p);

	q->of = p;
	q->domain = domain;
	list_init(&q->link);
	dns_query_init(&q->txt, on_txt);
	if (resolver_ask(p->resolver, &q->txt, slice_of(name, (size_t)n), DNS_TXT) < 0)
		q->done(q, &none, UINT32_MAX);
}

void sts_cancel(struct sts_query *q)
{
	if (!q->of)
		return;
	resolver_cancel(q->of->resolver, &q->txt);
	list_remove(&q->link);
}

void sts_drop_all(struct policies *p)
{
	struct sts_fetching *g;

	list_each(&p->fetching, g, struct sts_fetching, link) {
		if (!g->posted) {
			fetching_free(g);
			continue;
		}
		list_remove(&g->link);
		g->of = NULL;
	}
}
