/* mta/site/steer_told.c - what sites say, and whom it concerns: the site, or its provider. */
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "mta/site/steer_int.h"

static void changed(struct pool *p)
{
	p->want = steer_want(p);
	p->congested = steer_troubled(p);
	pool_pump_soon(p);
}

static bool take_probe(struct steer *s, bool *ret)
{
	*ret = steer_probes(s) && slots_take(&s->probes, 1);
	return *ret || !steer_probes(s);
}

bool steer_take_probe(struct channel *ch)
{
	if (take_probe(steer_of(ch), &ch->probing) && take_probe(ch->kin, &ch->kin_probing))
		return true;
	steer_end_probe(ch);
	return false;
}

void steer_end_probe(struct channel *ch)
{
	if (ch->probing)
		slots_give(&ch->steer->probes);
	if (ch->kin_probing)
		slots_give(&ch->kin->probes);
	ch->probing = ch->kin_probing = false;
}

enum { TOGETHER_MAX = 1024 };

static bool is_pressed(const struct pool *p)
{
	return fair_ready(&p->fair) > p->n_channels;
}

/* Deliveries to count together: without trouble, and where nobody waits, nothing would follow. */
static unsigned due_at(const struct steer *s, const struct pool *p)
{
	if (!s || (!is_pressed(p) && !steer_is_held(s)))
		return TOGETHER_MAX;
	return atomic_load_explicit(&s->patience, memory_order_relaxed);
}

static unsigned due(const struct channel *ch)
{
	if (atomic_load_explicit(&ch->steer->spared, memory_order_relaxed))
		return 1;
	return MIN_OF(due_at(ch->steer, ch->pool), due_at(ch->kin, ch->pool));
}

void steer_delivered(struct channel *ch)
{
	struct pool *p = ch->pool;
	struct steer *s = steer_of(ch);
	struct adapt_bounds b;
	bool other, learned;
	unsigned n, window;

	if (!s || atomic_fetch_add_explicit(&s->good, 1, memory_order_relaxed) + 1 < due(ch))
		return;
	b = steer_bounds(p);
	pthread_mutex_lock(&s->lock);
	n = atomic_exchange(&s->good, 0);
	other = ch->probing || ch->kin_probing;
	atomic_store_explicit(&s->spared, 0, memory_order_relaxed);
	window = s->adapt.window;
	adapt_good(&s->adapt, &b, n, is_pressed(p), clock_mono_ms());
	learned = s->adapt.window != window;
	steer_publish(s, &b);
	pthread_mutex_unlock(&s->lock);
	if (learned)
		kin_met(ch->kin, s);
	if (ch->kin)
		kin_delivered(ch, n, is_pressed(p));
	other = other || learned;
	steer_end_probe(ch);
	if (other)
		changed(p);
}

static void answered(struct steer *s)
{
	if (!steer_is_held(s))
		return;
	pthread_mutex_lock(&s->lock);
	adapt_answered(&s->adapt, clock_mono_ms());
	steer_publish(s, NULL);
	pthread_mutex_unlock(&s->lock);
}

void steer_answered(struct channel *ch)
{
	answered(steer_of(ch));
	answered(ch->kin);
	if (ch->probing || ch->kin_probing) {
		steer_end_probe(ch);
		changed(ch->pool);
	}
}

/* With the lock. */
static void note_reply(struct steer *s, const struct steer_reply *r)
{
	char text[STEER_WHY_MAX];
	int n = r->code ? snprintf(text, sizeof(text), "%u ", r->code % 1000U) : 0;

	(void)snprintf(text + n, sizeof(text) - (size_t)n, "%.*s",
		       (int)MIN_OF(r->text.n, (size_t)STEER_WHY_MAX), r->text.p);
	free(s->why);
	s->why = must_copy(slice_str(text));
	s->trouble_ms = clock_wall_ms();
}

/* Those that were told the same time do not all come at once. */
static void spread(struct steer *s, int64_t now)
{
	s->adapt.closed_until_ms += random_jitter((s->adapt.closed_until_ms - now) / 10);
}

enum steer_how { HOW_KNOWN, HOW_TROUBLE, HOW_REFUSED, HOW_CROWDED, HOW_LATE };

