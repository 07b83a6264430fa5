/* mta/inspect/inspect.c - walks over a lane's recipients, domains and flows. */
#include "mta/inspect/inspect.h"

#include "mta/inspect/walk.h"
#include "mta/site/pool.h"
#include "mta/site/way.h"

/* Does a rule hold it?  It moves to the held list only when its turn comes. */
static bool is_held(struct queue *q, const struct rcpt *r)
{
	unsigned selects = rules_selects(q->rules, RULE_HOLD);
	const struct flow *f = queue_flow_of(q, r);
	struct rule_subject s = { .domain = domain_name(queue_domain_of(q, r)),
				  .tenant = f->tenant,
				  .campaign = f->campaign,
				  .row = r->row };
	struct job_info info;

	if (r->state == RCPT_IN_FLIGHT || !selects)
		return r->state == RCPT_HELD;
	if (r->state == RCPT_HELD || f->held)
		return true;
	if (selects & (SELECTS(SELECT_JOB) | SELECTS(SELECT_RCPT)) &&
	    spool_job_info(q->spool, r->job, &info) == 0)
		s.job = info.id;
	return rules_match(q->rules, RULE_HOLD, SELECTS_ALL, &s, NULL, 0);
}

uint64_t inspect_matches(struct lane *l, const struct selector *s)
{
	struct walk w = walk_begin(l, s);
	uint64_t n = 0;

	while (walk_next(&w, UINT32_MAX))
		n++;
	return n;
}

uint64_t inspect_held(struct lane *l, const struct selector *s)
{
	struct walk w = walk_begin(l, s);
	const struct rcpt *r;
	uint64_t n = 0;

	while ((r = walk_next(&w, UINT32_MAX)) != NULL)
		n += is_held(w.queue, r);
	return n;
}

/* ---- counts ------------------------------------------------------------------------------ */

/* What only a look at the recipients tells. */
struct ages {
	int64_t oldest_ms;
	uint32_t next_s;
	uint32_t held[RCPT_STATES]; /* by a rule, though they are counted under this state */
};

static void note_age(struct ages *a, const struct rcpt *r, int64_t accepted_ms)
{
	if (accepted_ms && (!a->oldest_ms || accepted_ms < a->oldest_ms))
		a->oldest_ms = accepted_ms;
	if (r->state == RCPT_DEFERRED && (!a->next_s || r->due_s < a->next_s))
		a->next_s = r->due_s;
}

static int64_t shown_ms(const struct queue *q, uint32_t s) /* 0 stays: there is none */
{
	return s ? queue_wall_ms(q, s) : 0;
}

/* One entry per domain or flow. */
static struct ages *collect_ages(struct queue *q, bool by_domain)
{
	struct ages *ages =
	    must_alloc(((size_t)(by_domain ? q->domains.n : q->flows.n) + 1) * sizeof(*ages));
	uint32_t end = MIN_OF(q->slab.used, (uint32_t)INSPECT_MAX);
	struct job_info info = { 0 };
	job_no job = 0;
	bool known = false;

	for (rcpt_ref ref = 0; ref < end; ref++) {
		const struct rcpt *r = rcpt_at(&q->slab, ref);
		if (r->state == RCPT_FREE || r->state == RCPT_DEAD)
			continue;
		if (!known || r->job != job) {
			known = spool_job_info(q->spool, r->job, &info) == 0;
			job = r->job;
		}
		struct ages *a = &ages[by_domain ? r->domain : r->flow];
		note_age(a, r, known ? info.accepted_ms : 0);
		a->held[r->state] += r->state != RCPT_HELD && is_held(q, r);
	}
	return ages;
}

static int64_t paused_until(const struct queue *q, const struct domain *d)
{
	const struct way *w = way_of(d);
	int64_t until = w->site ? w->site->backoff_until_ms : w->not_before_ms;

	return until > timers_now(q->loop->timers) ? walk_wall_ms(q, until) : 0;
}

