/* mta/inspect/why.c - the chain of reasons behind a recipient that is not delivered yet. */
#include "mta/inspect/why.h"

#include <inttypes.h>

#include "base/clock.h"
#include "mta/inspect/tell.h"
#include "mta/inspect/walk.h"
#include "mta/queue/about.h"
#include "mta/site/suspend.h"
#include "mta/site/tenants.h"
#include "mta/site/way.h"

static void why_domain(struct teller *t, const struct domain *d)
{
	const struct way *w = way_of(d);
	char status[STATUS_TEXT_MAX];

	if (w->asked || w->asking.next != &w->asking)
		tell(t, "dns", 0, "the domain's mail hosts are being looked up");
	else if (!w->site && w->not_before_ms > sites_now(t->sites))
		tell(t, "dns", walk_wall_ms(t->queue, w->not_before_ms),
		     "DNS gave no usable answer for the domain");
	t->since_ms = d->reply_ms;
	if (d->reply_ms)
		tell(t, "reply", 0, "the domain's last answer: %u %s %.*s", d->code,
		     status_format(d->status, status), d->reply_n, d->reply);
}

static void why_hold(struct teller *t, const struct subject *subject)
{
	char hold[RULE_TEXT_MAX];

	if (rules_hold(t->queue->rules, subject, hold))
		tell(t, "hold", 0, "a rule holds it: %s", hold);
}

static void why_tenant(struct teller *t, const struct rcpt *r, struct site *s)
{
	struct flow *f = queue_flow_of(t->queue, r);
	struct pool *p = pool_get(s, queue_pool_of(t->queue, r));
	int64_t ms = tenants_matter(p) ? tenants_wait_ms(p, f->tenant) : 0;

	if (ms)
		tell(t, "tenant", clock_wall_ms() + ms,
		     "tenant %" PRIu64 " is suspended at %s; postern rules says why", f->tenant,
		     suspend_scope(s)->name);
}

static void why_cap(struct teller *t, const struct rcpt *r)
{
	struct rule_cap *caps[RULE_CAPS_MAX];
	char text[RULE_TEXT_MAX];
	struct about a;
	unsigned n;

	about_rcpt(&a, t->queue, r, SELECTS_ALL);
	n = rules_caps(t->queue->rules, &a.s, caps);
	about_end(&a);
	for (unsigned i = 0; i < n; i++)
		if (rules_cap_text(t->queue->rules, caps[i]->id, text))
			tell(t, "cap", 0, "order %" PRIu64 " caps it: %.300s", caps[i]->id, text);
}

static void why_rcpt(struct teller *t, const struct rcpt *r)
{
	const struct domain *d = queue_domain_of(t->queue, r);
	struct about a;

	about_rcpt(&a, t->queue, r, SELECTS_ALL);
	why_hold(t, &a.s);
	about_end(&a);
	why_cap(t, r);
	if (r->state == RCPT_IN_FLIGHT)
		tell(t, "in-flight", 0, "a transaction is in progress");
	if (r->state == RCPT_DEFERRED)
		tell(t, "retry", queue_wall_ms(t->queue, r->due_s),
		     "%u tries failed; waiting for the next one", r->attempts);
	why_domain(t, d);
	t->one_tenant = true;
	t->tenant = queue_flow_of(t->queue, r)->tenant;
	if (way_of(d)->site)
		why_tenant(t, r, way_of(d)->site);
	if (way_of(d)->site)
		binds_site(t, way_of(d)->site);
}

static void why_all_of_domain(struct teller *t, struct slice name)
{
	const struct domain *d = queue_find_domain(t->queue, name);
	struct about a;

	if (!d || !d->live)
		return;
	about_domain(&a, t->queue, d);
	why_hold(t, &a.s);
	why_domain(t, d);
	if (way_of(d)->site)
		binds_site(t, way_of(d)->site);
}

static bool take_first(void *arg, rcpt_ref ref)
{
	*(rcpt_ref *)arg = ref;
	return false;
}

int why_tell(struct lane *l, const struct selector *s,
	     int (*each)(void *arg, const struct why_reason *r), void *arg)
{
	struct teller t = { .queue = queue_of(l), .sites = sites_of(l), .each = each, .arg = arg };
	rcpt_ref first = RCPT_NONE;

	if (selector_is(s, SELECT_DOMAIN)) {
		why_all_of_domain(&t, s->terms[0].text);
	} else if (selector_is(s, SELECT_JOB) || selector_is(s, SELECT_RCPT)) {
		OWNED(walk) w = walk_new(l, s);
		(void)walk_go(w, INT64_MAX / 2, take_first, &first);
	}
	if (first != RCPT_NONE)
		why_rcpt(&t, queue_rcpt(t.queue, first));
	return t.n;
}
