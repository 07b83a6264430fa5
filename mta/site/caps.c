/* mta/site/caps.c - who may go under a cap, on which connections, and when the others may. */
#include "mta/site/caps.h"

#include "base/clock.h"
#include "mta/queue/about.h"
#include "mta/site/channel.h"
#include "mta/site/limits.h"
#include "mta/site/way.h"

enum { LOOK_US = 20 * 1000, OPEN_LOOKS_MAX = 64 };
/* A connection gives its seat up after this long; whoever wanted it this long ago still does; and
 * he has this long to take it. */
enum { TURN_MS = 1000, WANTED_MS = 1000, YIELD_MS = 100 };

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

/* The time until a message may go by the rates. */
static int64_t rates_wait(struct rule_cap *const *caps, unsigned n, int64_t now_us)
{
	int64_t wait = 0;

	for (unsigned i = 0; i < n; i++)
		wait = MAX_OF(wait,
			      limits_wait(&caps[i]->pace, atomic_load(&caps[i]->per_day), now_us));
	return wait;
}

/* ---- the seats of a connection ----------------------------------------------------------- */

static struct caps_held *held(struct caps_hold *h, const struct rule_cap *cap)
{
	for (unsigned i = 0; i < h->n; i++)
		if (h->at[i].cap == cap)
			return &h->at[i];
	return NULL;
}

static void give(struct caps_hold *h, struct caps_held *x)
{
	slots_give(&x->cap->connections_open);
	*x = h->at[--h->n];
}

/* Those that it no longer needs. */
static void give_idle(struct caps_hold *h)
{
	unsigned before = h->n;

	for (unsigned i = h->n; i-- > 0;)
		if (!h->at[i].in_hand && !h->at[i].latest)
			give(h, &h->at[i]);
	if (h->n < before)
		pool_pump_soon(h->pool);
}

/* Since it has the seat. */
static bool is_wanted(const struct caps_hold *h, const struct rule_cap *cap, int64_t now_ms)
{
	int64_t wanted = atomic_load(&cap->wanted_ms);

	return wanted && wanted >= h->since_ms && now_ms - wanted < WANTED_MS;
}

void caps_hold_end(struct caps_hold *h)
{
	int64_t now = h->n ? clock_mono_ms() : 0;

	while (h->n) {
		struct rule_cap *cap = h->at[h->n - 1].cap;
		if (is_wanted(h, cap, now)) {
			atomic_store(&cap->given_up_by, (uintptr_t)h->pool);
			atomic_store(&cap->given_up_ms, now);
		}
		give(h, &h->at[h->n - 1]);
	}
}

/* The pool has just given a seat up, for others. */
static bool gave_way(const struct pool *p, const struct rule_cap *cap, int64_t now_ms)
{
	return atomic_load(&cap->given_up_by) == (uintptr_t)p &&
	       now_ms - atomic_load(&cap->given_up_ms) < YIELD_MS;
}

static bool sit(struct caps_hold *h, struct rule_cap *cap)
{
	int64_t most = atomic_load(&cap->connections), now = clock_mono_ms();

	if (held(h, cap))
		return true;
	if (h->n == CAPS_HELD_MAX || (most && gave_way(h->pool, cap, now)) ||
	    !slots_take(&cap->connections_open, most ? most : INT32_MAX))
		return false;
	if (!h->n)
		h->since_ms = now;
	h->at[h->n++] = (struct caps_held){ .cap = cap };
	return true;
}

/* A seat at each of them; NULL, or the one that has none. */
static struct rule_cap *sit_at_all(struct caps_hold *h, struct rule_cap *const *caps, unsigned n)
{
	unsigned before = h->n;

	for (unsigned i = 0; i < n; i++) {
		if (sit(h, caps[i]))
			continue;
		while (h->n > before)
			give(h, &h->at[h->n - 1]);
		return caps[i];
	}
	return NULL;
}

bool caps_must_give(const struct caps_hold *h, bool idle)
{
	int64_t now;

	if (!h->n)
		return false;
	now = clock_mono_ms();
	if (!idle && now - h->since_ms < TURN_MS)
		return false;
	for (unsigned i = 0; i < h->n; i++)
		if (is_wanted(h, h->at[i].cap, now))
			return true;
	return false;
}

/* ---- those who may not go ---------------------------------------------------------------- */

static void wake(struct pool *p, int64_t at_us, int64_t now_us)
{
	if (timer_running(&p->cap_timer) && p->cap_wake_us <= at_us)
		return;
	p->cap_wake_us = at_us;
	timer_set(p->sites->loop->timers, &p->cap_timer,
		  MAX_OF(at_us - now_us, (int64_t)0) / 1000 + 1);
}

static bool pool_holds(const struct pool *p, const struct rule_cap *cap)
{
	struct channel *ch;

	list_each(&p->channels, ch, struct channel, link)
		if (held(&ch->caps, cap))
			return true;
	return false;
}

/* Back to where he was, and his flow rests; without a pump, which would ask at once again. */
static void put_back(struct pool *p, rcpt_ref ref, int64_t until_us)
{
	struct queue *q = p->sites->queue;

	(void)queue_move(q, ref,
			 (struct queue_move){ .to = RCPT_READY, .fair = &p->fair, .front = true });
	fair_cap(&p->fair, queue_flow_of(q, queue_rcpt(q, ref)), until_us);
}

