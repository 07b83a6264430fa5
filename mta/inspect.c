#include "mta/inspect.h"

#include <stdio.h>

#include "base/clock.h"
#include "mta/pool.h"

/* ---- selecting --------------------------------------------------------------------------- */

/* A selector made ready for a walk over the slab: what can be compared as a number is. */
struct query {
	struct work *w;
	const struct selector *s;
	uint32_t domain; /* SELECT_DOMAIN: its number, UINT32_MAX: not here */
	job_no job;      /* SELECT_JOB and SELECT_RCPT */
	bool none;       /* nothing can match */
};

static struct query query_of(struct work *w, const struct selector *s)
{
	struct query q = { .w = w, .s = s };

	if (s->kind == SELECT_DOMAIN) {
		q.none = true;
		for (uint32_t i = 0; i < w->domains.n && q.none; i++) {
			const struct domain *d = domain_at(&w->domains, i);
			if (!d || !slice_eq_nocase(slice_of(d->name, d->name_n), s->domain))
				continue;
			q.domain = i;
			q.none = false;
		}
	} else if (s->kind == SELECT_JOB || s->kind == SELECT_RCPT) {
		q.none = spool_find_job(w->spool, s->job, &q.job) < 0;
	}
	return q;
}

static bool matches(const struct query *q, const struct rcpt *r)
{
	if (r->state == RCPT_FREE || r->state == RCPT_DEAD)
		return false;
	switch (q->s->kind) {
	case SELECT_ALL:
		return true;
	case SELECT_TENANT:
		return flow_at(&q->w->flows, r->flow)->tenant == q->s->number;
	case SELECT_CAMPAIGN:
		return flow_at(&q->w->flows, r->flow)->campaign == q->s->number;
	case SELECT_DOMAIN:
		return r->domain == q->domain;
	case SELECT_JOB:
		return r->job == q->job;
	case SELECT_RCPT:
		return r->job == q->job && r->row == q->s->row;
	}
	return false;
}

/* Next match at or after *ref, and the number past it in *ref; looks at most at `looks`. */
static struct rcpt *next_match(const struct query *q, rcpt_ref *ref, uint32_t looks)
{
	const struct slab *slab = &q->w->slab;

	while (!q->none && *ref < slab->used && looks--) {
		struct rcpt *r = rcpt_at(slab, (*ref)++);
		if (matches(q, r))
			return r;
	}
	return NULL;
}

uint64_t inspect_matches(struct lane *l, const struct selector *s)
{
	struct query q = query_of(l->work, s);
	uint64_t n = 0;

	for (rcpt_ref ref = 0; next_match(&q, &ref, UINT32_MAX);)
		n++;
	return n;
}

/* ---- counts ------------------------------------------------------------------------------ */

struct ages {
	int64_t oldest_ms;
	uint32_t next_s;
};

static void note_age(struct ages *a, const struct rcpt *r, int64_t accepted_ms)
{
	if (accepted_ms && (!a->oldest_ms || accepted_ms < a->oldest_ms))
		a->oldest_ms = accepted_ms;
	if (r->state == RCPT_DEFERRED && (!a->next_s || r->due_s < a->next_s))
		a->next_s = r->due_s;
}

/* One entry a domain or flow. */
static struct ages *collect_ages(struct work *w, bool by_domain)
{
	struct ages *ages =
	    must_alloc(((size_t)(by_domain ? w->domains.n : w->flows.n) + 1) * sizeof(*ages));
	uint32_t end = MIN_OF(w->slab.used, (uint32_t)INSPECT_MAX);
	struct job_info info = { 0 };
	job_no job = 0;
	bool known = false;

	for (rcpt_ref ref = 0; ref < end; ref++) {
		const struct rcpt *r = rcpt_at(&w->slab, ref);
		if (r->state == RCPT_FREE || r->state == RCPT_DEAD)
			continue;
		if (!known || r->job != job) {
			known = spool_job_info(w->spool, r->job, &info) == 0;
			job = r->job;
		}
		note_age(&ages[by_domain ? r->domain : r->flow], r, known ? info.accepted_ms : 0);
	}
	return ages;
}

