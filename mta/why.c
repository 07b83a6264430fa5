/* mta/why.c - the chain of reasons behind a recipient that is not delivered yet. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/clock.h"
#include "mta/inspect.h"
#include "mta/pool.h"

struct teller {
	struct work *w;
	int (*each)(void *arg, const struct inspect_reason *r);
	void *arg;
	int n, stop;
};

static void PRINTF(4, 5)
    tell(struct teller *t, const char *kind, int64_t until_ms, const char *format, ...)
{
	struct inspect_reason r = { .kind = kind, .until_ms = until_ms };
	va_list ap;

	if (t->stop < 0)
		return;
	va_start(ap, format);
	(void)vsnprintf(r.text, sizeof(r.text), format, ap);
	va_end(ap);
	t->n++;
	t->stop = t->each(t->arg, &r);
}

static int64_t wall_of(struct work *w, int64_t mono_ms)
{
	return mono_ms - timers_now(w->loop->timers) + clock_wall_ms();
}

static void why_domain(struct teller *t, const struct domain *d)
{
	struct work *w = t->w;
	int64_t now = timers_now(w->loop->timers);

	if (d->asked || !list_empty((struct list *)&d->asking))
		tell(t, "dns", 0, "the domain's mail hosts are being looked up");
	else if (!d->site && d->not_before_ms > now)
		tell(t, "dns", wall_of(w, d->not_before_ms),
		     "DNS gave no usable answer for the domain");
	if (d->reply_ms)
		tell(t, "reply", 0, "last answer of the domain: %u %u.%u.%u %.*s", d->code,
		     d->dsn[0], d->dsn[1], d->dsn[2], d->reply_n, d->reply);
}

static void why_site(struct teller *t, const struct site *s)
{
	struct work *w = t->w;
	int64_t now = timers_now(w->loop->timers);
	int64_t slots = w->config->site_connections;
	const struct pool *p;

	if (s->backoff_until_ms > now)
		tell(t, "site-pause", wall_of(w, s->backoff_until_ms),
		     "no host of %s could be used: %s", s->name, s->problem);
	if (atomic_load(&s->shared->connections) >= slots)
		tell(t, "connections", 0, "all %" PRId64 " connections to %s are in use", slots,
		     s->name);
	list_each(&((struct site *)s)->pools, p, struct pool, link)
		if (fair_ready(&p->fair))
			tell(t, "next", 0, "%u recipients wait for %u connections of pool %s to %s",
			     fair_ready(&p->fair), p->n_channels, w->pool_names[p->index], s->name);
}

static void why_rcpt(struct teller *t, const struct rcpt *r)
{
	struct work *w = t->w;
	const struct domain *d = domain_at(&w->domains, r->domain);
	struct rule_subject subject = {
		.domain = slice_of(d->name, d->name_n),
		.tenant = flow_at(&w->flows, r->flow)->tenant,
		.campaign = flow_at(&w->flows, r->flow)->campaign,
		.row = r->row,
	};
	struct job_info info;
	char hold[256];

	if (spool_job_info(w->spool, r->job, &info) == 0)
		subject.job = info.id;
	if (rules_match(w->rules, RULE_HOLD, SELECTS_ALL, &subject, hold, sizeof(hold)))
		tell(t, "hold", 0, "held by rule %s", hold);
	if (r->state == RCPT_IN_FLIGHT)
		tell(t, "in-flight", 0, "a transaction is under way");
	if (r->state == RCPT_DEFERRED)
		tell(t, "retry", (int64_t)r->due_s * 1000, "%u tries failed; the next one is due",
		     r->attempts);
	why_domain(t, d);
	if (d->site)
		why_site(t, d->site);
}

static const struct rcpt *first_of_job(struct work *w, const struct selector *s)
{
	job_no job;

	if (spool_find_job(w->spool, s->job, &job) < 0)
		return NULL;
	for (rcpt_ref ref = 0; ref < w->slab.used; ref++) {
		const struct rcpt *r = rcpt_at(&w->slab, ref);
		if (r->state != RCPT_FREE && r->state != RCPT_DEAD && r->job == job &&
		    (s->kind == SELECT_JOB || r->row == s->row))
			return r;
	}
	return NULL;
}

static const struct domain *domain_named(struct work *w, struct slice name)
{
	for (uint32_t i = 0; i < w->domains.n; i++) {
		const struct domain *d = domain_at(&w->domains, i);
		if (d && d->live && slice_eq_nocase(slice_of(d->name, d->name_n), name))
			return d;
	}
	return NULL;
}

int inspect_why(struct lane *l, const struct selector *s,
		int (*each)(void *arg, const struct inspect_reason *r), void *arg)
{
	struct teller t = { .w = l->work, .each = each, .arg = arg };
	const struct rcpt *r = NULL;
	const struct domain *d = NULL;
	struct rule_subject subject = { .domain = s->domain };
	char hold[256];

	if (s->kind == SELECT_JOB || s->kind == SELECT_RCPT)
		r = first_of_job(t.w, s);
	else if (s->kind == SELECT_DOMAIN)
		d = domain_named(t.w, s->domain);
	if (r)
		why_rcpt(&t, r);
	if (d) {
		if (rules_match(t.w->rules, RULE_HOLD, SELECTS(SELECT_ALL) | SELECTS(SELECT_DOMAIN),
				&subject, hold, sizeof(hold)))
			tell(&t, "hold", 0, "held by rule %s", hold);
		why_domain(&t, d);
		if (d->site)
			why_site(&t, d->site);
	}
	return t.n;
}
