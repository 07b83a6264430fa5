/* mta/inspect/why.c - the chain of reasons behind a recipient that is not delivered yet. */
#include "mta/inspect/why.h"

#include <inttypes.h>

#include "base/clock.h"
#include "mta/inspect/tell.h"
#include "mta/inspect/walk.h"
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

static void why_hold(struct teller *t, unsigned selects, const struct rule_subject *subject)
{
	char hold[256];

	if (rules_match(t->queue->rules, RULE_HOLD, selects, subject, hold, sizeof(hold)))
		tell(t, "hold", 0, "a rule holds it: %s", hold);
}

static void why_tenant(struct teller *t, const struct rcpt *r, struct site *s)
{
	struct flow *f = queue_flow_of(t->queue, r);
	struct pool *p = pool_get(s, f->to_pool);
	int64_t ms = tenants_matter(p) ? tenants_wait_ms(p, f->tenant) : 0;

	if (ms)
		tell(t, "tenant", clock_wall_ms() + ms,
		     "tenant %" PRIu64 " is suspended at %s; postern rules says why", f->tenant,
		     suspend_scope(s)->name);
}

static void why_rcpt(struct teller *t, const struct rcpt *r)
{
	const struct domain *d = queue_domain_of(t->queue, r);
	struct rule_subject subject = {
		.domain = domain_name(d),
		.tenant = queue_flow_of(t->queue, r)->tenant,
		.campaign = queue_flow_of(t->queue, r)->campaign,
		.row = r->row,
	};
	struct job_info info;

	if (spool_job_info(t->queue->spool, r->job, &info) == 0)
		subject.job = info.id;
	why_hold(t, SELECTS_ALL, &subject);
	if (r->state == RCPT_IN_FLIGHT)
		tell(t, "in-flight", 0, "a transaction is in progress");
	if (r->state == RCPT_DEFERRED)
		tell(t, "retry", queue_wall_ms(t->queue, r->due_s),
		     "%u tries failed; waiting for the next one", r->attempts);
	why_domain(t, d);
	if (way_of(d)->site)
		why_tenant(t, r, way_of(d)->site);
	if (way_of(d)->site)
		binds_site(t, way_of(d)->site);
}

static void why_all_of_domain(struct teller *t, struct slice name)
{
	const struct rule_subject subject = { .domain = name };
	const struct domain *d = queue_find_domain(t->queue, name);

	if (!d || !d->live)
		return;
	why_hold(t, SELECTS(SELECT_ALL) | SELECTS(SELECT_DOMAIN), &subject);
	why_domain(t, d);
	if (way_of(d)->site)
		binds_site(t, way_of(d)->site);
}

int why_tell(struct lane *l, const struct selector *s,
	     int (*each)(void *arg, const struct why_reason *r), void *arg)
{
	struct teller t = { .queue = queue_of(l), .sites = sites_of(l), .each = each, .arg = arg };
	struct walk w = walk_begin(l, s);
	const struct rcpt *r = NULL;

	if (s->kind == SELECT_DOMAIN)
		why_all_of_domain(&t, s->domain);
	else if (s->kind == SELECT_JOB || s->kind == SELECT_RCPT)
		r = walk_next(&w, UINT32_MAX);
	if (r)
		why_rcpt(&t, r);
	return t.n;
}