static int64_t wall_of(struct work *w, int64_t mono_ms)
{
	return mono_ms - timers_now(w->loop->timers) + clock_wall_ms();
}

static int64_t paused_until(struct work *w, const struct domain *d)
{
	int64_t now = timers_now(w->loop->timers);
	int64_t until = d->site ? d->site->backoff_until_ms : d->not_before_ms;

	return until > now ? wall_of(w, until) : 0;
}

/* held: a rule holds the whole group.  Its recipients move to the held list one by one, when their
 * turn comes; whoever asks is told now. */
static void fill_states(struct inspect_count *c, const uint32_t *n, bool held)
{
	uint64_t waiting = (uint64_t)n[RCPT_READY] + n[RCPT_DEFERRED] + n[RCPT_ROUTING];

	c->held += n[RCPT_HELD] + (held ? waiting : 0);
	c->ready += held ? 0 : n[RCPT_READY];
	c->deferred += held ? 0 : n[RCPT_DEFERRED];
	c->routing += held ? 0 : n[RCPT_ROUTING];
	c->in_flight += n[RCPT_IN_FLIGHT];
}

static bool domain_is_held(struct work *w, const struct domain *d)
{
	struct rule_subject s = { .domain = slice_of(d->name, d->name_n) };

	return rules_match(w->rules, RULE_HOLD, SELECTS(SELECT_DOMAIN) | SELECTS(SELECT_ALL), &s,
			   NULL, 0);
}

static uint64_t total(const struct inspect_count *c)
{
	return c->ready + c->deferred + c->held + c->in_flight + c->routing;
}

static int count_domains(struct work *w, const struct ages *ages,
			 int (*each)(void *arg, const struct inspect_count *c), void *arg)
{
	int r = 0;

	for (uint32_t i = 0; i < w->domains.n && r >= 0; i++) {
		const struct domain *d = domain_at(&w->domains, i);
		if (!d || !d->live)
			continue;
		struct inspect_count c = {
			.domain = slice_of(d->name, d->name_n),
			.site = d->site ? slice_str(d->site->name) : slice_of("", 0),
			.code = d->code,
			.dsn = { d->dsn[0], d->dsn[1], d->dsn[2] },
			.reply = slice_of(d->reply, d->reply_n),
			.reply_ms = d->reply_ms,
			.oldest_ms = ages[i].oldest_ms,
			.next_ms = (int64_t)ages[i].next_s * 1000,
			.paused_until_ms = paused_until(w, d),
		};
		fill_states(&c, d->n, domain_is_held(w, d));
		if (total(&c))
			r = each(arg, &c);
	}
	return MIN_OF(r, 0);
}

/* Flows of one tenant or campaign are few; the caller adds up those it is given twice. */
static int count_flows(struct work *w, enum inspect_by by, const struct ages *ages,
		       int (*each)(void *arg, const struct inspect_count *c), void *arg)
{
	int r = 0;

	for (uint32_t i = 0; i < w->flows.n && r >= 0; i++) {
		const struct flow *f = flow_at(&w->flows, i);
		if (!f || !f->live)
			continue;
		struct inspect_count c = {
			.tenant = f->tenant,
			.campaign = by == INSPECT_CAMPAIGN ? f->campaign : 0,
			.oldest_ms = ages[i].oldest_ms,
			.next_ms = (int64_t)ages[i].next_s * 1000,
		};
		fill_states(&c, f->n, f->held);
		if (total(&c))
			r = each(arg, &c);
	}
	return MIN_OF(r, 0);
}

int inspect_counts(struct lane *l, enum inspect_by by,
		   int (*each)(void *arg, const struct inspect_count *c), void *arg)
{
	struct work *w = l->work;
	OWNED_MEM struct ages *ages = collect_ages(w, by == INSPECT_DOMAIN);

	return by == INSPECT_DOMAIN ? count_domains(w, ages, each, arg)
				    : count_flows(w, by, ages, each, arg);
}