/* A seat that another connection of the pool has is asked for by that one: then the flow rests for
 * this look alone. */
static void wait_for_seat(struct pool *p, rcpt_ref ref, struct rule_cap *full, int64_t now_us)
{
	bool ours = pool_holds(p, full);

	put_back(p, ref, ours ? now_us : now_us + LOOK_US);
	if (ours)
		return;
	if (!gave_way(p, full, now_us / 1000))
		atomic_store(&full->wanted_ms, clock_mono_ms());
	wake(p, now_us + LOOK_US, now_us);
}

static void wait_for_rate(struct pool *p, rcpt_ref ref, int64_t wait_us, int64_t now_us)
{
	put_back(p, ref, now_us + wait_us);
	wake(p, now_us + wait_us, now_us);
}

void caps_looked(struct pool *p)
{
	int64_t now_us, first;

	if (!p->fair.n_capped)
		return;
	now_us = clock_mono_us();
	first = fair_uncap(&p->fair, now_us);
	if (first)
		wake(p, first, now_us);
}

/* ---- opening ----------------------------------------------------------------------------- */

/* Could a connection that opens carry him? */
static bool may_open_for(struct pool *p, rcpt_ref ref, struct caps_hold *h, int64_t now_us)
{
	struct rule_cap *caps[RULE_CAPS_MAX], *full;
	unsigned n = find(p, queue_rcpt(p->sites->queue, ref), caps);
	int64_t wait_us = rates_wait(caps, n, now_us);

	if (wait_us) {
		wait_for_rate(p, ref, wait_us, now_us);
		return false;
	}
	full = sit_at_all(h, caps, n);
	if (full) {
		wait_for_seat(p, ref, full, now_us);
		return false;
	}
	for (unsigned i = 0; i < h->n; i++)
		h->at[i].latest = true;
	return true;
}

static bool find_opener(struct pool *p, bool bulk, struct caps_hold *h, int64_t now_us)
{
	struct queue *q = p->sites->queue;
	unsigned looks = OPEN_LOOKS_MAX;
	rcpt_ref ref;

	while ((ref = pool_next(p, bulk, &looks, NULL)) != RCPT_NONE) {
		if (!may_open_for(p, ref, h, now_us))
			continue;
		(void)queue_move(
		    q, ref,
		    (struct queue_move){ .to = RCPT_READY, .fair = &p->fair, .front = true });
		return true;
	}
	return false;
}

bool caps_may_open(struct pool *p, bool bulk, struct caps_hold *h)
{
	int64_t now_us;
	bool found;

	*h = (struct caps_hold){ .pool = p };
	if (!rules_keys(p->sites->queue->rules, RULE_CAP))
		return true;
	now_us = clock_mono_us();
	if (p->cap_full_until_us > now_us)
		return false;
	found = find_opener(p, bulk, h, now_us);
	caps_looked(p);
	p->cap_full_until_us = found ? 0 : now_us + LOOK_US;
	if (!found)
		wake(p, p->cap_full_until_us, now_us);
	return found;
}

/* ---- a message --------------------------------------------------------------------------- */

bool caps_take(struct channel *ch, rcpt_ref ref, struct caps_mail *ret)
{
	struct pool *p = ch->pool;
	struct rule_cap *full;
	int64_t now_us, wait_us;

	ret->hold = &ch->caps;
	ret->n = 0;
	if (!rules_keys(p->sites->queue->rules, RULE_CAP))
		return true;
	ret->n = find(p, queue_rcpt(p->sites->queue, ref), ret->at);
	now_us = clock_mono_us();
	wait_us = rates_wait(ret->at, ret->n, now_us);
	full = wait_us ? NULL : sit_at_all(&ch->caps, ret->at, ret->n);
	if (!wait_us && !full) {
		for (unsigned i = 0; i < ret->n; i++)
			held(&ch->caps, ret->at[i])->in_hand++;
		return true;
	}
	ret->n = 0;
	if (wait_us)
		wait_for_rate(p, ref, wait_us, now_us);
	else
		wait_for_seat(p, ref, full, now_us);
	return false;
}

static bool is_of(const struct caps_mail *m, const struct rule_cap *cap)
{
	for (unsigned i = 0; i < m->n; i++)
		if (m->at[i] == cap)
			return true;
	return false;
}

void caps_sent(const struct caps_mail *m)
{
	int64_t now_us;

	if (!m->n && !m->hold->n)
		return;
	now_us = clock_mono_us();
	for (unsigned i = 0; i < m->n; i++)
		limits_spend(&m->at[i]->pace, atomic_load(&m->at[i]->per_day), 1, now_us);
	for (unsigned i = 0; i < m->hold->n; i++)
		m->hold->at[i].latest = is_of(m, m->hold->at[i].cap);
	give_idle(m->hold);
}

void caps_leave(struct caps_mail *m)
{
	struct caps_held *x;

	for (; m->n; m->n--)
		if ((x = held(m->hold, m->at[m->n - 1])) != NULL && !--x->in_hand && !x->latest)
			give_idle(m->hold);
}

/* ---- life -------------------------------------------------------------------------------- */

static void on_timer(struct timer *t)
{
	struct pool *p = container_of(t, struct pool, cap_timer);

	caps_looked(p);
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
