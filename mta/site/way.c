/* mta/site/way.c - asks DNS for a domain, and serves those that wait for the answer. */
#include "mta/site/way.h"

#include "base/random.h"
#include "mta/site/pool.h"
#include "mta/site/relay.h"

enum {
	ROUTES_ASKED_MAX = 256,
	DRAIN_AT_ONCE = 64,     /* recipients when an answer comes; many may come in one turn */
	DRAIN_MAX = 256,        /* recipients per slice */
	STALE_MS = 3600 * 1000, /* an old route serves this much longer when DNS has trouble */
	FRESH_MIN_MS = 5 * 1000,
	REFRESH_AGAIN_MS = 30 * 1000,
	RELAYS_LOOK_MS = 20,
	TROUBLE_MIN_MS = 30 * 1000,
	TROUBLE_MAX_MS = 30 * 60 * 1000,
	TROUBLE_RECORDS = 100, /* tries recorded each time DNS fails for a domain */
};

static const struct {
	struct status status;
	const char *text;
} failures[] = {
	[ROUTE_TEMP] = { { 4, 4, 3 }, "DNS gave no usable answer for the domain" },
	[ROUTE_NO_DOMAIN] = { { 5, 1, 2 }, "the domain does not exist or has no mail host" },
	[ROUTE_NULL_MX] = { { 5, 1, 10 }, "the domain accepts no mail (null MX)" },
	[ROUTE_LOOP] = { { 5, 4, 6 }, "the best mail host of the domain is this host" },
	[ROUTE_FORBIDDEN] = { { 5, 4, 4 },
			      "the domain's mail hosts have only private or reserved addresses "
			      "(see "
			      "route.allow)" },
};

static void fail_one(struct way *w, rcpt_ref ref, enum outcome_kind kind, enum route_status status)
{
	struct queue *q = w->sites->queue;
	struct decision d = {
		.kind = kind,
		.status = failures[status].status,
		.text = slice_str(failures[status].text),
	};

	q->ends->decide(q->ends, ref, &d);
}

static bool usable(const struct way *w, int64_t now_ms)
{
	return w->site && now_ms < w->stale_until_ms;
}

static void push(struct way *w, struct site *site, rcpt_ref ref)
{
	struct queue *q = w->sites->queue;

	pool_push(pool_get(site, queue_pool_of(q, queue_rcpt(q, ref))), ref, false);
}

static void to_pool(struct way *w, rcpt_ref ref)
{
	push(w, w->site, ref);
}

/* Back to the domain's list, until the smart host was looked up. */
static void wait_for_relay(struct way *w, rcpt_ref ref)
{
	(void)queue_move(w->sites->queue, ref, (struct queue_move){ .to = RCPT_ROUTING });
	timer_set(w->sites->loop->timers, &w->later, RELAYS_LOOK_MS);
}

static __attribute__((noinline)) void defer_for_relay(struct queue *q, const struct relay *r,
						      rcpt_ref ref)
{
	struct decision d = { .kind = OUTCOME_DEFERRED, .status = STATUS(4, 4, 3) };
	char text[400];

	relay_explain(r, text, sizeof(text));
	d.text = slice_str(text);
	q->ends->decide(q->ends, ref, &d);
}

/* To its smart host, if it has one.  One that cannot be looked up defers. */
static bool to_smart_host(struct way *w, rcpt_ref ref)
{
	struct relay *r = relay_of(w, ref);

	if (!r)
		return false;
	if (r->site)
		push(w, r->site, ref);
	else if (relay_waits(r))
		wait_for_relay(w, ref);
	else
		defer_for_relay(w->sites->queue, r, ref);
	return true;
}

struct site *way_site(struct way *w, rcpt_ref ref)
{
	const struct relay *r = relay_of(w, ref);

	return r ? r->site : w->site;
}

