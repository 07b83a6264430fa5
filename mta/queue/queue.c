/* mta/queue/queue.c - moves between states, the tables of domains and flows, the wheel's second. */
#include "mta/queue/about.h"
#include "mta/queue/inside.h"

/* ---- states and counts ------------------------------------------------------------------- */

static counter *state_gauge(struct queue *q, enum rcpt_state state)
{
	switch (state) {
	case RCPT_ROUTING:
		return &q->counters.queued_routing;
	case RCPT_READY:
		return &q->counters.queued_ready;
	case RCPT_DEFERRED:
		return &q->counters.queued_deferred;
	case RCPT_HELD:
		return &q->counters.queued_held;
	case RCPT_IN_FLIGHT:
		return &q->counters.in_flight;
	case RCPT_FREE:
	case RCPT_DEAD:
	case RCPT_STATES:
		break;
	}
	return NULL;
}

static void become(struct queue *q, struct rcpt *r, enum rcpt_state state)
{
	struct domain *d = queue_domain_of(q, r);
	struct flow *f = queue_flow_of(q, r);
	counter *from = state_gauge(q, r->state), *to = state_gauge(q, state);

	if (r->state == state)
		return;
	d->n[r->state]--;
	f->n[r->state]--;
	d->n[state]++;
	f->n[state]++;
	r->state = (uint8_t)state;
	if (state == RCPT_DEAD)
		tenancy_ended(f->counted, lane_index(q->lane));
	if (from)
		count_sub(from, 1);
	if (to)
		count_add(to, 1);
}

static void tick(struct queue *q)
{
	if (timer_running(&q->tick) || chore_waits(&q->due) || !q->wheel.count)
		return;
	timer_set(q->loop->timers, &q->tick, 1000);
}

bool queue_move(struct queue *q, rcpt_ref ref, struct queue_move m)
{
	struct rcpt *r = queue_rcpt(q, ref);

	become(q, r, m.to);
	switch (m.to) {
	case RCPT_ROUTING:
		fifo_push(&q->slab, &queue_domain_of(q, r)->routing, ref);
		return true;
	case RCPT_READY:
		return fair_push(m.fair, queue_flow_of(q, r), ref, m.front);
	case RCPT_DEFERRED:
		r->due_s = m.due_s;
		wheel_add(&q->wheel, &q->slab, ref);
		tick(q);
		return true;
	case RCPT_HELD:
		fifo_push(&q->slab, &q->held, ref);
		return true;
	case RCPT_IN_FLIGHT: /* a delivery has its number */
	case RCPT_DEAD:
		return true;
	case RCPT_FREE:
	case RCPT_STATES:
		break;
	}
	abort(); /* nothing moves there */
}

void queue_end(struct queue *q, rcpt_ref ref)
{
	struct rcpt *r = queue_rcpt(q, ref);
	struct domain *d = queue_domain_of(q, r);
	struct flow *f = queue_flow_of(q, r);

	become(q, r, RCPT_DEAD);
	d->n[RCPT_DEAD]--;
	f->n[RCPT_DEAD]--;
	rcpt_free(&q->slab, ref);
	if (--d->live == 0)
		queue_domain_rests(q, d);
	if (--f->live == 0)
		queue_flow_rests(q, f);
}

rcpt_ref queue_next(struct queue *q, struct rcpt_source *s)
{
	while (s->looks) {
		rcpt_ref ref = s->next(s);
		if (ref == RCPT_NONE)
			return RCPT_NONE;
		s->looks--;
		if (queue_rcpt(q, ref)->state != RCPT_DEAD)
			return ref;
		queue_end(q, ref);
	}
	return RCPT_NONE;
}

static rcpt_ref next_of_fifo(struct rcpt_source *s)
{
	struct fifo_source *from = container_of(s, struct fifo_source, source);

	return fifo_pop(from->slab, from->fifo);
}

struct fifo_source queue_fifo_source(struct queue *q, struct fifo *f, unsigned looks)
{
	return (struct fifo_source){ { next_of_fifo, looks }, &q->slab, f };
}

/* ---- due and deferred -------------------------------------------------------------------- */

void queue_due(struct queue *q, rcpt_ref ref)
{
	q->ways->due(q->ways, queue_domain_of(q, queue_rcpt(q, ref)), ref);
}

void queue_defer(struct queue *q, rcpt_ref ref, uint32_t due_s)
{
	(void)queue_move(q, ref, (struct queue_move){ .to = RCPT_DEFERRED, .due_s = due_s });
}

enum { DUE_RCPTS_MAX = 256, DUE_LOOKS_MAX = 2048 };

