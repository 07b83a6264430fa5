/* mta/queue/sweep.c - recipients that expired, were cancelled or given another life, a slice of the
 * slab at a time. */
#include "mta/queue/queue.h"

enum { EVERY_MS = 10 * 1000, AGAIN_MS = 2, SLICE_US = 3000, LOOK_EVERY = 256 };

static void end_one(struct queue *q, rcpt_ref ref, enum outcome_kind kind, const char *text,
		    struct status status)
{
	struct decision d = {
		.kind = kind,
		.status = status,
		.text = slice_str(text),
		.on_list = true,
		.ordered = true,
	};

	q->ends->decide(q->ends, ref, &d);
}

/* An order may have moved the end of its life. */
static void look_at_life(struct queue *q, rcpt_ref ref)
{
	const struct flow *f = queue_flow_of(q, rcpt_at(&q->slab, ref));
	int64_t until_ms, until_s;

	if (!rules_life(q->rules, f->campaign, &until_ms))
		return;
	until_s = MAX_OF(times_of_wall_ms(&q->times, until_ms) / 1000, (int64_t)0);
	rcpt_set_expiry(&q->slab, ref, (uint32_t)MIN_OF(until_s, (int64_t)UINT32_MAX - 1));
}

static void look_at(struct queue *q, rcpt_ref ref, uint32_t now_s)
{
	struct rcpt *r = rcpt_at(&q->slab, ref);
	struct slab_chunk *c = q->slab.chunks[ref >> SLAB_BITS];
	char why[RULE_TEXT_MAX];
	bool bounce, ends;

	if (r->state == RCPT_FREE || r->state == RCPT_DEAD)
		return;
	if (q->sweep.orders)
		look_at_life(q, ref);
	if (r->state != RCPT_IN_FLIGHT && r->expires_s <= now_s) {
		end_one(q, ref, OUTCOME_EXPIRED, "", STATUS(4, 4, 7));
		return;
	}
	ends = q->sweep.orders && queue_ends_now(q, r, &bounce, why);
	q->sweep.left += ends && r->state == RCPT_IN_FLIGHT;
	if (ends && r->state != RCPT_IN_FLIGHT)
		end_one(q, ref, bounce ? OUTCOME_BOUNCED : OUTCOME_CANCELLED, why, STATUS(5, 7, 1));
	else
		c->min_expires_s = MIN_OF(c->min_expires_s, r->expires_s);
}

/* False when the slice is over before the chunk is. */
static bool sweep_chunk(struct queue *q, uint32_t now_s, int64_t end_us)
{
	struct slab_chunk *c = q->slab.chunks[q->sweep.at];

	if (q->sweep.in == 0) {
		if (c->min_expires_s > now_s && !q->sweep.orders)
			return true;
		c->min_expires_s = UINT32_MAX; /* look_at() brings it down again */
	}
	while (q->sweep.in < SLAB_SIZE) {
		rcpt_ref ref = (rcpt_ref)(q->sweep.at << SLAB_BITS | q->sweep.in);
		if (ref >= q->slab.used)
			break;
		q->sweep.in++;
		look_at(q, ref, now_s);
		if (q->sweep.in % LOOK_EVERY == 0 && clock_mono_us() >= end_us)
			return false;
	}
	q->sweep.in = 0;
	return true;
}

static void begin(struct queue *q)
{
	q->sweep.left = 0;
	q->sweep.generation = rules_generation(q->rules);
}

static void finish_sweep(struct queue *q)
{
	q->sweep.at = SIZE_MAX;
	if (q->sweep.orders) {
		atomic_store(&q->sweep.swept_left, q->sweep.left);
		atomic_store(&q->sweep.swept_generation, q->sweep.generation);
	}
	q->sweep.orders = q->sweep.again;
	begin(q);
	if (q->sweep.again) {
		q->sweep.again = false;
		q->sweep.at = 0;
		timer_set(q->loop->timers, &q->sweep.timer, AGAIN_MS);
		return;
	}
	timer_set(q->loop->timers, &q->sweep.timer, EVERY_MS);
}

static void on_sweep(struct timer *t)
{
	struct queue *q = container_of(t, struct queue, sweep.timer);
	int64_t end_us = clock_mono_us() + SLICE_US;
	uint32_t now_s = queue_now_s(q);

	if (q->stopping)
		return;
	queue_look_at_clock(q);
	if (q->sweep.at == SIZE_MAX) {
		q->sweep.at = 0;
		q->sweep.in = 0;
	}
	for (; q->sweep.at < q->slab.n_chunks; q->sweep.at++)
		if (!sweep_chunk(q, now_s, end_us) || clock_mono_us() >= end_us) {
			timer_set(q->loop->timers, t, AGAIN_MS);
			return;
		}
	finish_sweep(q);
}

void sweep_start(struct queue *q, bool orders)
{
	if (q->sweep.at != SIZE_MAX) { /* those already passed must be looked at too */
		q->sweep.again = q->sweep.again || orders;
		return;
	}
	q->sweep.orders = q->sweep.orders || orders;
	begin(q);
	timer_set(q->loop->timers, &q->sweep.timer, 0);
}

void sweep_init(struct queue *q)
{
	q->sweep.at = SIZE_MAX;
	timer_init(&q->sweep.timer, on_sweep);
	timer_set(q->loop->timers, &q->sweep.timer, EVERY_MS);
}

void sweep_end(struct queue *q)
{
	timer_stop(q->loop->timers, &q->sweep.timer);
}
