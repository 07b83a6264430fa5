/* mta/site/steer.c - sources at sites, steered: what lanes share of it, what it does to pools. */
#include "mta/site/steer.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "mta/site/seats.h"
#include "mta/site/steer_int.h"

/* ---- what is known ----------------------------------------------------------------------- */

static int64_t least_rate(int64_t a, int64_t b)
{
	return !a ? b : !b ? a : MIN_OF(a, b);
}

struct adapt_bounds steer_bounds(const struct pool *p)
{
	const int64_t *v = p->shape.v;
	unsigned sources = MAX_OF(p->turns.n, 1u);
	int64_t most = MIN_OF(v[SHAPE_CONNECTIONS], v[SHAPE_CONNECTIONS_PER_SOURCE]);

	return (struct adapt_bounds){
		.start = (unsigned)((v[SHAPE_CONNECTIONS_START] + sources - 1) / sources),
		.floor = (unsigned)MIN_OF(v[SHAPE_ADAPTIVE_FLOOR], most),
		.most = (unsigned)most,
		.rate_floor = v[SHAPE_ADAPTIVE_RATE],
		.rate_most = least_rate(v[SHAPE_RATE], v[SHAPE_PROVIDER_RATE]),
	};
}

struct steer *steer_free(struct steer *s)
{
	if (!s)
		return NULL;
	pthread_mutex_destroy(&s->lock);
	kin_free(s->kin);
	free(s->why);
	free(s);
	return NULL;
}

/* What adapt says now, for everybody. */
void steer_publish(struct steer *s, const struct adapt_bounds *b)
{
	const struct adapt *a = &s->adapt;
	bool holds_back = adapt_holds_back(a);

	if (holds_back && !s->since_ms)
		s->since_ms = clock_wall_ms();
	if (!holds_back)
		s->since_ms = 0;
	atomic_store(&s->window, a->window);
	atomic_store(&s->rate, a->rate);
	atomic_store(&s->closed_until_ms, a->closed_until_ms);
	atomic_store(&s->patience, b ? adapt_patience(a, b) : 1);
	atomic_store(&s->troubled, holds_back);
	s->changed_ms = clock_wall_ms();
	s->dirty = true;
}

/* Two threads may meet the source at the same time: the first one's counts. */
static struct steer *put(struct source_limits *e, struct steer *fresh)
{
	struct steer *none = NULL;

	if (atomic_compare_exchange_strong(&e->steer, &none, fresh))
		return fresh;
	(void)steer_free(fresh);
	return none;
}

static struct steer *blank(void)
{
	struct steer *s = must_alloc(sizeof(*s));

	pthread_mutex_init(&s->lock, NULL);
	return s;
}

enum { FADE_MS = 24 * 3600 * 1000 };

/* Nobody sent there for days: what was known then counts for less. */
static void fade(struct steer *s, const struct adapt_bounds *b)
{
	int64_t age;

	if (!atomic_load(&s->troubled))
		return;
	pthread_mutex_lock(&s->lock);
	age = clock_wall_ms() - s->changed_ms;
	if (age >= FADE_MS) {
		adapt_fade(&s->adapt, b, age, clock_mono_ms());
		steer_publish(s, b);
	}
	pthread_mutex_unlock(&s->lock);
}

struct steer *steer_get(struct source_limits *e, const struct adapt_bounds *b, struct steer *kin)
{
	struct steer *s = atomic_load(&e->steer);

	if (s) {
		fade(s, b);
		return s;
	}
	s = blank();
	adapt_begin(&s->adapt, b, clock_mono_ms());
	if (kin)
		kin_start(kin, b, &s->adapt);
	steer_publish(s, b);
	s->dirty = false;
	return put(e, s);
}

