/* mta/site/own.c - limits of single sources, and how much of them is used. */
#include "mta/site/own.h"

#include "base/clock.h"
#include "mta/shape/part.h"
#include "mta/site/shaping.h"

enum { OWN_AT_SITE, OWN_AT_PROVIDER, OWN_PLACES };

struct own_limit {
	struct source_limits *at; /* NULL: no such limit */
	struct site_limits *where;
	int64_t value;
	uint16_t from;
};
struct own {
	struct list link; /* the pool's */
	struct ip ip;
	struct own_limit connections[OWN_PLACES], messages[OWN_PLACES], bytes[OWN_PLACES];
	bool any;
};

static struct own_limit limit(const struct pool *p, const struct ip *source,
			      const struct shape *shape, enum shape_key key, bool provider)
{
	struct own_limit l = { .value = shape->v[key], .from = shape->from[key] };

	l.where = l.value ? shaping_counted_at(p, l.from, provider) : NULL;
	l.at = l.where ? limits_source(l.where, source) : NULL;
	return l;
}

static void begin_rates(struct own *o)
{
	int64_t now_us = clock_mono_us();

	for (unsigned i = 0; i < OWN_PLACES; i++) {
		if (o->messages[i].at)
			limits_rate_set(&o->messages[i].at->messages, o->messages[i].value, now_us);
		if (o->bytes[i].at)
			limits_rate_set(&o->bytes[i].at->bytes, o->bytes[i].value, now_us);
		o->any = o->any || o->connections[i].at || o->messages[i].at || o->bytes[i].at;
	}
}

static struct own *resolve(struct pool *p, const struct ip *source)
{
	static const enum shape_key keys[OWN_PLACES][3] = {
		[OWN_AT_SITE] = { SHAPE_CONNECTIONS, SHAPE_RATE, SHAPE_BYTES },
		[OWN_AT_PROVIDER] = { SHAPE_PROVIDER_CONNECTIONS, SHAPE_PROVIDER_RATE,
				      SHAPE_PROVIDER_BYTES },
	};
	struct own *o = must_alloc(sizeof(*o));
	struct shape shape;

	shaping_limits(p, 0, source, &shape);
	o->ip = *source;
	for (unsigned i = 0; i < OWN_PLACES; i++) {
		bool provider = i == OWN_AT_PROVIDER;
		o->connections[i] = limit(p, source, &shape, keys[i][0], provider);
		o->messages[i] = limit(p, source, &shape, keys[i][1], provider);
		o->bytes[i] = limit(p, source, &shape, keys[i][2], provider);
	}
	begin_rates(o);
	list_push(&p->owns, &o->link);
	return o;
}

struct own *own_of(struct pool *p, const struct ip *source)
{
	struct own *o, *found = NULL;

	if (!(shapes_asks(shape_set(p->sites->lane)) & SHAPE_ASKS_SOURCE))
		return NULL;
	list_each(&p->owns, o, struct own, link)
		if (ip_eq(&o->ip, source))
			found = o;
	if (!found)
		found = resolve(p, source);
	return found->any ? found : NULL;
}

void own_forget(struct pool *p)
{
	struct list *l;

	while ((l = list_pop(&p->owns)) != NULL)
		free(container_of(l, struct own, link));
}

/* ---- connections ------------------------------------------------------------------------- */

void own_rise(struct channel *ch)
{
	for (unsigned i = 0; i < OWN_PLACES; i++)
		if (ch->own_seat.at[i])
			slots_give(&ch->own_seat.at[i]->own);
	ch->own_seat = (struct own_seat){ 0 };
}

bool own_sit(struct channel *ch)
{
	for (unsigned i = 0; ch->own && i < OWN_PLACES; i++) {
		const struct own_limit *l = &ch->own->connections[i];
		if (l->at && !slots_take(&l->at->own, l->value)) {
			own_rise(ch);
			return false;
		}
		ch->own_seat.at[i] = l->at;
	}
	return true;
}

