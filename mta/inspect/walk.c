/* mta/inspect/walk.c - walking the slab, the cheap questions first. */
#include "mta/inspect/walk.h"

#include "base/hash.h"
#include "mta/queue/about.h"
#include "mta/site/way.h"

/* What a slice may cost at most, whatever the clock says.  To read a job is as dear as a look at
 * thousands of recipients. */
enum { LOOK_EVERY = 32, LOOKS_MAX = 16384, READS_MAX = 4, MEMO = 1024 };
enum { UNKNOWN, NO, YES };

/* Held or not, of a flow in a domain. */
struct memo {
	uint32_t flow, domain;
	uint8_t answer;
};
struct walk {
	struct queue *queue;
	struct selector selector;
	rcpt_ref next; /* to be looked at */
	bool ended;
	/* Valid during a slice: flows and domains come and go. */
	uint8_t *flows, *domains;
	uint32_t n_flows, n_domains, cap_flows, cap_domains;
	uint8_t *seen; /* domains that walk_is_first() was asked about */
	uint32_t cap_seen;
	job_no job;  /* of job/ and rcpt/ */
	bool nobody; /* nothing can match */
	unsigned flow_keys, place_keys, domain_keys, rcpt_keys;
	unsigned hop_keys;      /* when smart hosts carry some of a domain's mail */
	unsigned pool_keys;     /* of the rcpt_keys: when orders move some of a flow */
	int64_t from_ms, to_ms; /* accepted between these, by age */
	/* The job looked at last. */
	job_no known;
	bool is_known;
	struct job_info info;
	job_no read; /* whose rows were read last */
	unsigned reads;
	struct memo memo[MEMO], hops[MEMO];
};

struct walk *walk_new(struct lane *l, const struct selector *s)
{
	struct walk *w = must_alloc(sizeof(*w));

	w->queue = queue_of(l);
	w->selector = *s;
	return w;
}

struct walk *walk_free(struct walk *w)
{
	if (w) {
		free(w->flows);
		free(w->domains);
		free(w->seen);
	}
	free(w);
	return NULL;
}

struct queue *walk_queue(const struct walk *w)
{
	return w->queue;
}

/* ---- one slice --------------------------------------------------------------------------- */

static void clear(uint8_t **at, uint32_t *cap, uint32_t n)
{
	if (n > *cap) {
		*at = must_resize(*at, n);
		*cap = n;
	}
	if (n)
		memset(*at, UNKNOWN, n);
}

/* Who decides which of the keys. */
static void divide_keys(struct walk *w)
{
	const unsigned pool = SELECTS(SELECT_POOL) | SELECTS(SELECT_SOURCE);
	bool finely = queue_moves_finely(w->queue);

	w->flow_keys = SELECTS_FLOW | (finely ? 0 : pool);
	w->hop_keys = way_differs(w->queue) ? SELECTS(SELECT_SITE) | SELECTS(SELECT_PROVIDER) : 0;
	w->place_keys = (SELECTS_PLACE | SELECTS(SELECT_REPLY)) & ~w->hop_keys;
	w->domain_keys = w->place_keys | SELECTS(SELECT_RECIPIENT); /* an address has a domain */
	w->pool_keys = finely ? pool : 0;
	w->rcpt_keys = SELECTS(SELECT_ATTEMPTS) | SELECTS(SELECT_CLASS) | w->pool_keys;
}

static void find_job(struct walk *w)
{
	const struct selector_term *t = selector_find(&w->selector, SELECT_JOB);

	w->nobody = false;
	if (!t)
		t = selector_find(&w->selector, SELECT_RCPT);
	if (t)
		w->nobody = spool_find_job(w->queue->spool, t->job, &w->job) < 0;
}

/* An address is of one domain: the others need no look. */
static void find_domain(struct walk *w)
{
	const struct selector_term *t = selector_find(&w->selector, SELECT_RECIPIENT);
	struct slice local, name;
	const struct domain *d;

	if (!t || !slice_cut_last(t->text, '@', &local, &name))
		return;
	d = queue_find_domain(w->queue, name);
	if (w->n_domains)
		memset(w->domains, NO, w->n_domains);
	if (d)
		w->domains[d->index] = UNKNOWN;
	w->nobody = w->nobody || !d;
}

