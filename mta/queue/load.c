/* mta/queue/load.c - from jobs to recipients, a slice at a time. */
#include "base/hash.h"
#include "base/log.h"
#include "base/random.h"
#include "message/judge/class.h"
#include "message/mailbox.h"
#include "mta/core/engine_run.h"
#include "mta/queue/queue.h"
#include "mta/queue/inside.h"

enum { SLICE_US = 5000, AGAIN_MS = 1, OVERDUE_SPREAD_S = 30 };

struct loader {
	struct queue *q;
	struct chunk *k;
	struct flow *flow;
	uint32_t expires_s, now_s;
	uint32_t hold_s; /* not tried earlier; 0: at once */
	bool check;      /* rows may have records already */
	uint64_t others; /* bits of lanes that own rows */
};
static_assert(LANES_MAX <= 64, "each lane has a bit in loader.others");

static void load_row(struct loader *ld, uint32_t row, struct slice domain, uint64_t hash)
{
	struct queue *q = ld->q;
	uint16_t attempts = 0;
	int64_t next_ms = 0;
	struct rcpt *r;
	rcpt_ref ref;

	if (ld->check && !spool_row_live(q->spool, ld->k->job, row, &attempts, &next_ms))
		return;
	ref = rcpt_new(&q->slab);
	r = queue_rcpt(q, ref);
	r->job = ld->k->job;
	r->row = (uint16_t)row;
	r->attempts = attempts;
	if (attempts && next_ms % 1000 <= JUDGE_CLASSES) /* mta/deliver/outcome.c keeps it there */
		r->class = (uint8_t)(next_ms % 1000);
	r->domain = queue_domain(q, domain, hash)->index;
	r->flow = ld->flow->index;
	ld->flow->live++;
	queue_domain_of(q, r)->n[RCPT_FREE]++; /* queue_move() takes it from there */
	ld->flow->n[RCPT_FREE]++;
	rcpt_set_expiry(&q->slab, ref, ld->expires_s);
	if (!attempts && ld->hold_s > ld->now_s)
		queue_defer(q, ref, ld->hold_s);
	else if (!attempts)
		queue_due(q, ref);
	else if (next_ms / 1000 > ld->now_s)
		queue_defer(q, ref, (uint32_t)(next_ms / 1000));
	else /* due while the engine was down: not all at once */
		queue_defer(q, ref, ld->now_s + 1 + random_below(OVERDUE_SPREAD_S));
	count_add(&q->counters.loaded_rcpts, 1);
}

static void load_rows(struct loader *ld)
{
	unsigned lanes = engine_lanes(ld->q->engine), own = lane_index(ld->q->lane);

	for (uint32_t i = 0; i < ld->k->info.rows; i++) {
		struct slice domain = address_domain(wire_rows_address(ld->k->rows, i));
		uint64_t hash = hash_keyed_nocase(domain);
		unsigned lane = lanes == 1 ? 0 : (unsigned)((hash >> 32) % lanes);
		if (lane == own)
			load_row(ld, i, domain, hash);
		else
			ld->others |= 1ULL << lane;
	}
}

static struct flow *flow_of_chunk(struct queue *q, const struct chunk *k)
{
	const struct flow like = {
		.class = k->info.class,
		.tenant = k->info.tenant,
		.campaign = k->info.campaign,
		.stream = streams_number(&q->streams, k->meta.stream, k->info.class),
		.pool = (uint16_t)egress_pool(q->egress, k->meta.pool),
		.named = k->meta.pool.n > 0,
		.engaged = k->meta.engaged,
	};

	return queue_flow(q, &like);
}

/* RFC 4865: never before the moment that was asked for. */
static uint32_t hold_until(const struct loader *ld)
{
	int64_t at_ms = ld->k->meta.not_before_ms;

	if (!at_ms)
		return 0;
	if (!ld->check)
		at_ms = times_of_wall_ms(&ld->q->times, at_ms);
	return (uint32_t)MIN_OF(MAX_OF((at_ms + 999) / 1000, (int64_t)0), (int64_t)UINT32_MAX - 1);
}

