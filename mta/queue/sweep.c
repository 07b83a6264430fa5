/* mta/queue/sweep.c - recipients that expired, were cancelled or given another life, a slice of the
 * slab at a time. */
#include "mta/queue/queue.h"

/* Ending somebody is a record and a move: it counts as so many looks.  The clock counts where jobs
 * are read. */
enum { EVERY_MS = 10 * 1000, SLICE_LOOKS = 1024, END_LOOKS = 4, SLICE_US = 300 };

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

/* How many looks it took. */
static unsigned look_at(struct queue *q, rcpt_ref ref, uint32_t now_s)
{
	struct rcpt *r = rcpt_at(&q->slab, ref);
	struct slab_chunk *c = q->slab.chunks[ref >> SLAB_BITS];
	char why[RULE_TEXT_MAX];
	bool bounce, ends;

	if (r->state == RCPT_FREE || r->state == RCPT_DEAD)
		return 1;
	if (q->sweep.orders)
		look_at_life(q, ref);
	if (r->state != RCPT_IN_FLIGHT && r->expires_s <= now_s) {
		end_one(q, ref, OUTCOME_EXPIRED, "", STATUS(4, 4, 7));
		return END_LOOKS;
	}
	ends = q->sweep.orders && queue_ends_now(q, r, &bounce, why);
	q->sweep.left += ends && r->state == RCPT_IN_FLIGHT;
	if (!ends || r->state == RCPT_IN_FLIGHT) {
		c->min_expires_s = MIN_OF(c->min_expires_s, r->expires_s);
		return 1;
	}
	end_one(q, ref, bounce ? OUTCOME_BOUNCED : OUTCOME_CANCELLED, why, STATUS(5, 7, 1));
	return END_LOOKS;
}

/* False when the slice is over before the chunk is. */
static bool sweep_chunk(struct queue *q, uint32_t now_s, int64_t end_us, unsigned *looks)
{
	bool reads = q->sweep.orders && (rules_keys(q->rules, RULE_CANCEL) & SELECTS_ROWS);
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
		if (*looks >= SLICE_LOOKS)
			return false;
		q->sweep.in++;
		*looks += look_at(q, ref, now_s);
		if (reads && clock_mono_us() >= end_us)
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

/* True: it begins anew. */
static bool finish_sweep(struct queue *q)
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
		return true;
	}
	timer_set(q->loop->timers, &q->sweep.timer, EVERY_MS);
	return false;
}

static bool sweep_some(struct chore *ch)
{
	struct queue *q = container_of(ch, struct queue, sweep.chore);
	int64_t end_us = clock_mono_us() + SLICE_US;
	uint32_t now_s = queue_now_s(q);
	unsigned looks = 0;
	bool done = true;

	if (q->stopping)
		return false;
	queue_look_at_clock(q);
	if (q->sweep.at == SIZE_MAX) {
		q->sweep.at = 0;
		q->sweep.in = 0;
	}
	while (done && q->sweep.at < q->slab.n_chunks) {
		done = sweep_chunk(q, now_s, end_us, &looks);
		q->sweep.at += done;
	}
	queue_looked(q, looks);
	return !done || finish_sweep(q);
}

static void on_sweep(struct timer *t)
{
	struct queue *q = container_of(t, struct queue, sweep.timer);

	chore_begin(q->lane, &q->sweep.chore);
}

void sweep_start(struct queue *q, bool orders)
{
	if (q->sweep.at != SIZE_MAX) { /* those already passed must be looked at too */
		q->sweep.again = q->sweep.again || orders;
		return;
	}
	q->sweep.orders = q->sweep.orders || orders;
	begin(q);
	timer_stop(q->loop->timers, &q->sweep.timer);
	chore_begin(q->lane, &q->sweep.chore);
}

void sweep_init(struct queue *q)
{
	q->sweep.at = SIZE_MAX;
	timer_init(&q->sweep.timer, on_sweep);
	chore_init(&q->sweep.chore, sweep_some);
	timer_set(q->loop->timers, &q->sweep.timer, EVERY_MS);
}

void sweep_end(struct queue *q)
{
	timer_stop(q->loop->timers, &q->sweep.timer);
	chore_stop(&q->sweep.chore);
}
