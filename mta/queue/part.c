/* mta/queue/part.c - the queue as a part of the engine: what all lanes share, life, counters. */
#include "mta/queue/inside.h"

struct queue *queue_of(struct lane *l)
{
	return lane_state(l, &queue_part);
}

/* ---- any thread -------------------------------------------------------------------------- */

struct shared {
	struct start_jobs start;
	_Atomic uint32_t next_lane;
};

const struct start_jobs *queue_start_jobs(struct engine *e)
{
	return &((struct shared *)engine_shared(e, &queue_part))->start;
}

void queue_job_added(struct engine *e, job_no job)
{
	struct shared *s = engine_shared(e, &queue_part);
	struct lane *l = lane_current();
	struct queue *q = NULL;

	/* A lane that took the job looks first itself: most often it hands the rows on at once. */
	if (l && lane_engine(l) == e)
		q = queue_of(l); /* none on the front desk */
	if (!q)
		q = queue_of(engine_lane(
		    e, atomic_fetch_add_explicit(&s->next_lane, 1, memory_order_relaxed) %
			   engine_lanes(e)));
	load_give(q, (struct given_job){ job, JOB_NEW });
}

static uint64_t sum(struct engine *e, size_t offset)
{
	return counters_sum(e, &queue_part, offset);
}

uint64_t queue_known(struct engine *e)
{
	return sum(e, offsetof(struct queue_counters, queued_ready)) +
	       sum(e, offsetof(struct queue_counters, queued_deferred)) +
	       sum(e, offsetof(struct queue_counters, queued_held)) +
	       sum(e, offsetof(struct queue_counters, queued_routing)) +
	       sum(e, offsetof(struct queue_counters, in_flight));
}

uint64_t queue_loading(struct engine *e)
{
	return sum(e, offsetof(struct queue_counters, start_jobs_left));
}

/* ---- life -------------------------------------------------------------------------------- */

static int queue_open(struct engine *e, void **ret_shared)
{
	struct shared *s = must_alloc(sizeof(*s));

	start_jobs_list(&s->start, engine_spool(e), rules_of(e), tenancy_of(e));
	*ret_shared = s;
	return 0;
}

static void queue_close(void *shared)
{
	struct shared *s = shared;

	start_jobs_free(&s->start);
	free(s);
}

static void queue_reload(void *state)
{
	struct queue *q = state;

	q->options = settings_of(engine_settings(q->engine), &queue_option_set);
	q->chunks.max = (size_t)q->options->cache_jobs;
	q->contents.max = (size_t)q->options->cache_contents;
	queue_each_flow(q, queue_flow_weigh);
	if (q->ways) /* not at the start: mail that waits may belong to another pool now */
		queue_look_again(q);
}

static int queue_start(struct lane *l, void **ret_state)
{
	struct queue *q = must_alloc(sizeof(*q));

	q->lane = l;
	q->engine = lane_engine(l);
	q->spool = engine_spool(q->engine);
	q->loop = lane_loop(l);
	q->rules = rules_of(q->engine);
	q->tenancy = tenancy_of(q->engine);
	q->egress = egress_of(l);
	q->slab.free = RCPT_NONE;
	table_init(&q->domains);
	table_init(&q->flows);
	streams_init(&q->streams);
	times_init(&q->times);
	wheel_init(&q->wheel, queue_now_s(q));
	fifo_init(&q->held);
	fifo_init(&q->released);
	queue_tick_init(q);
	chunks_init(&q->chunks, q->spool);
	contents_init(&q->contents, q->spool);
	sweep_init(q);
	load_init(q);
	queue_reload(q);
	*ret_state = q;
	return 0;
}

static void queue_changed(void *state)
{
	queue_each_flow(state, queue_flow_weigh);
	queue_look_again(state);
}

static void queue_look(void *state)
{
	load_look(state);
}

static void queue_quiet(void *state)
{
	((struct queue *)state)->stopping = true;
}

static bool queue_idle(const void *state)
{
	const struct queue *q = state;

	return atomic_load(&q->counters.in_flight) == 0;
}

static void free_entries(struct table *t)
{
	for (uint32_t i = 0; i < t->n; i++)
		free(t->by_index[i]);
	map_free(&t->map);
	free(t->by_index);
	free(t->free_next);
}

static void queue_stop(void *state)
{
	struct queue *q = state;

	timer_stop(q->loop->timers, &q->tick);
	chore_stop(&q->due);
	chore_stop(&q->release);
	load_end(q);
	sweep_end(q);
	free_entries(&q->domains);
	free_entries(&q->flows);
	streams_end(&q->streams);
	chunks_end(&q->chunks);
	contents_end(&q->contents);
	wheel_free(&q->wheel);
	slab_free(&q->slab);
	free(q);
}

#define ROW(member, type, help) COUNTER_ROW(queue_counters, member, type, help)
static const struct counter_row counter_rows[] = {
	ROW(loaded_jobs, COUNTER, "Jobs read into the queue"),
	ROW(loaded_rcpts, COUNTER, "Recipients read into the queue"),
	ROW(in_flight, GAUGE, "Recipients in a transaction"),
	ROW(queued_ready, GAUGE, "Recipients waiting for a connection"),
	ROW(queued_deferred, GAUGE, "Recipients waiting for their next try"),
	ROW(queued_held, GAUGE, "Recipients held by domain, job or recipient"),
	ROW(queued_routing, GAUGE, "Recipients waiting for DNS"),
	ROW(domains, GAUGE, "Domains known"),
	ROW(looked, COUNTER, "Recipients looked at for questions, orders and what is due"),
	ROW(start_jobs_left, GAUGE, "Jobs from before the start that lanes have not read yet"),
};
static const struct counter_set counter_set = { counter_rows, ARRAY_LEN(counter_rows) };

const struct part queue_part = {
	.name = "queue",
	.open = queue_open,
	.start = queue_start,
	.look = queue_look,
	.changed = queue_changed,
	.reload = queue_reload,
	.quiet = queue_quiet,
	.idle = queue_idle,
	.stop = queue_stop,
	.close = queue_close,
	.counters = &counter_set,
	.counters_at = offsetof(struct queue, counters),
};