static void load_chunk(struct loader *ld)
{
	struct queue *q = ld->q;
	const struct job_info *info = &ld->k->info;
	int64_t until_ms = info->expires_ms, expires_ms, expires_s;

	(void)rules_life(q->rules, info->campaign, &until_ms);
	/* What was there at the start is as old as our time. */
	expires_ms = ld->check ? until_ms : times_of_wall_ms(&q->times, until_ms);
	expires_s = MAX_OF(expires_ms / 1000, (int64_t)0);
	ld->hold_s = hold_until(ld);
	ld->flow = flow_of_chunk(q, ld->k);
	ld->expires_s = (uint32_t)MIN_OF(expires_s, (int64_t)UINT32_MAX - 1);
	load_rows(ld);
	queue_flow_loaded(q, ld->flow);
	count_add(&q->counters.loaded_jobs, 1);
}

static void load_job(struct queue *q, job_no job, bool check, uint32_t tag, uint64_t *ret_others)
{
	struct loader ld = { .q = q, .now_s = queue_now_s(q), .check = check };
	int r;

	if (!check)
		chunks_forget(&q->chunks, job); /* another job may have had this number */
	r = chunks_get(&q->chunks, job, &ld.k);
	if (r == E_UNKNOWN)
		return;
	if (r < 0) {
		log_error("job.unreadable", kv_int("job", job), kv_err("reason", r));
		return;
	}
	if (!check || start_job_tag(ld.k->info.id) == tag)
		load_chunk(&ld);
	chunks_unref(&q->chunks, ld.k);
	if (ret_others)
		*ret_others = ld.others;
}

/* ---- what is handed over ----------------------------------------------------------------- */

void load_give(struct queue *q, struct given_job job)
{
	struct load *ld = &q->load;
	bool first;

	pthread_mutex_lock(&ld->lock);
	if (ld->n_given == ld->cap_given) {
		ld->cap_given = ld->cap_given ? ld->cap_given * 2 : 256;
		ld->given = must_resize(ld->given, ld->cap_given * sizeof(*ld->given));
	}
	first = ld->n_given == 0;
	ld->given[ld->n_given++] = job;
	pthread_mutex_unlock(&ld->lock);
	if (first)
		lane_wake(q->lane);
}

/* Swaps what was given for our own array, which is used up. */
static void take_given(struct load *ld)
{
	struct given_job *full;
	size_t cap;

	pthread_mutex_lock(&ld->lock);
	full = ld->given;
	cap = ld->cap_given;
	ld->n = ld->n_given;
	ld->given = ld->jobs;
	ld->cap_given = ld->cap;
	ld->n_given = 0;
	pthread_mutex_unlock(&ld->lock);
	ld->jobs = full;
	ld->cap = cap;
	ld->next = 0;
}

static void load_given(struct queue *q, struct given_job g)
{
	uint64_t others = 0;

	queue_look_at_clock(q);
	load_job(q, g.job, false, 0, &others);
	for (unsigned i = 0; g.how == JOB_NEW && others; i++, others >>= 1)
		if (others & 1)
			load_give(queue_of(engine_lane(q->engine, i)),
				  (struct given_job){ g.job, JOB_ROWS });
}

/* ---- slices ------------------------------------------------------------------------------ */

/* New mail first, then what was there at the start.  True when there is more. */
static bool load_slice(struct queue *q)
{
	int64_t end = clock_mono_us() + SLICE_US;
	const struct start_jobs *start = queue_start_jobs(q->engine);
	struct load *ld = &q->load;

	for (;;) {
		if (ld->next == ld->n)
			take_given(ld);
		if (ld->next < ld->n) {
			load_given(q, ld->jobs[ld->next++]);
		} else if (ld->next_start < start->n) {
			const struct start_job *j = &start->all[ld->next_start++];
			load_job(q, j->job, true, j->tag, NULL);
			count_sub(&q->counters.start_jobs_left, 1);
		} else {
			return false;
		}
		if (clock_mono_us() >= end)
			return true;
	}
}

static void on_load(struct timer *t)
{
	struct queue *q = container_of(t, struct queue, load.timer);

	if (!q->stopping && load_slice(q))
		timer_set(q->loop->timers, t, AGAIN_MS);
}

void load_look(struct queue *q)
{
	if (!timer_running(&q->load.timer))
		on_load(&q->load.timer);
}

void load_init(struct queue *q)
{
	pthread_mutex_init(&q->load.lock, NULL);
	count_add(&q->counters.start_jobs_left, queue_start_jobs(q->engine)->n);
	timer_init(&q->load.timer, on_load);
	timer_set(q->loop->timers, &q->load.timer, 0);
}

void load_end(struct queue *q)
{
	timer_stop(q->loop->timers, &q->load.timer);
	pthread_mutex_destroy(&q->load.lock);
	free(q->load.given);
	free(q->load.jobs);
}
