/* mta/inspect/why.c - the chain of reasons behind mail that is not delivered yet: which look a
 * selector needs, and what is told of one recipient and of a domain. */
#include "mta/inspect/why.h"

#include <inttypes.h>

#include "base/clock.h"
#include "mta/inspect/tell.h"
#include "mta/inspect/walk.h"
#include "mta/inspect/binding.h"
#include "mta/queue/about.h"
#include "mta/site/relay.h"
#include "mta/site/suspend.h"
#include "mta/site/tenants.h"
#include "mta/site/way.h"

/* What is told of: one recipient, a domain, places, or whoever is found waiting. */
enum why_of { WHY_ONE, WHY_DOMAIN, WHY_PLACE, WHY_WAITING };
struct why {
	struct queue *queue;
	struct sites *sites;
	struct selector selector;
	enum why_of of;
	struct walk *walk;       /* NULL: nobody needs to be looked at */
	rcpt_ref first;          /* WHY_ONE */
	struct binding *binding; /* WHY_DOMAIN, WHY_WAITING */
};

/* ---- one recipient, a domain ------------------------------------------------------------- */

static void why_dns(struct teller *t, const struct way *w)
{
	if (w->asked || w->asking.next != &w->asking)
		tell(t, "dns", 0, "the domain's mail hosts are being looked up");
	else if (!w->site && w->not_before_ms > sites_now(t->sites))
		tell(t, "dns", walk_wall_ms(t->queue, w->not_before_ms),
		     "DNS gave no usable answer for the domain");
}

static void why_reply(struct teller *t, const struct domain *d)
{
	char status[STATUS_TEXT_MAX];

	t->since_ms = d->reply_ms;
	if (d->reply_ms && !d->code)
		tell(t, "reply", 0, "the domain's last try: %s %.*s",
		     status_format(d->status, status), d->reply_n, d->reply);
	else if (d->reply_ms)
		tell(t, "reply", 0, "the domain's last answer: %u %s %.*s", d->code,
		     status_format(d->status, status), d->reply_n, d->reply);
}

static void why_hold(struct teller *t, const struct subject *subject)
{
	struct rule_told hold;

	if (!rules_hold_told(t->queue->rules, subject, &hold))
		return;
	t->since_ms = hold.since_ms;
	tell(t, "hold", hold.until_ms, "a rule holds it: %s", hold.text);
}

static void why_cap(struct teller *t, const struct subject *subject)
{
	struct rule_cap *caps[RULE_CAPS_MAX];
	unsigned n = rules_caps(t->queue->rules, subject, caps);

	for (unsigned i = 0; i < n; i++)
		tell_cap(t, caps[i]->id, "it");
}

static void why_tenant(struct teller *t, const struct rcpt *r, struct pool *p)
{
	const struct flow *f = queue_flow_of(t->queue, r);
	int64_t ms = tenants_matter(p) ? tenants_wait_ms(p, f->tenant) : 0;

	if (ms)
		tell(t, "tenant", clock_wall_ms() + ms,
		     "tenant %" PRIu64 " is suspended at %s; postern rules says why", f->tenant,
		     suspend_scope(p->site)->name);
}

/* The site where its mail goes; NULL: it is not known, and that was told. */
static struct site *why_next_hop(struct teller *t, rcpt_ref ref)
{
	struct way *w = way_of(queue_domain_of(t->queue, queue_rcpt(t->queue, ref)));
	const struct relay *relay = relay_of(w, ref);
	char text[WHY_TEXT_MAX];

	if (!relay) {
		why_dns(t, w);
		return w->site;
	}
	if (relay->site)
		tell(t, "route", 0, "its mail goes to %.200s by the route %.100s",
		     relay->route->host, relay->route->name);
	else
		relay_explain(relay, text, sizeof(text));
	if (!relay->site)
		tell(t, "route", 0, "%s", text);
	return relay->site;
}

