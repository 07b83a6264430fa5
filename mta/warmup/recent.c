/* mta/warmup/recent.c - who left from which new source lately, so that what comes back as mail
 * counts where it left.
 *
 * A table of fixed size in which the newest stay: RECENT_WAYS places for each recipient, of which
 * the one that was written first is written over.  At the engine's start those who left
 * before are read from the log (mta/deliver/recall.h). */
#include "base/hash.h"
#include "mta/warmup/inside.h"

enum { RECENT_BITS = 16, RECENT_SIZE = 1 << RECENT_BITS, RECENT_WAYS = 4 };

struct recent_place {
	uint64_t who; /* 0: free */
	struct warmup_pair *pair;
	uint32_t seq;
	uint8_t told; /* kinds of facts that came already */
};
struct warmup_recent {
	pthread_mutex_t lock;
	uint32_t seq;
	struct recent_place at[RECENT_SIZE];
};

static uint64_t who_is(struct id128 job, uint32_t row)
{
	return hash_mix(job.hi ^ hash_mix(job.lo ^ hash_mix(row))) | 1;
}

static struct recent_place *places_of(struct warmup_recent *r, uint64_t who)
{
	return &r->at[(who >> 8) & (RECENT_SIZE - RECENT_WAYS)];
}

static struct recent_place *find(struct warmup_recent *r, uint64_t who)
{
	struct recent_place *p = places_of(r, who);

	for (unsigned i = 0; i < RECENT_WAYS; i++)
		if (p[i].who == who)
			return &p[i];
	return NULL;
}

static struct recent_place *oldest(struct warmup_recent *r, uint64_t who)
{
	struct recent_place *p = places_of(r, who), *found = p;

	for (unsigned i = 0; i < RECENT_WAYS; i++) {
		if (!p[i].who)
			return &p[i];
		if (r->seq - p[i].seq > r->seq - found->seq)
			found = &p[i];
	}
	return found;
}

static struct warmup_recent *recent_of(struct warmup *w)
{
	struct warmup_recent *r, *none = NULL;

	r = atomic_load(&w->recent);
	if (r)
		return r;
	r = must_alloc(sizeof(*r));
	pthread_mutex_init(&r->lock, NULL);
	if (atomic_compare_exchange_strong(&w->recent, &none, r))
		return r;
	pthread_mutex_destroy(&r->lock);
	free(r);
	return none;
}

void recent_note(struct warmup *w, struct warmup_pair *pair, struct id128 job, uint32_t row)
{
	struct warmup_recent *r = recent_of(w);
	uint64_t who = who_is(job, row);
	struct recent_place *p;

	pthread_mutex_lock(&r->lock);
	p = find(r, who);
	if (!p)
		p = oldest(r, who);
	*p = (struct recent_place){ who, pair, r->seq++, 0 };
	pthread_mutex_unlock(&r->lock);
}

static int result_of(const struct late_fact *f)
{
	if (f->again)
		return -1;
	if (f->kind == LATE_COMPLAINT)
		return WARMUP_COMPLAINED;
	return f->kind == LATE_DSN ? WARMUP_RETURNED : -1;
}

/* A recipient complains once, and bounces once. */
static void take(struct warmup_recent *r, const struct late_fact *f, enum warmup_result what)
{
	struct recent_place *p = find(r, who_is(f->job, f->row));
	uint8_t bit = (uint8_t)(1U << what);

	if (!p || (p->told & bit))
		return;
	p->told |= bit;
	atomic_fetch_add(&p->pair->n[what], 1);
	atomic_store(&p->pair->wanted, true);
}

void warmup_returned(struct warmup *w, const struct late_fact *facts, unsigned n)
{
	struct warmup_recent *r = w ? atomic_load(&w->recent) : NULL;

	if (!r)
		return;
	pthread_mutex_lock(&r->lock);
	for (unsigned i = 0; i < n; i++) {
		int what = result_of(&facts[i]);
		if (what >= 0 && (facts[i].job.hi || facts[i].job.lo))
			take(r, &facts[i], (enum warmup_result)what);
	}
	pthread_mutex_unlock(&r->lock);
}

void recent_end(struct warmup *w)
{
	struct warmup_recent *r = atomic_load(&w->recent);

	if (!r)
		return;
	pthread_mutex_destroy(&r->lock);
	free(r);
}