/* held: a rule holds the whole group; some: the recipients of it that rules hold.  They move to the
 * held list one by one, when their turn comes; whoever asks is told now. */
static void fill_states(struct inspect_count *c, const uint32_t *n, bool held, const uint32_t *some)
{
	static const enum rcpt_state waiting[] = { RCPT_READY, RCPT_DEFERRED, RCPT_ROUTING };
	uint64_t *const to[] = { &c->ready, &c->deferred, &c->routing };

	c->held += n[RCPT_HELD];
	c->in_flight += n[RCPT_IN_FLIGHT];
	for (unsigned i = 0; i < ARRAY_LEN(waiting); i++) {
		uint32_t all = n[waiting[i]];
		uint32_t kept = held ? all : MIN_OF(some[waiting[i]], all);
		c->held += kept;
		*to[i] += all - kept;
	}
}

static bool domain_is_held(struct queue *q, const struct domain *d)
{
	struct rule_subject s = { .domain = domain_name(d) };

	return rules_match(q->rules, RULE_HOLD, SELECTS(SELECT_DOMAIN) | SELECTS(SELECT_ALL), &s,
			   NULL, 0);
}

static uint64_t total(const struct inspect_count *c)
{
	return c->ready + c->deferred + c->held + c->in_flight + c->routing;
}

static struct slice name_of(const struct domain *d, enum inspect_by by)
{
	const struct site *site = way_of(d)->site;

	if (by == INSPECT_DOMAIN)
		return domain_name(d);
	if (by == INSPECT_SITE)
		return slice_str(site ? site->name : "");
	return slice_str(site && site->provider ? site->provider->name : "");
}

static int count_domains(struct queue *q, enum inspect_by by, const struct ages *ages,
			 int (*each)(void *arg, const struct inspect_count *c), void *arg)
{
	int r = 0;

	for (uint32_t i = 0; i < q->domains.n && r >= 0; i++) {
		const struct domain *d = domain_at(&q->domains, i);
		if (!d || !d->live)
			continue;
		struct inspect_count c = {
			.name = name_of(d, by),
			.site = way_of(d)->site ? slice_str(way_of(d)->site->name) : SLICE(""),
			.code = d->code,
			.status = d->status,
			.reply = slice_of(d->reply, d->reply_n),
			.reply_ms = d->reply_ms,
			.oldest_ms = ages[i].oldest_ms,
			.next_ms = shown_ms(q, ages[i].next_s),
			.paused_until_ms = paused_until(q, d),
		};
		fill_states(&c, d->n, domain_is_held(q, d), ages[i].held);
		if (total(&c))
			r = each(arg, &c);
	}
	return MIN_OF(r, 0);
}

/* A tenant or campaign has few flows; the caller adds up those that it is given twice. */
static int count_flows(struct queue *q, enum inspect_by by, const struct ages *ages,
		       int (*each)(void *arg, const struct inspect_count *c), void *arg)
{
	int r = 0;

	for (uint32_t i = 0; i < q->flows.n && r >= 0; i++) {
		const struct flow *f = flow_at(&q->flows, i);
		if (!f || !f->live)
			continue;
		struct inspect_count c = {
			.name = by == INSPECT_POOL
				    ? slice_str(egress_pool_name(q->egress, f->to_pool))
				    : SLICE(""),
			.tenant = by == INSPECT_POOL ? 0 : f->tenant,
			.campaign = by == INSPECT_CAMPAIGN ? f->campaign : 0,
			.oldest_ms = ages[i].oldest_ms,
			.next_ms = shown_ms(q, ages[i].next_s),
		};
		fill_states(&c, f->n, f->held, ages[i].held);
		if (total(&c))
			r = each(arg, &c);
	}
	return MIN_OF(r, 0);
}

int inspect_counts(struct lane *l, enum inspect_by by,
		   int (*each)(void *arg, const struct inspect_count *c), void *arg)
{
	struct queue *q = queue_of(l);
	bool domains = by == INSPECT_DOMAIN || by == INSPECT_SITE || by == INSPECT_PROVIDER;
	OWNED_MEM struct ages *ages = collect_ages(q, domains);

	return domains ? count_domains(q, by, ages, each, arg)
		       : count_flows(q, by, ages, each, arg);
}