/* Serves the domain's list according to its last answer, a slice at a time. */
static void drain(struct way *w, unsigned most)
{
	struct sites *s = w->sites;
	struct fifo_source waiting = queue_fifo_source(s->queue, &w->domain.routing, most);
	rcpt_ref ref;

	timer_stop(s->loop->timers, &w->later);
	while ((ref = queue_next(s->queue, &waiting.source)) != RCPT_NONE) {
		if (to_smart_host(w, ref))
			continue;
		if (w->status == ROUTE_OK)
			to_pool(w, ref);
		else
			fail_one(w, ref, OUTCOME_BOUNCED, w->status);
	}
	queue_looked(s->queue, most - waiting.source.looks);
	w->draining = w->domain.routing.count > 0;
	if (w->draining && !timer_running(&w->later))
		chore_begin(s->lane, &w->serving);
	else
		chore_stop(&w->serving);
}

static void ask_next(struct sites *s);

static void trouble(struct way *w, int64_t now)
{
	struct sites *s = w->sites;
	struct fifo_source waiting =
	    queue_fifo_source(s->queue, &w->domain.routing, TROUBLE_RECORDS);
	int64_t pause =
	    MIN_OF((int64_t)TROUBLE_MIN_MS << MIN_OF(w->troubles, 10), (int64_t)TROUBLE_MAX_MS);
	rcpt_ref ref;

	if (usable(w, now)) {
		w->fresh_until_ms = now + REFRESH_AGAIN_MS;
		w->status = ROUTE_OK;
		drain(w, DRAIN_AT_ONCE);
		return;
	}
	w->troubles = (uint8_t)MIN_OF(w->troubles + 1, 100);
	w->site = NULL;
	pause += random_jitter(pause / 4 - 1);
	w->not_before_ms = now + pause;
	while ((ref = queue_next(s->queue, &waiting.source)) != RCPT_NONE)
		if (!to_smart_host(w, ref))
			fail_one(w, ref, OUTCOME_DEFERRED, ROUTE_TEMP);
	if (w->domain.routing.count)
		timer_set(s->loop->timers, &w->later, pause);
}

/* facts: of the route, when it is ROUTE_OK. */
static void answered(struct way *w, const struct route *route, struct policy_facts *facts)
{
	int64_t now = sites_now(w->sites), ttl_s = facts ? facts->ttl_s : route->ttl_s;

	w->status = route->status;
	if (route->status == ROUTE_TEMP) {
		trouble(w, now);
		return;
	}
	w->troubles = 0;
	w->not_before_ms = 0;
	w->named_securely = facts && facts->named_securely;
	w->site = facts ? site_get(w->sites, facts, domain_name(&w->domain)) : NULL;
	w->fresh_until_ms = now + MAX_OF(ttl_s * 1000, (int64_t)FRESH_MIN_MS);
	w->stale_until_ms = w->fresh_until_ms + STALE_MS;
	drain(w, DRAIN_AT_ONCE);
}

static void done_asking(struct way *w, const struct route *route, struct policy_facts *facts)
{
	struct sites *s = w->sites;

	w->asked = false;
	w->took_ms = (uint32_t)(sites_now(s) - w->asked_ms);
	s->n_asked--;
	answered(w, route, facts);
	ask_next(s);
}

static void on_policy(struct policy_query *q, struct policy_facts *facts)
{
	struct way *w = container_of(q, struct way, policy);

	done_asking(w, facts->route, facts);
	(void)policy_facts_unref(facts);
}

static void on_route(struct route_query *q, struct route *route)
{
	struct way *w = container_of(q, struct way, query);

	if (route->status == ROUTE_OK) {
		w->policy.done = on_policy;
		policy_ask(w->sites->policies, &w->policy, route);
	} else {
		done_asking(w, route, NULL);
	}
	route_unref(route);
}

static void ask_now(struct way *w)
{
	struct sites *s = w->sites;
	int r;

	w->query.done = on_route;
	w->query.state = NULL;
	r = route_ask(s->resolver, &s->route_options, &w->query, domain_name(&w->domain));
	count_add(&s->counters.route_queries, 1);
	if (r == 0) {
		w->asked = true;
		w->asked_ms = sites_now(s);
		s->n_asked++;
		return;
	}
	/* What is not a domain name (RFC 1035) will not become one; the rest is our own trouble. */
	struct route none = { .status = r == E_SYNTAX ? ROUTE_NO_DOMAIN : ROUTE_TEMP,
			      .ttl_s = 3600 };
	answered(w, &none, NULL);
}