/* Whom the trouble concerns: the site, or the provider. */
struct steer_place {
	struct steer *at;
	struct adapt_bounds bounds;
	const char *name;
	enum steer_how how;
	unsigned had; /* others that are open there */
};

static struct steer_place place_of(struct channel *ch, enum steer_how how, unsigned had)
{
	struct pool *p = ch->pool;
	unsigned there;

	enum kin_answer answer = kin_takes(ch);

	if (answer == KIN_NOT_OURS)
		return (struct steer_place){ steer_of(ch), steer_bounds(p), p->per_source->name,
					     how, had };
	there = (unsigned)MAX_OF(atomic_load(&ch->standing->connections) - 1, 0);
	if (how == HOW_REFUSED && there)
		how = HOW_CROWDED;
	return (struct steer_place){ ch->kin, kin_bounds(p), ch->scope->name,
				     answer == KIN_KNOWN ? HOW_KNOWN : how, there };
}

/* With the lock.  Before the first trouble there was no limit at a provider: it begins at what is
 * open. */
static void apply(struct steer_place *x, const struct steer_reply *r, int64_t now)
{
	struct adapt *a = &x->at->adapt;

	if (x->how == HOW_KNOWN)
		return;
	if (x->at->kin && a->threshold == UINT32_MAX)
		a->window = MIN_OF(a->window, MAX_OF(x->had + 1, x->bounds.floor));
	if (x->how == HOW_TROUBLE)
		(void)adapt_bad(a, &x->bounds, r->named_ms, now);
	else if (x->how == HOW_REFUSED)
		(void)adapt_refused(a, &x->bounds, r->named_ms, now);
	else
		adapt_crowded(a, &x->bounds, x->had, x->how == HOW_LATE, now);
}

static void note_wall(const struct channel *ch, const struct steer_place *x, const char *why)
{
	struct site_counters *n = &ch->pool->sites->counters;

	count_add(x->at->kin ? &n->provider_walls : &n->site_walls, 1);
	log_info("site.wall", kv_str("site", x->name), kv_str("source", ch->source_text),
		 kv_int("ms", atomic_load(&x->at->closed_until_ms) - clock_mono_ms()),
		 kv_int("per_hour", atomic_load(&x->at->rate) / 24), kv_str("reason", why));
}

static void trouble(struct channel *ch, enum steer_how how, unsigned had,
		    const struct steer_reply *r)
{
	int64_t now = clock_mono_ms();
	char why[STEER_WHY_MAX];
	bool was_closed, closed;
	struct steer_place x;
	struct steer *s;
	unsigned n;

	if (!steer_of(ch))
		return;
	x = place_of(ch, how, had);
	s = x.at;
	pthread_mutex_lock(&s->lock);
	was_closed = adapt_closed(&s->adapt, now);
	n = atomic_exchange(&s->good, 0);
	if (n && !was_closed)
		adapt_good(&s->adapt, &x.bounds, n, is_pressed(ch->pool), now);
	apply(&x, r, now);
	closed = adapt_closed(&s->adapt, now) && !was_closed;
	if (closed)
		spread(s, now);
	note_reply(s, r);
	slice_copy(why, sizeof(why), slice_str(s->why));
	steer_publish(s, &x.bounds);
	pthread_mutex_unlock(&s->lock);
	if (closed)
		note_wall(ch, &x, why);
	if (s == ch->steer)
		kin_met(ch->kin, s);
	else
		count_add(&ch->pool->sites->counters.provider_troubles, 1);
	steer_end_probe(ch);
	ch->told = true;
	changed(ch->pool);
}

void steer_trouble(struct channel *ch, const struct steer_reply *r)
{
	trouble(ch, HOW_TROUBLE, 0, r);
}

void steer_refused(struct channel *ch, const struct steer_reply *r)
{
	trouble(ch, HOW_REFUSED, 0, r);
}

void steer_crowded(struct channel *ch, unsigned had, const struct steer_reply *r)
{
	trouble(ch, HOW_CROWDED, had, r);
}

void steer_greeted_late(struct channel *ch, unsigned had, const struct steer_reply *r)
{
	trouble(ch, HOW_LATE, had, r);
}
