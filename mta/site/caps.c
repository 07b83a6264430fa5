/* mta/site/caps.c - who may go under a cap, and when the others may. */
#include "mta/site/caps.h"

#include "base/clock.h"
#include "mta/queue/about.h"
#include "mta/site/limits.h"
#include "mta/site/way.h"

enum { SEAT_LOOK_US = 20 * 1000 };

static unsigned find(const struct pool *p, const struct rcpt *r, struct rule_cap **ret)
{
	struct queue *q = p->sites->queue;
	struct about a;
	unsigned n;

	about_rcpt(&a, q, r, rules_keys(q->rules, RULE_CAP));
	about_pool(&a, egress_pool_name(p->sites->egress, p->index));
	n = rules_caps(q->rules, &a.s, ret);
	about_end(&a);
	return n;
}

/* 0: a message may go now by the rate; else microseconds to wait. */
static int64_t rate_wait(struct rule_cap *cap, int64_t now_us)
{
	return limits_wait(&cap->pace, atomic_load(&cap->per_day), now_us);
}

/* A place, if it has a limit of them. */
static bool sit(struct rule_cap *cap)
{
	int64_t most = atomic_load(&cap->connections);

	return slots_take(&cap->in_hand, most ? most : INT32_MAX);
}

void caps_leave(struct caps_seat *seat)
{
	while (seat->n)
		slots_give(&seat->at[--seat->n]->in_hand);
}

static int64_t take_all(struct caps_seat *seat, struct rule_cap *const *caps, unsigned n,
			int64_t now_us)
{
	int64_t wait = 0;

	for (unsigned i = 0; i < n; i++)
		wait = MAX_OF(wait, rate_wait(caps[i], now_us));
	for (unsigned i = 0; i < n && !wait; i++) {
		if (sit(caps[i]))
			seat->at[seat->n++] = caps[i];
		else
			wait = SEAT_LOOK_US;
	}
	if (wait)
		caps_leave(seat);
	return wait;
}

static void set_timer(struct pool *p, int64_t until_us, int64_t now_us)
{
	timer_set(p->sites->loop->timers, &p->cap_timer,
		  MAX_OF(until_us - now_us, (int64_t)0) / 1000 + 1);
}

bool caps_take(struct pool *p, rcpt_ref ref, struct caps_seat *ret)
{
	struct queue *q = p->sites->queue;
	const struct rcpt *r = queue_rcpt(q, ref);
	struct rule_cap *caps[RULE_CAPS_MAX];
	int64_t now_us, wait;
	unsigned n;

	ret->n = 0;
	if (!rules_keys(q->rules, RULE_CAP))
		return true;
	n = find(p, r, caps);
	now_us = clock_mono_us();
	wait = take_all(ret, caps, n, now_us);
	if (!wait)
		return true;
	pool_push(p, ref, true);
	fair_cap(&p->fair, queue_flow_of(q, r), now_us + wait);
	set_timer(p, MIN_OF(fair_uncap(&p->fair, now_us), now_us + wait), now_us);
	return false;
}

void caps_sent(const struct caps_seat *seat)
{
	int64_t now_us = seat->n ? clock_mono_us() : 0;

	for (unsigned i = 0; i < seat->n; i++)
		limits_spend(&seat->at[i]->pace, atomic_load(&seat->at[i]->per_day), 1, now_us);
}

static void on_timer(struct timer *t)
{
	struct pool *p = container_of(t, struct pool, cap_timer);
	int64_t now_us = clock_mono_us(), first = fair_uncap(&p->fair, now_us);

	if (first)
		set_timer(p, first, now_us);
	pool_pump_soon(p);
}

void caps_init(struct pool *p)
{
	timer_init(&p->cap_timer, on_timer);
}

void caps_end(struct pool *p)
{
	timer_stop(p->sites->loop->timers, &p->cap_timer);
}