static void why_rcpt(struct teller *t, rcpt_ref ref)
{
	const struct rcpt *r = queue_rcpt(t->queue, ref);
	struct site *site;
	struct pool *p;
	struct about a;

	about_rcpt(&a, t->queue, r, SELECTS_ALL);
	why_hold(t, &a.s);
	why_cap(t, &a.s);
	about_end(&a);
	if (r->state == RCPT_IN_FLIGHT)
		tell(t, "in-flight", 0, "a transaction is in progress");
	if (r->state == RCPT_DEFERRED)
		tell(t, "retry", queue_wall_ms(t->queue, r->due_s),
		     "%u %s failed; waiting for the next one", r->attempts,
		     r->attempts == 1 ? "try" : "tries");
	site = why_next_hop(t, ref);
	why_reply(t, queue_domain_of(t->queue, r));
	if (!site)
		return;
	t->one_tenant = true;
	t->tenant = queue_flow_of(t->queue, r)->tenant;
	p = pool_get(site, queue_pool_of(t->queue, r));
	why_tenant(t, r, p);
	binds_only_site(t, site);
	binds_pool(t, p);
}

static void why_domain(struct teller *t, struct slice name, struct binding *binding)
{
	const struct domain *d = queue_find_domain(t->queue, name);

	if (!d || !d->live)
		return;
	binding_tell_who(binding, t);
	why_dns(t, way_of(d));
	why_reply(t, d);
	binding_tell_where(binding, t);
}

/* ---- the look ---------------------------------------------------------------------------- */

static enum why_of kind_of(const struct selector *s)
{
	const unsigned places =
	    SELECTS(SELECT_PROVIDER) | SELECTS(SELECT_SOURCE) | SELECTS(SELECT_SITE);

	if (selector_is(s, SELECT_JOB) || selector_is(s, SELECT_RCPT))
		return WHY_ONE;
	if (selector_is(s, SELECT_DOMAIN))
		return WHY_DOMAIN;
	return s->keys && !(s->keys & ~places) ? WHY_PLACE : WHY_WAITING;
}

static bool take_first(void *arg, rcpt_ref ref)
{
	((struct why *)arg)->first = ref;
	return false;
}

static bool take_waiting(void *arg, rcpt_ref ref)
{
	struct why *w = arg;

	binding_note(w->binding, w->walk, ref);
	return true;
}

struct why *why_new(struct lane *l, const struct selector *s)
{
	struct why *w = must_alloc(sizeof(*w));

	w->queue = queue_of(l);
	w->sites = sites_of(l);
	w->selector = *s;
	w->of = kind_of(s);
	w->first = RCPT_NONE;
	if (w->of != WHY_PLACE)
		w->walk = walk_new(l, s);
	if (w->of == WHY_WAITING || w->of == WHY_DOMAIN)
		w->binding = binding_new();
	return w;
}

struct why *why_free(struct why *w)
{
	if (w) {
		walk_free(w->walk);
		binding_free(w->binding);
	}
	free(w);
	return NULL;
}

bool why_go(struct why *w, int64_t slice_us)
{
	return w->walk &&
	       walk_go(w->walk, slice_us, w->of == WHY_ONE ? take_first : take_waiting, w);
}

int why_tell(struct why *w, int (*each)(void *arg, const struct why_reason *r), void *arg)
{
	struct teller t = { .queue = w->queue, .sites = w->sites, .each = each, .arg = arg };
	const struct selector_term *tenant = selector_find(&w->selector, SELECT_TENANT);

	t.one_tenant = tenant;
	t.tenant = tenant ? tenant->number : 0;
	if (w->of == WHY_DOMAIN)
		why_domain(&t, w->selector.terms[0].text, w->binding);
	else if (w->of == WHY_PLACE)
		binds_places(&t, &w->selector);
	else if (w->of == WHY_WAITING) {
		binding_tell_who(w->binding, &t);
		binding_tell_where(w->binding, &t);
	} else if (w->first != RCPT_NONE && queue_rcpt(w->queue, w->first)->state != RCPT_DEAD)
		why_rcpt(&t, w->first);
	return t.n;
}