/* ---- recipients -------------------------------------------------------------------------- */

static const char *state_name(struct queue *q, const struct rcpt *r)
{
	static const char *const names[RCPT_STATES] = {
		[RCPT_ROUTING] = "routing",     [RCPT_READY] = "ready",
		[RCPT_DEFERRED] = "deferred",   [RCPT_HELD] = "held",
		[RCPT_IN_FLIGHT] = "in-flight",
	};

	return is_held(q, r) ? "held" : names[r->state];
}

static int give(struct queue *q, const struct rcpt *r,
		int (*each)(void *arg, const struct inspect_rcpt *r), void *arg)
{
	struct inspect_rcpt out = {
		.row = r->row,
		.state = state_name(q, r),
		.attempts = r->attempts,
		.next_ms = r->state == RCPT_DEFERRED ? queue_wall_ms(q, r->due_s) : 0,
		.expires_ms = queue_wall_ms(q, r->expires_s),
	};
	struct chunk *k;
	int rc;

	if (chunks_get(&q->chunks, r->job, &k) < 0)
		return 0;
	out.job = k->info.id;
	out.address = wire_rows_address(k->rows, r->row);
	out.accepted_ms = k->info.accepted_ms;
	out.tenant = k->info.tenant;
	out.campaign = k->info.campaign;
	rc = each(arg, &out);
	chunks_unref(&q->chunks, k);
	return rc;
}

int inspect_rcpts(struct lane *l, const struct selector *s, uint64_t *cursor, unsigned max,
		  int (*each)(void *arg, const struct inspect_rcpt *r), void *arg)
{
	struct walk w = walk_begin(l, s);
	uint32_t used = w.queue->slab.used;
	rcpt_ref end;
	int rc = 0;

	w.next = (rcpt_ref)MIN_OF(*cursor, (uint64_t)used);
	end = w.next + MIN_OF(used - w.next, (uint32_t)INSPECT_MAX);
	for (unsigned n = 0; n < max && w.next < end && rc >= 0 && !w.none; n++) {
		const struct rcpt *r = walk_next(&w, end - w.next);
		if (!r)
			break;
		rc = give(w.queue, r, each, arg);
	}
	*cursor = w.next;
	return rc < 0 ? rc : !w.none && w.next < used;
}

/* ---- orders ------------------------------------------------------------------------------ */

static void end_pauses(struct way *w)
{
	bool paused = w->site && w->site->backoff_until_ms;
	struct pool *p;

	way_retry(w);
	if (!w->site)
		return;
	if (paused)
		site_forgive_hosts(w->site);
	w->site->backoff_until_ms = 0;
	list_each(&w->site->pools, p, struct pool, link) {
		if (!paused && !p->paused_until_ms)
			continue;
		pool_end_pause(p);
		pool_pump_soon(p);
	}
}

uint64_t inspect_retry(struct lane *l, const struct selector *s)
{
	struct walk w = walk_begin(l, s);
	uint32_t now = queue_now_s(w.queue);
	uint64_t n = 0;
	struct rcpt *r;

	for (; (r = walk_next(&w, UINT32_MAX)) != NULL; n++) {
		end_pauses(way_of(queue_domain_of(w.queue, r)));
		if (r->state == RCPT_DEFERRED)
			r->due_s = now;
	}
	if (n)
		queue_wheel_again(w.queue);
	return n;
}

void inspect_flush_dns(struct lane *l)
{
	struct sites *s = sites_of(l);
	const struct table *domains = &queue_of(l)->domains;

	resolver_flush(s->resolver, (struct slice){ 0 });
	for (uint32_t i = 0; i < domains->n; i++)
		if (domains->by_index[i])
			way_of(domain_at(domains, i))->fresh_until_ms = 0;
}