/* ---- recipients -------------------------------------------------------------------------- */

static const char *state_name(struct work *w, const struct rcpt *r)
{
	static const char *const names[RCPT_STATES] = {
		[RCPT_ROUTING] = "routing",     [RCPT_READY] = "ready",
		[RCPT_DEFERRED] = "deferred",   [RCPT_HELD] = "held",
		[RCPT_IN_FLIGHT] = "in-flight",
	};

	return r->state == RCPT_READY && flow_at(&w->flows, r->flow)->held ? "held"
									   : names[r->state];
}

static int give(struct work *w, const struct rcpt *r,
		int (*each)(void *arg, const struct inspect_rcpt *r), void *arg)
{
	struct inspect_rcpt out = {
		.row = r->row,
		.state = state_name(w, r),
		.attempts = r->attempts,
		.next_ms = r->state == RCPT_DEFERRED ? (int64_t)r->due_s * 1000 : 0,
		.expires_ms = (int64_t)r->expires_s * 1000,
	};
	struct chunk *k;
	int rc;

	if (shelf_chunk(&w->shelf, r->job, &k) < 0)
		return 0;
	out.job = k->info.id;
	out.address = wire_rows_address(k->rows, r->row);
	out.accepted_ms = k->info.accepted_ms;
	out.tenant = k->info.tenant;
	out.campaign = k->info.campaign;
	rc = each(arg, &out);
	shelf_chunk_unref(&w->shelf, k);
	return rc;
}

int inspect_rcpts(struct lane *l, const struct selector *s, uint64_t *cursor, unsigned max,
		  int (*each)(void *arg, const struct inspect_rcpt *r), void *arg)
{
	struct work *w = l->work;
	struct query q = query_of(w, s);
	rcpt_ref ref = (rcpt_ref)MIN_OF(*cursor, (uint64_t)w->slab.used);
	rcpt_ref end = ref + MIN_OF(w->slab.used - ref, (uint32_t)INSPECT_MAX);
	int rc = 0;

	for (unsigned n = 0; n < max && ref < end && rc >= 0 && !q.none; n++) {
		const struct rcpt *r = next_match(&q, &ref, end - ref);
		if (!r)
			break;
		rc = give(w, r, each, arg);
	}
	*cursor = ref;
	return rc < 0 ? rc : !q.none && ref < w->slab.used;
}

/* ---- orders ------------------------------------------------------------------------------ */

static void end_pauses(struct work *w, struct domain *d)
{
	struct pool *p;

	d->not_before_ms = 0;
	d->troubles = 0;
	if (d->routing.count)
		domain_route(w, d);
	if (!d->site || !d->site->backoff_until_ms)
		return;
	d->site->backoff_until_ms = 0;
	site_forgive_hosts(d->site);
	list_each(&d->site->pools, p, struct pool, link)
		pool_pump_soon(p);
}

uint64_t inspect_retry(struct lane *l, const struct selector *s)
{
	struct work *w = l->work;
	struct query q = query_of(w, s);
	uint32_t now = wall_s();
	uint64_t n = 0;
	struct rcpt *r;

	for (rcpt_ref ref = 0; (r = next_match(&q, &ref, UINT32_MAX)) != NULL; n++) {
		end_pauses(w, domain_at(&w->domains, r->domain));
		if (r->state == RCPT_DEFERRED)
			r->due_s = now;
	}
	if (n)
		work_wheel_again(w);
	return n;
}

void inspect_flush_dns(struct lane *l)
{
	struct work *w = l->work;

	resolver_flush(w->resolver, (struct slice){ 0 });
	for (uint32_t i = 0; i < w->domains.n; i++) {
		struct domain *d = domain_at(&w->domains, i);
		if (d)
			d->fresh_until_ms = 0;
	}
}