struct wheel_source {
	struct rcpt_source source;
	struct queue *q;
	uint32_t now_s;
	unsigned looks;
};

static rcpt_ref next_of_wheel(struct rcpt_source *s)
{
	struct wheel_source *from = container_of(s, struct wheel_source, source);

	return wheel_take(&from->q->wheel, &from->q->slab, from->now_s, &from->looks);
}

/* True: more may be due. */
static bool take_due(struct chore *c)
{
	struct queue *q = container_of(c, struct queue, due);
	struct wheel_source due = { { next_of_wheel, DUE_RCPTS_MAX }, q, 0, DUE_LOOKS_MAX };
	rcpt_ref ref;

	queue_look_at_clock(q);
	due.now_s = queue_now_s(q);
	while ((ref = queue_next(q, &due.source)) != RCPT_NONE)
		queue_due(q, ref);
	queue_looked(q, DUE_LOOKS_MAX - due.looks + DUE_RCPTS_MAX - due.source.looks);
	if (!due.source.looks || !due.looks)
		return true;
	tick(q);
	return false;
}

static void on_tick(struct timer *t)
{
	struct queue *q = container_of(t, struct queue, tick);

	chore_begin(q->lane, &q->due);
}

void queue_look_at_clock(struct queue *q)
{
	times_look(&q->times, lane_index(q->lane) == 0);
}

enum { RELEASE_MAX = 256 };

static bool release_some(struct chore *c)
{
	struct queue *q = container_of(c, struct queue, release);
	struct fifo_source all = queue_fifo_source(q, &q->released, RELEASE_MAX);
	rcpt_ref ref;

	while (!q->stopping && (ref = queue_next(q, &all.source)) != RCPT_NONE)
		queue_due(q, ref); /* what is still held comes back when its turn comes */
	queue_looked(q, RELEASE_MAX - all.source.looks);
	return q->released.count && !q->stopping;
}

void queue_tick_init(struct queue *q)
{
	timer_init(&q->tick, on_tick);
	chore_init(&q->due, take_due);
	chore_init(&q->release, release_some);
}

void queue_wheel_again(struct queue *q)
{
	wheel_redo(&q->wheel);
	timer_stop(q->loop->timers, &q->tick);
	chore_begin(q->lane, &q->due);
}

/* ---- rules ------------------------------------------------------------------------------- */

bool queue_ends_now(struct queue *q, const struct rcpt *r, bool *ret_bounce, char *why)
{
	unsigned keys = rules_keys(q->rules, RULE_CANCEL);
	struct about a;
	bool ends;

	if (!keys)
		return false;
	about_rcpt(&a, q, r, keys);
	ends = rules_end(q->rules, &a.s, ret_bounce, why);
	about_end(&a);
	return ends;
}

bool queue_moves_finely(const struct queue *q)
{
	const unsigned coarse =
	    RULES_ANY | SELECTS_FLOW | SELECTS(SELECT_POOL) | SELECTS(SELECT_SOURCE);

	return rules_keys(q->rules, RULE_MOVE) & ~coarse;
}

static __attribute__((noinline)) unsigned ask_moves(struct queue *q, const struct rcpt *r)
{
	const struct flow *f = queue_flow_of(q, r);
	unsigned pool = f->to_pool;
	struct about a;
	char name[256];

	about_rcpt(&a, q, r, rules_keys(q->rules, RULE_MOVE));
	about_pool(&a, egress_pool_name(q->egress, f->pool)); /* its own: a move leads no further */
	if (rules_moved(q->rules, &a.s, name, sizeof(name)))
		pool = egress_pool(q->egress, slice_str(name));
	about_end(&a);
	return pool;
}

unsigned queue_pool_of(struct queue *q, const struct rcpt *r)
{
	return queue_moves_finely(q) ? ask_moves(q, r) : queue_flow_of(q, r)->to_pool;
}

static void release_held(struct queue *q)
{
	fifo_join(&q->slab, &q->released, &q->held);
	if (q->released.count)
		chore_begin(q->lane, &q->release);
}

void queue_each_flow(struct queue *q, void (*look)(struct queue *q, struct flow *f))
{
	struct map_link *l;
	size_t pos = 0;

	for (l = map_next(&q->flows.map, &pos, NULL); l; l = map_next(&q->flows.map, &pos, l))
		look(q, container_of(l, struct flow, link));
}

void queue_look_again(struct queue *q)
{
	queue_each_flow(q, queue_flow_look);
	q->ways->flows_changed(q->ways);
	release_held(q);
	if (rules_keys(q->rules, RULE_CANCEL) || rules_have_lives(q->rules))
		sweep_start(q, true);
}