/* What age< and age> say of the time of acceptance. */
static void find_ages(struct walk *w)
{
	int64_t now = clock_wall_ms();

	w->from_ms = INT64_MIN;
	w->to_ms = INT64_MAX;
	for (unsigned i = 0; i < w->selector.n; i++) {
		const struct selector_term *t = &w->selector.terms[i];
		if (t->key == SELECT_AGE && t->sign == '<')
			w->from_ms = now - (int64_t)t->number + 1;
		else if (t->key == SELECT_AGE)
			w->to_ms = now - (int64_t)t->number - 1;
	}
}

static void begin_slice(struct walk *w)
{
	w->n_flows = w->queue->flows.n;
	w->n_domains = w->queue->domains.n;
	clear(&w->flows, &w->cap_flows, w->n_flows);
	clear(&w->domains, &w->cap_domains, w->n_domains);
	w->is_known = false;
	w->reads = 0;
	memset(w->memo, 0, sizeof(w->memo));
	memset(w->hops, 0, sizeof(w->hops));
	divide_keys(w);
	find_job(w);
	find_domain(w);
	find_ages(w);
}

static bool holds(const struct walk *w, unsigned keys, const struct about *a)
{
	return selector_holds(&w->selector, keys, &a->s) == SELECTS_YES;
}

static bool flow_fits(struct walk *w, uint32_t flow)
{
	struct about a;

	if (w->flows[flow] == UNKNOWN) {
		about_flow(&a, w->queue, flow_at(&w->queue->flows, flow));
		w->flows[flow] = holds(w, w->flow_keys, &a) ? YES : NO;
	}
	return w->flows[flow] == YES;
}

static bool place_fits(struct walk *w, uint32_t domain)
{
	struct about a;

	if (w->domains[domain] == UNKNOWN) {
		about_domain(&a, w->queue, domain_at(&w->queue->domains, domain), NULL);
		w->domains[domain] = holds(w, w->place_keys, &a) ? YES : NO;
	}
	return w->domains[domain] == YES;
}

static bool is_of_job(const struct walk *w, const struct rcpt *r)
{
	const struct selector_term *t;

	if (!(w->selector.keys & (SELECTS(SELECT_JOB) | SELECTS(SELECT_RCPT))))
		return true;
	t = selector_find(&w->selector, SELECT_RCPT);
	return r->job == w->job && (!t || r->row == t->row);
}

static const struct job_info *job_of(struct walk *w, const struct rcpt *r)
{
	if (!w->is_known || w->known != r->job)
		w->is_known = spool_job_info(w->queue->spool, r->job, &w->info) == 0;
	w->known = r->job;
	return w->is_known ? &w->info : NULL;
}

int64_t walk_accepted_ms(struct walk *w, const struct rcpt *r)
{
	const struct job_info *info = job_of(w, r);

	return info ? info->accepted_ms : 0;
}

void walk_reads(struct walk *w, const struct rcpt *r)
{
	w->reads += !w->reads || w->read != r->job; /* those of the same job stand together */
	w->read = r->job;
}

bool walk_is_first(struct walk *w, uint32_t domain)
{
	bool first;

	if (domain >= w->cap_seen) {
		uint32_t cap = MAX_OF(w->n_domains, domain + 1);
		w->seen = must_resize(w->seen, cap);
		memset(w->seen + w->cap_seen, 0, cap - w->cap_seen);
		w->cap_seen = cap;
	}
	first = !w->seen[domain];
	w->seen[domain] = 1;
	return first;
}

/* By what stands in the recipient itself, and the pool that an order gives to some of a flow. */
static bool rcpt_fits(const struct walk *w, const struct rcpt *r)
{
	struct about a;

	for (unsigned i = 0; i < w->selector.n; i++) {
		const struct selector_term *t = &w->selector.terms[i];
		if (t->key == SELECT_CLASS && t->number + 1 != r->class)
			return false;
		if (t->key == SELECT_ATTEMPTS && (t->sign == '<'   ? r->attempts >= t->number
						  : t->sign == '>' ? r->attempts <= t->number
								   : r->attempts != t->number))
			return false;
	}
	if (!(w->pool_keys & w->selector.keys))
		return true;
	a = (struct about){ .queue = w->queue };
	about_pool(&a, egress_pool_name(w->queue->egress, queue_pool_of(w->queue, r)));
	return holds(w, w->pool_keys, &a);
}

