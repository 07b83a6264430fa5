/* mta/inspect/why.c - the chain of reasons behind a recipient that is not delivered yet. */
#include "mta/inspect/why.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "mta/inspect/walk.h"
#include "mta/site/pair.h"
#include "mta/site/steer.h"
#include "mta/site/way.h"

struct teller {
	struct queue *queue;
	struct sites *sites;
	int (*each)(void *arg, const struct why_reason *r);
	void *arg;
	int n, stop;
};

static void PRINTF(4, 5)
    tell(struct teller *t, const char *kind, int64_t until_ms, const char *format, ...)
{
	struct why_reason r = { .kind = kind, .until_ms = until_ms };
	va_list ap;

	if (t->stop < 0)
		return;
	va_start(ap, format);
	(void)vsnprintf(r.text, sizeof(r.text), format, ap);
	va_end(ap);
	t->n++;
	t->stop = t->each(t->arg, &r);
}

static void why_domain(struct teller *t, const struct domain *d)
{
	const struct way *w = way_of(d);
	char status[STATUS_TEXT_MAX];

	if (w->asked || w->asking.next != &w->asking)
		tell(t, "dns", 0, "the domain's mail hosts are being looked up");
	else if (!w->site && w->not_before_ms > sites_now(t->sites))
		tell(t, "dns", walk_wall_ms(t->queue, w->not_before_ms),
		     "DNS gave no usable answer for the domain");
	if (d->reply_ms)
		tell(t, "reply", 0, "the domain's last answer: %u %s %.*s", d->code,
		     status_format(d->status, status), d->reply_n, d->reply);
}

static void put_rate(char *text, size_t cap, int64_t per_day)
{
	if (!per_day)
		*text = '\0';
	else if (per_day >= 86400)
		(void)snprintf(text, cap, " and %" PRId64 " messages a second", per_day / 86400);
	else
		(void)snprintf(text, cap, " and %" PRId64 " messages an hour", per_day / 24);
}

/* "03-14 09:26", as the postmaster's clock has it. */
static void put_time(char *text, size_t cap, int64_t wall_ms)
{
	time_t s = (time_t)(wall_ms / 1000);
	struct tm tm;

	(void)strftime(text, cap, "%m-%d %H:%M", localtime_r(&s, &tm));
}

static void why_source(struct teller *t, const struct pool *p, const struct source_limits *e)
{
	char rate[64], since[32], source[IP_TEXT_MAX] = "the default source";
	struct steer_fact f;

	if (!steer_fact(e, &f) || !f.holds_back)
		return;
	if (e->ip.family)
		ip_format(&e->ip, source);
	put_rate(rate, sizeof(rate), f.rate);
	put_time(since, sizeof(since), f.since_ms);
	tell(t, "adaptive", f.closed_until_ms,
	     "%s has %u of %" PRId64 " connections%s to %s since %s because %s", source,
	     f.closed_until_ms ? 0 : f.window, p->shape.v[SHAPE_CONNECTIONS], rate,
	     p->per_source->name, since, *f.why ? f.why : "of earlier trouble");
}

static bool has_turn(const struct pool *p, const struct source_limits *e)
{
	for (unsigned i = 0; i < p->turns.n; i++)
		if (ip_eq(&p->turns.at[i].source->ip, &e->ip))
			return true;
	return !p->turns.at;
}

static void why_adaptive(struct teller *t, const struct pool *p)
{
	const struct source_limits *e = atomic_load(&p->per_source->sources);

	for (; e && p->shape.v[SHAPE_ADAPTIVE]; e = e->next)
		if (has_turn(p, e))
			why_source(t, p, e);
}

static void why_pool(struct teller *t, const struct pool *p)
{
	const char *name = egress_pool_name(t->sites->egress, p->index);
	char text[400];

	if (p->lender != p->index)
		tell(
		    t, "fallback", 0,
		    "the sources of pool %s cannot be used at %s now; its mail leaves from pool %s",
		    name, p->site->name, egress_pool_name(t->sites->egress, p->lender));
	if (!fair_ready(&p->fair))
		return;
	if (p->paused_until_ms > sites_now(t->sites)) {
		pair_explain(p, p->pause_why, text, sizeof(text));
		tell(t, "pool-pause",
		     p->pause_why == PAIR_OFF ? 0 : walk_wall_ms(t->queue, p->paused_until_ms),
		     "%s", text);
	}
	why_adaptive(t, p);
	tell(t, "next", 0,
	     "%u recipients wait for their turn on the %u connections of pool %s to %s",
	     fair_ready(&p->fair), p->n_channels, name, p->site->name);
}

static void why_site(struct teller *t, struct site *s)
{
	int64_t most = s->shape.v[SHAPE_CONNECTIONS];
	const struct pool *p;

	if (s->backoff_until_ms > sites_now(t->sites))
		tell(t, "site-pause", walk_wall_ms(t->queue, s->backoff_until_ms),
		     "no host of %s could be reached: %s", s->name, s->problem);
	if (atomic_load(&s->shared->connections) >= most)
		tell(t, "connections", 0, "all %" PRId64 " connections to %s are in use", most,
		     s->name);
	list_each(&s->pools, p, struct pool, link)
		why_pool(t, p);
}

static void why_hold(struct teller *t, unsigned selects, const struct rule_subject *subject)
{
	char hold[256];

	if (rules_match(t->queue->rules, RULE_HOLD, selects, subject, hold, sizeof(hold)))
		tell(t, "hold", 0, "a rule holds it: %s", hold);
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
		why_site(t, way_of(d)->site);
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
		why_site(t, way_of(d)->site);
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