static void ask_next(struct sites *s)
{
	struct way *w;

	while (s->n_asked < ROUTES_ASKED_MAX && (w = list_first(&s->asking, struct way, asking))) {
		list_remove(&w->asking);
		ask_now(w);
	}
}

static void ask(struct way *w)
{
	struct sites *s = w->sites;

	if (w->asked || !list_empty(&w->asking))
		return;
	list_push(&s->asking, &w->asking);
	if (s->n_asked < ROUTES_ASKED_MAX && list_first(&s->asking, struct way, asking) == w)
		ask_next(s);
}

/* Asks DNS if needed, then serves the domain's list. */
static void serve(struct way *w, unsigned most)
{
	int64_t now = sites_now(w->sites);

	if (w->draining && (timer_running(&w->later) || chore_waits(&w->serving)))
		return;
	w->draining = false;
	if (relays_wait(w->sites)) {
		timer_set(w->sites->loop->timers, &w->later, RELAYS_LOOK_MS);
		return;
	}
	if (usable(w, now) ||
	    (w->fresh_until_ms > now && w->status != ROUTE_OK && w->status != ROUTE_TEMP)) {
		if (usable(w, now))
			w->status = ROUTE_OK;
		drain(w, most);
	} else if (w->not_before_ms > now) {
		if (!timer_running(&w->later))
			timer_set(w->sites->loop->timers, &w->later, w->not_before_ms - now);
	} else {
		ask(w);
	}
}

static void on_later(struct timer *t)
{
	serve(container_of(t, struct way, later), DRAIN_AT_ONCE);
}

static bool serve_more(struct chore *c)
{
	serve(container_of(c, struct way, serving), DRAIN_MAX);
	return false; /* or it was begun again */
}

void way_due(struct queue_ways *ways, struct domain *d, rcpt_ref ref)
{
	struct way *w = way_of(d);
	int64_t now = sites_now(w->sites);

	(void)ways;
	if (!relays_wait(w->sites) && to_smart_host(w, ref))
		return;
	if (usable(w, now) && !relays_wait(w->sites)) {
		if (now >= w->fresh_until_ms)
			ask(w); /* the old one serves until the answer is here */
		to_pool(w, ref);
		return;
	}
	(void)queue_move(w->sites->queue, ref, (struct queue_move){ .to = RCPT_ROUTING });
	serve(w, DRAIN_AT_ONCE);
}

void way_reshape(struct way *w)
{
	if (w->site)
		w->site = site_get(w->sites, w->site->facts, domain_name(&w->domain));
}

void way_retry(struct way *w)
{
	w->not_before_ms = 0;
	w->troubles = 0;
	if (w->domain.routing.count)
		serve(w, DRAIN_AT_ONCE);
}

/* ---- life -------------------------------------------------------------------------------- */

void way_begin(struct queue_ways *ways, struct domain *d)
{
	struct way *w = way_of(d);

	w->sites = container_of(ways, struct sites, ways);
	list_init(&w->asking);
	timer_init(&w->later, on_later);
	chore_init(&w->serving, serve_more);
}

bool way_busy(const struct domain *d)
{
	const struct way *w = way_of(d);

	return w->asked || w->draining || chore_waits(&w->serving) ||
	       w->asking.next != &w->asking || timer_running(&w->later);
}

bool way_differs(const struct queue *q)
{
	const struct sites *s = container_of(q->ways, struct sites, ways);

	return s->routes->n || s->fed->n;
}

void way_place(const struct domain *d, const struct flow *f, struct slice *ret_site,
	       struct slice *ret_provider)
{
	const struct way *w = way_of(d);
	const struct relay *relay = f && way_differs(w->sites->queue) ? relay_of_flow(w, f) : NULL;
	const struct site *site = relay ? relay->site : w->site;

	*ret_site = slice_str(site ? site->name : "");
	*ret_provider = slice_str(site && site->provider ? site->provider->name : "");
	(void)slice_strip(ret_provider, SLICE("provider "));
}

void way_end(struct way *w)
{
	timer_stop(w->sites->loop->timers, &w->later);
	chore_stop(&w->serving);
	list_remove(&w->asking);
	if (w->asked) {
		route_cancel(w->sites->resolver, &w->query);
		policy_cancel(&w->policy);
	}
	w->asked = false;
	w->site = NULL;
}