void steer_restore(struct source_limits *e, const struct adapt *a, struct slice why,
		   int64_t trouble_ms, int64_t since_ms)
{
	struct steer *s = blank();

	s->adapt = *a;
	s->trouble_ms = trouble_ms;
	s->since_ms = since_ms;
	if (why.n)
		s->why = must_copy(why);
	steer_publish(s, NULL);
	s->dirty = false;
	(void)put(e, s);
}

struct steer *steer_turn(struct pool *p, unsigned turn)
{
	struct turn *t = &p->turns.at[turn];
	struct adapt_bounds b;
	struct steer *kin;

	if (!p->shape.v[SHAPE_ADAPTIVE])
		return NULL;
	if (!t->known) {
		b = steer_bounds(p);
		kin = kin_turn(p, turn);
		t->known = steer_get(limits_source(p->per_source, &t->source->ip), &b, kin);
		if (steer_is_held(t->known))
			kin_met(kin, t->known); /* known from before a restart */
	}
	return t->known;
}

/* ---- what it allows ---------------------------------------------------------------------- */

bool steer_holds(const struct steer *s)
{
	return s &&
	       atomic_load_explicit(&s->closed_until_ms, memory_order_relaxed) > clock_mono_ms();
}

int64_t steer_left_ms(const struct steer *s)
{
	int64_t end = s ? atomic_load(&s->closed_until_ms) : 0;

	return MAX_OF(end - clock_mono_ms(), (int64_t)0);
}

bool steer_probes(const struct steer *s)
{
	int64_t end = s ? atomic_load_explicit(&s->closed_until_ms, memory_order_relaxed) : 0;

	return end && end <= clock_mono_ms();
}

bool steer_holds_channel(const struct channel *ch)
{
	return steer_holds(ch->steer) || steer_holds(ch->kin);
}

static unsigned window_of(const struct pool *p, const struct steer *s)
{
	unsigned window = atomic_load_explicit(&s->window, memory_order_relaxed);
	int64_t most =
	    MIN_OF(p->shape.v[SHAPE_CONNECTIONS], p->shape.v[SHAPE_CONNECTIONS_PER_SOURCE]);

	return (unsigned)MIN_OF((int64_t)window, most);
}

unsigned steer_want(struct pool *p)
{
	uint64_t sum = 0;

	if (!p->turns.at)
		return (unsigned)MIN_OF(p->shape.v[SHAPE_CONNECTIONS_START],
					p->shape.v[SHAPE_CONNECTIONS]);
	for (unsigned i = 0; i < p->turns.n; i++) {
		const struct steer *s = steer_turn(p, i), *kin = kin_turn(p, i);
		if (!s)
			return (unsigned)p->shape.v[SHAPE_CONNECTIONS];
		if (!steer_holds(s) && !steer_holds(kin))
			sum += steer_probes(s) || steer_probes(kin) ? 1 : window_of(p, s);
	}
	return (unsigned)MIN_OF(MAX_OF(sum, (uint64_t)1), (uint64_t)p->shape.v[SHAPE_CONNECTIONS]);
}

bool steer_troubled(struct pool *p)
{
	for (unsigned i = 0; i < p->turns.n; i++) {
		if (steer_is_held(steer_turn(p, i)) || steer_is_held(kin_turn(p, i)))
			return true;
	}
	return false;
}

int64_t steer_slots(struct pool *p, const struct steer *s, bool transactional)
{
	int64_t most = limits_slots(p->shape.v[SHAPE_CONNECTIONS_PER_SOURCE], transactional);
	int64_t window;

	if (!s)
		return most;
	window = window_of(p, s);
	if (transactional && !atomic_load_explicit(&s->troubled, memory_order_relaxed))
		window +=
		    limits_kept(p->shape.v[SHAPE_CONNECTIONS], p->shape.v[SHAPE_CONNECTIONS_KEPT]);
	return MIN_OF(most, window);
}

static int64_t pace_wait_us(struct steer *s)
{
	int64_t rate = s ? atomic_load_explicit(&s->rate, memory_order_relaxed) : 0;

	return rate ? limits_wait(&s->pace, rate, clock_mono_us()) : 0;
}

