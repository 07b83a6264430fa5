/* mta/route.c - from a domain to its site: when DNS is asked, and what becomes of those who wait.
 */
#include "base/clock.h"
#include "base/random.h"
#include "mta/outcome.h"
#include "mta/pool.h"

enum {
	DRAIN_MAX = 1000,       /* recipients a slice */
	STALE_MS = 3600 * 1000, /* an old route serves this much longer when DNS has trouble */
	FRESH_MIN_MS = 5 * 1000,
	REFRESH_AGAIN_MS = 30 * 1000,
	TROUBLE_MIN_MS = 30 * 1000,
	TROUBLE_MAX_MS = 30 * 60 * 1000,
	TROUBLE_RECORDS = 100, /* tries put on record each time DNS fails for a domain */
};

static const struct {
	uint16_t dsn[3];
	const char *text;
} failures[] = {
	[ROUTE_TEMP] = { { 4, 4, 3 }, "DNS gave no usable answer for the domain" },
	[ROUTE_NO_DOMAIN] = { { 5, 1, 2 }, "the domain does not exist or has no mail host" },
	[ROUTE_NULL_MX] = { { 5, 1, 10 }, "the domain takes no mail (null MX)" },
	[ROUTE_LOOP] = { { 5, 4, 6 }, "the best mail host of the domain is this host" },
	[ROUTE_FORBIDDEN] = { { 5, 4, 4 },
			      "the domain's mail hosts have only addresses that are not allowed" },
};

static void fail_one(struct work *w, rcpt_ref ref, enum outcome_kind kind, enum route_status status)
{
	struct own_outcome o = {
		.kind = kind,
		.dsn = { failures[status].dsn[0], failures[status].dsn[1],
			 failures[status].dsn[2] },
		.text = slice_str(failures[status].text),
	};

	outcome_own(w, ref, &o);
}

static bool usable(const struct domain *d, int64_t now_ms)
{
	return d->site && now_ms < d->stale_until_ms;
}

/* Serves the domain's list by its last answer, a slice at a time. */
static void drain(struct domain *d)
{
	struct work *w = d->work;
	rcpt_ref ref = RCPT_NONE;

	for (unsigned n = 0; n < DRAIN_MAX && (ref = fifo_pop(&w->slab, &d->routing)) != RCPT_NONE;
	     n++) {
		struct rcpt *r = rcpt_at(&w->slab, ref);
		if (r->state == RCPT_DEAD) {
			rcpt_end(w, ref);
		} else if (d->status == ROUTE_OK) {
			rcpt_become(w, ref, RCPT_READY);
			pool_push(pool_get(d->site, flow_at(&w->flows, r->flow)->pool), ref, false);
		} else {
			fail_one(w, ref, OUTCOME_BOUNCED, d->status);
		}
	}
	d->draining = ref != RCPT_NONE && d->routing.count > 0;
	if (d->draining)
		timer_set(w->loop->timers, &d->later, 1);
}

static void ask_next(struct work *w);

static void trouble(struct domain *d, int64_t now)
{
	struct work *w = d->work;
	int64_t pause =
	    MIN_OF((int64_t)TROUBLE_MIN_MS << MIN_OF(d->troubles, 10), (int64_t)TROUBLE_MAX_MS);

	if (usable(d, now)) {
		d->fresh_until_ms = now + REFRESH_AGAIN_MS;
		d->status = ROUTE_OK;
		drain(d);
		return;
	}
	d->troubles = (uint8_t)MIN_OF(d->troubles + 1, 100);
	d->site = NULL;
	pause += (int64_t)random_below((uint32_t)pause / 4);
	d->not_before_ms = now + pause;
	for (unsigned i = 0; i < TROUBLE_RECORDS; i++) {
		rcpt_ref ref = fifo_pop(&w->slab, &d->routing);
		if (ref == RCPT_NONE)
			return;
		if (rcpt_at(&w->slab, ref)->state == RCPT_DEAD)
			rcpt_end(w, ref);
		else
			fail_one(w, ref, OUTCOME_DEFERRED, ROUTE_TEMP);
	}
	if (d->routing.count)
		timer_set(w->loop->timers, &d->later, pause);
}

static void answered(struct domain *d, struct route *route)
{
	struct work *w = d->work;
	int64_t now = timers_now(w->loop->timers);

	d->status = route->status;
	if (route->status == ROUTE_TEMP) {
		trouble(d, now);
		return;
	}
	d->troubles = 0;
	d->not_before_ms = 0;
	d->site = route->status == ROUTE_OK ? site_get(w, route) : NULL;
	d->fresh_until_ms = now + MAX_OF((int64_t)route->ttl_s * 1000, (int64_t)FRESH_MIN_MS);
	d->stale_until_ms = d->fresh_until_ms + STALE_MS;
	drain(d);
}

static void on_route(struct route_query *q, struct route *route)
{
	struct domain *d = container_of(q, struct domain, query);
	struct work *w = d->work;

	d->asked = false;
	w->n_asked--;
	answered(d, route);
	route_unref(route);
	ask_next(w);
}

static void ask_now(struct domain *d)
{
	struct work *w = d->work;
	int r;

	d->query.done = on_route;
	d->query.state = NULL;
	r = route_ask(w->resolver, &w->route_options, &d->query, slice_of(d->name, d->name_n));
	count_add(&w->m->route_queries, 1);
	if (r == 0) {
		d->asked = true;
		w->n_asked++;
		return;
	}
	/* What is no domain name (RFC 1035) will not become one; anything else is our own trouble.
	 */
	struct route none = { .status = r == E_SYNTAX ? ROUTE_NO_DOMAIN : ROUTE_TEMP,
			      .ttl_s = 3600 };
	answered(d, &none);
}

static void ask_next(struct work *w)
{
	struct domain *d;

	while (w->n_asked < ROUTES_ASKED_MAX &&
	       (d = list_first(&w->asking, struct domain, asking))) {
		list_remove(&d->asking);
		ask_now(d);
	}
}

static void ask(struct domain *d)
{
	struct work *w = d->work;

	if (d->asked || !list_empty(&d->asking))
		return;
	list_push(&w->asking, &d->asking);
	if (w->n_asked < ROUTES_ASKED_MAX && list_first(&w->asking, struct domain, asking) == d)
		ask_next(w);
}

void domain_route(struct work *w, struct domain *d)
{
	int64_t now = timers_now(w->loop->timers);

	if (d->draining && timer_running(&d->later))
		return;
	d->draining = false;
	if (usable(d, now) ||
	    (d->fresh_until_ms > now && d->status != ROUTE_OK && d->status != ROUTE_TEMP)) {
		if (usable(d, now))
			d->status = ROUTE_OK;
		drain(d);
	} else if (d->not_before_ms > now) {
		if (!timer_running(&d->later))
			timer_set(w->loop->timers, &d->later, d->not_before_ms - now);
	} else {
		ask(d);
	}
}

bool domain_route_usable(struct domain *d, int64_t now_ms)
{
	if (!usable(d, now_ms))
		return false;
	if (now_ms >= d->fresh_until_ms)
		ask(d); /* the old one serves until the answer is here (RFC 8767 in spirit) */
	return true;
}

void domain_forget_route(struct domain *d)
{
	timer_stop(d->work->loop->timers, &d->later);
	list_remove(&d->asking);
	if (d->asked)
		route_cancel(d->work->resolver, &d->query);
	d->asked = false;
	d->site = NULL;
}