void own_count_leaving(const struct channel *ch, int n)
{
	for (unsigned i = 0; i < OWN_PLACES; i++)
		if (ch->own_seat.at[i])
			atomic_fetch_add(&ch->own_seat.at[i]->own_leaving, n);
}

bool own_has_too_many(const struct channel *ch)
{
	for (unsigned i = 0; ch->own && i < OWN_PLACES; i++) {
		const struct own_limit *l = &ch->own->connections[i];
		if (l->at && ch->own_seat.at[i] == l->at &&
		    atomic_load(&l->at->own) - atomic_load(&l->at->own_leaving) > l->value)
			return true;
	}
	return false;
}

/* ---- rates ------------------------------------------------------------------------------- */

static int64_t wait_us(const struct own *o, int64_t now_us)
{
	int64_t wait = 0;

	for (unsigned i = 0; o && i < OWN_PLACES; i++) {
		const struct own_limit *m = &o->messages[i], *b = &o->bytes[i];
		if (m->at)
			wait = MAX_OF(wait, limits_wait(&m->at->messages.pace, m->value, now_us));
		if (b->at)
			wait = MAX_OF(wait, limits_wait(&b->at->bytes.pace, b->value, now_us));
	}
	return wait;
}

bool own_may_open(struct pool *p, const struct ip *source)
{
	const struct own *o = own_of(p, source);
	bool full = false;

	for (unsigned i = 0; o && i < OWN_PLACES; i++)
		full = full || (o->connections[i].at &&
				atomic_load(&o->connections[i].at->own) >= o->connections[i].value);
	return !full && wait_us(o, clock_mono_us()) == 0;
}

bool own_may_send(struct channel *ch)
{
	struct pool *p = ch->pool;
	int64_t wait = ch->own ? wait_us(ch->own, clock_mono_us()) : 0;

	if (!wait)
		return true;
	if (ch->turn != TURN_NONE && p->turns.n > 1)
		turns_pass_over(&p->turns, ch->turn);
	if (fair_ready(&p->fair) && !timer_running(&p->turn_timer))
		timer_set(p->sites->loop->timers, &p->turn_timer, wait / 1000 + 1);
	return false;
}

void own_sent(const struct channel *ch, size_t bytes)
{
	const struct own *o = ch->own;
	int64_t now_us = o ? clock_mono_us() : 0;

	for (unsigned i = 0; o && i < OWN_PLACES; i++) {
		if (o->messages[i].at)
			limits_spend(&o->messages[i].at->messages.pace, o->messages[i].value, 1,
				     now_us);
		if (o->bytes[i].at)
			limits_spend(&o->bytes[i].at->bytes.pace, o->bytes[i].value, (int64_t)bytes,
				     now_us);
	}
}

/* ---- for those who ask ------------------------------------------------------------------- */

static void note_wait(struct own_fact *f, const struct own_limit *l, struct limits_rate *r)
{
	int64_t wait = limits_wait(&r->pace, l->value, clock_mono_us());

	if (wait <= f->wait_us)
		return;
	*f = (struct own_fact){ .wait_us = wait, .where = l->where, .from = l->from };
}

bool own_fact(const struct pool *p, const struct ip *source, struct own_fact *ret)
{
	const struct own *o = own_of((struct pool *)(uintptr_t)p, source); /* it may look it up */

	*ret = (struct own_fact){ 0 };
	for (unsigned i = 0; o && i < OWN_PLACES; i++) {
		const struct own_limit *c = &o->connections[i];
		if (o->messages[i].at)
			note_wait(ret, &o->messages[i], &o->messages[i].at->messages);
		if (o->bytes[i].at)
			note_wait(ret, &o->bytes[i], &o->bytes[i].at->bytes);
		if (!ret->wait_us && c->at && atomic_load(&c->at->own) >= c->value)
			*ret = (struct own_fact){ .connections = c->value,
						  .where = c->where,
						  .from = c->from };
	}
	return ret->where != NULL;
}