/* Sites that wait for the pace of all of them do not all come at once. */
static int64_t kin_wait_us(struct steer *kin)
{
	int64_t wait = pace_wait_us(kin);

	return wait ? wait + random_jitter(limits_step(atomic_load(&kin->rate))) : 0;
}

int64_t steer_wait_us(struct pool *p)
{
	int64_t least = p->turns.at && p->shape.v[SHAPE_ADAPTIVE] ? INT64_MAX : 0;

	for (unsigned i = 0; i < p->turns.n && least; i++)
		least = MIN_OF(least,
			       MAX_OF(pace_wait_us(steer_turn(p, i)), kin_wait_us(kin_turn(p, i))));
	return least == INT64_MAX ? 0 : least;
}

bool steer_may_send(struct channel *ch)
{
	struct pool *p = ch->pool;
	struct steer *s = steer_of(ch);
	int64_t wait = s ? MAX_OF(pace_wait_us(s), kin_wait_us(ch->kin)) : 0;

	if (!wait)
		return true;
	if (ch->turn != TURN_NONE && p->turns.n > 1)
		turns_pass_over(&p->turns, ch->turn);
	if (fair_ready(&p->fair) && !timer_running(&p->turn_timer))
		timer_set(p->sites->loop->timers, &p->turn_timer, wait / 1000 + 1);
	return false;
}

static void spend(struct steer *s)
{
	int64_t rate = s ? atomic_load_explicit(&s->rate, memory_order_relaxed) : 0;

	if (rate)
		limits_spend(&s->pace, rate, 1, clock_mono_us());
}

void steer_sent(struct channel *ch)
{
	spend(steer_of(ch));
	spend(ch->kin);
}

/* ---- what an operator sees and says ------------------------------------------------------ */

bool steer_fact(const struct source_limits *e, struct steer_fact *ret)
{
	struct steer *s = atomic_load(&((struct source_limits *)(uintptr_t)e)->steer);
	int64_t now = clock_mono_ms();

	if (!s)
		return false;
	pthread_mutex_lock(&s->lock);
	*ret = (struct steer_fact){
		.window = s->adapt.window,
		.connections = (unsigned)MAX_OF(atomic_load(&e->connections), 0),
		.rate = s->adapt.rate,
		.since_ms = s->since_ms,
		.trouble_ms = s->trouble_ms,
		.holds_back = adapt_holds_back(&s->adapt),
	};
	if (adapt_closed(&s->adapt, now))
		ret->closed_until_ms = clock_wall_ms() + s->adapt.closed_until_ms - now;
	slice_copy(ret->why, sizeof(ret->why), slice_str(s->why ? s->why : ""));
	pthread_mutex_unlock(&s->lock);
	return true;
}

struct forgetting {
	struct slice site;
	const struct ip *source;
	unsigned n;
};

static void forget_one(void *arg, struct site_limits *site, struct source_limits *e)
{
	const struct adapt_bounds b = { .start = 2, .floor = 1, .most = 100000, .rate_floor = 1 };
	struct steer *s = atomic_load(&e->steer);
	struct forgetting *f = arg;

	if (!s || !atomic_load(&s->troubled) || (f->source && !ip_eq(f->source, &e->ip)) ||
	    (!slice_eq(f->site, SLICE("all")) && !slice_eq(f->site, slice_str(site->name))))
		return;
	pthread_mutex_lock(&s->lock);
	adapt_begin(&s->adapt, &b, clock_mono_ms());
	steer_publish(s, NULL);
	pthread_mutex_unlock(&s->lock);
	f->n++;
}

unsigned steer_forget(struct limits *l, struct slice site, const struct ip *source)
{
	struct forgetting f = { site, source, 0 };

	limits_each_source(l, forget_one, &f);
	limits_resumed(l);
	return f.n;
}