static bool age_fits(struct walk *w, const struct rcpt *r)
{
	const struct job_info *info = job_of(w, r);

	return info && info->accepted_ms >= w->from_ms && info->accepted_ms <= w->to_ms;
}

static bool rows_fit(struct walk *w, const struct rcpt *r)
{
	struct about a;
	bool fit;

	walk_reads(w, r);
	about_rcpt(&a, w->queue, r, SELECTS_ROWS);
	fit = holds(w, SELECTS_ROWS, &a);
	about_end(&a);
	return fit;
}

static bool rest_fits(struct walk *w, const struct rcpt *r)
{
	const unsigned keys = w->selector.keys;

	return (!(keys & w->rcpt_keys) || rcpt_fits(w, r)) &&
	       (!(keys & SELECTS(SELECT_AGE)) || age_fits(w, r)) &&
	       (!(keys & SELECTS_ROWS) || rows_fit(w, r));
}

static struct memo *memo_of(struct memo *all, const struct rcpt *r)
{
	struct memo *m = &all[hash_mix((uint64_t)r->flow << 32 | r->domain) % MEMO];

	if (m->flow != r->flow || m->domain != r->domain)
		*m = (struct memo){ r->flow, r->domain, UNKNOWN };
	return m;
}

/* Where the mail of this flow to this domain really goes. */
static bool hop_fits(struct walk *w, const struct rcpt *r)
{
	struct memo *m = memo_of(w->hops, r);
	struct about a;

	if (m->answer == UNKNOWN) {
		about_domain(&a, w->queue, queue_domain_of(w->queue, r),
			     queue_flow_of(w->queue, r));
		m->answer = holds(w, w->hop_keys, &a) ? YES : NO;
	}
	return m->answer == YES;
}

static bool matches(struct walk *w, const struct rcpt *r)
{
	if (r->state == RCPT_FREE || r->state == RCPT_DEAD)
		return false;
	return (!(w->selector.keys & w->flow_keys) || flow_fits(w, r->flow)) &&
	       (!(w->selector.keys & w->domain_keys) || place_fits(w, r->domain)) &&
	       (!(w->selector.keys & w->hop_keys) || hop_fits(w, r)) && is_of_job(w, r) &&
	       rest_fits(w, r);
}

bool walk_go(struct walk *w, int64_t slice_us, bool (*each)(void *arg, rcpt_ref ref), void *arg)
{
	const struct slab *slab = &w->queue->slab;
	int64_t end_us = clock_mono_us() + slice_us;
	unsigned looks = 0;

	begin_slice(w);
	/* Flows and domains begin only when the lane does something else. */
	while (!w->ended && !w->nobody && w->next < slab->used && looks < LOOKS_MAX &&
	       w->reads < READS_MAX) {
		rcpt_ref ref = w->next++;
		if (matches(w, rcpt_at(slab, ref)) && !each(arg, ref))
			w->ended = true;
		if (++looks % LOOK_EVERY == 0 && clock_mono_us() >= end_us)
			break;
	}
	queue_looked(w->queue, looks);
	return !w->ended && !w->nobody && w->next < slab->used;
}

/* ---- held -------------------------------------------------------------------------------- */

static bool ask_held(struct walk *w, const struct rcpt *r, unsigned keys)
{
	struct queue *q = w->queue;
	struct about a;
	bool held;

	if (keys & SELECTS_ROWS)
		walk_reads(w, r);
	about_rcpt(&a, q, r, keys);
	held = rules_hold(q->rules, &a.s, NULL);
	about_end(&a);
	return held;
}

bool walk_is_held(struct walk *w, const struct rcpt *r)
{
	struct queue *q = w->queue;
	unsigned keys = rules_keys(q->rules, RULE_HOLD);
	struct memo *m;

	if (r->state == RCPT_IN_FLIGHT || !keys)
		return false;
	if (queue_flow_of(q, r)->held)
		return true;
	if (keys & ~(RULES_ANY | SELECTS_FLOW | SELECTS_PLACE))
		return ask_held(w, r, keys);
	m = memo_of(w->memo, r);
	if (m->answer == UNKNOWN)
		m->answer = ask_held(w, r, keys) ? YES : NO;
	return m->answer == YES;
}

int64_t walk_wall_ms(const struct queue *q, int64_t mono_ms)
{
	return mono_ms - timers_now(q->loop->timers) + clock_wall_ms();
}
