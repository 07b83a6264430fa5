/* mta/queue/queue.c - moves between states, the tables of domains and flows, the wheel's second. */
#include "mta/queue/queue.h"

#include "base/hash.h"
#include "mta/queue/shared.h"

struct queue *queue_of(struct lane *l)
{
	return lane_state(l, &queue_part);
}

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
	if (from)
		count_sub(from, 1);
	if (to)
		count_add(to, 1);
}

static void tick(struct queue *q)
{
	if (q->ticking || !q->wheel.count)
		return;
	q->ticking = true;
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
	assert(!"a state that recipients move to");
	return false;
}

static void drop_idle_domain(struct queue *q)
{
	struct domain *d = list_first(&q->domains.idle, struct domain, idle);

	if (q->ways->domain_busy(d)) {
		list_remove(&d->idle); /* it goes to the end of the line */
		list_push(&q->domains.idle, &d->idle);
		return;
	}
	list_remove(&d->idle);
	q->domains.n_idle--;
	map_remove(&q->domains.map, &d->link);
	table_forget(&q->domains, d->index);
	count_sub(&q->counters.domains, 1);
	free(d);
}

static void drop_idle_flow(struct queue *q)
{
	struct flow *f = list_first(&q->flows.idle, struct flow, idle);

	list_remove(&f->idle);
	q->flows.n_idle--;
	map_remove(&q->flows.map, &f->link);
	table_forget(&q->flows, f->index);
	free(f);
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
	if (--d->live == 0) {
		list_push(&q->domains.idle, &d->idle);
		if (++q->domains.n_idle > DOMAINS_IDLE_MAX)
			drop_idle_domain(q);
	}
	if (--f->live == 0) {
		list_push(&q->flows.idle, &f->idle);
		q->flows.n_idle++;
	}
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

/* ---- the tables -------------------------------------------------------------------------- */

static struct domain *find_domain(struct queue *q, struct slice name, uint64_t hash)
{
	for (struct map_link *l = map_find(&q->domains.map, hash); l; l = map_find_next(l)) {
		struct domain *d = container_of(l, struct domain, link);
		if (slice_eq_nocase(domain_name(d), name))
			return d;
	}
	return NULL;
}

struct domain *queue_find_domain(struct queue *q, struct slice name)
{
	return find_domain(q, name, hash_keyed_nocase(name));
}

static struct domain *new_domain(struct queue *q, struct slice name)
{
	struct domain *d = must_alloc(q->ways->domain_size + name.n + 1);

	d->name = (char *)d + q->ways->domain_size;
	for (size_t i = 0; i < name.n; i++)
		d->name[i] = ascii_lower(name.p[i]);
	d->name_n = (uint16_t)name.n;
	d->queue = q;
	list_init(&d->idle);
	fifo_init(&d->routing);
	q->ways->domain_begin(q->ways, d);
	return d;
}

struct domain *queue_domain(struct queue *q, struct slice name, uint64_t hash)
{
	struct domain *d = find_domain(q, name, hash);

	if (d) {
		if (d->live == 0) {
			list_remove(&d->idle);
			q->domains.n_idle--;
		}
		d->live++;
		return d;
	}
	d = new_domain(q, name);
	d->live = 1;
	d->index = table_number(&q->domains, d);
	map_insert(&q->domains.map, &d->link, hash);
	count_add(&q->counters.domains, 1);
	return d;
}

static void flow_look(struct queue *q, struct flow *f)
{
	struct rule_subject s = { .tenant = f->tenant, .campaign = f->campaign };

	f->held = rules_match(q->rules, RULE_HOLD, SELECTS_FLOW, &s, NULL, 0);
}

static struct flow *find_flow(struct queue *q, const struct flow *like, uint64_t hash)
{
	for (struct map_link *l = map_find(&q->flows.map, hash); l; l = map_find_next(l)) {
		struct flow *f = container_of(l, struct flow, link);
		if (f->class == like->class && f->tenant == like->tenant &&
		    f->campaign == like->campaign && f->pool == like->pool)
			return f;
	}
	return NULL;
}

struct flow *queue_flow(struct queue *q, uint8_t class, uint64_t tenant, uint64_t campaign,
			unsigned pool)
{
	const struct flow like = {
		.class = class, .pool = (uint16_t)pool, .tenant = tenant, .campaign = campaign
	};
	uint64_t hash =
	    hash_mix(tenant ^ hash_mix(campaign ^ hash_mix((uint64_t) class << 16 | pool)));
	struct flow *f = find_flow(q, &like, hash);

	if (f) {
		if (f->live == 0) {
			list_remove(&f->idle);
			q->flows.n_idle--;
		}
		return f;
	}
	while (q->flows.n_idle > FLOWS_IDLE_MAX)
		drop_idle_flow(q);
	f = must_alloc(sizeof(*f));
	*f = like;
	f->weight = queue_tenant_weight(q->options, tenant);
	list_init(&f->idle);
	f->index = table_number(&q->flows, f);
	map_insert(&q->flows.map, &f->link, hash);
	flow_look(q, f);
	return f;
}

void queue_flow_loaded(struct queue *q, struct flow *f)
{
	if (f->live)
		return;
	list_push(&q->flows.idle, &f->idle);
	q->flows.n_idle++;
}

void queue_note_reply(struct domain *d, uint16_t code, struct status status, struct slice text)
{
	d->code = code;
	d->status = status;
	d->reply_n = (uint8_t)MIN_OF(text.n, sizeof(d->reply));
	memcpy(d->reply, text.p, d->reply_n);
	d->reply_ms = clock_wall_ms();
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

enum { TICK_RCPTS_MAX = 5000, TICK_AGAIN_MS = 2 };

struct wheel_source {
	struct rcpt_source source;
	struct queue *q;
	uint32_t now_s;
};

static rcpt_ref next_of_wheel(struct rcpt_source *s)
{
	struct wheel_source *from = container_of(s, struct wheel_source, source);

	return wheel_take(&from->q->wheel, &from->q->slab, from->now_s);
}

static void on_tick(struct timer *t)
{
	struct queue *q = container_of(t, struct queue, tick);
	struct wheel_source due = { { next_of_wheel, TICK_RCPTS_MAX }, q, queue_wall_s() };
	rcpt_ref ref;

	q->ticking = false;
	while ((ref = queue_next(q, &due.source)) != RCPT_NONE)
		queue_due(q, ref);
	if (!due.source.looks) { /* more may be due: others get their turn first */
		q->ticking = true;
		timer_set(q->loop->timers, t, TICK_AGAIN_MS);
		return;
	}
	tick(q);
}

void queue_wheel_again(struct queue *q)
{
	wheel_redo(&q->wheel, &q->slab);
	q->ticking = true;
	timer_set(q->loop->timers, &q->tick, 0);
}

/* ---- rules ------------------------------------------------------------------------------- */

bool queue_cancelled(struct queue *q, const struct rcpt *r, char *why, size_t cap)
{
	const struct domain *d = queue_domain_of(q, r);
	const struct flow *f = queue_flow_of(q, r);
	struct rule_subject s = {
		.tenant = f->tenant,
		.campaign = f->campaign,
		.domain = domain_name(d),
		.row = r->row,
	};
	unsigned by_job = SELECTS(SELECT_JOB) | SELECTS(SELECT_RCPT);
	struct job_info info;

	if (rules_match(q->rules, RULE_CANCEL, SELECTS_ALL & ~by_job, &s, why, cap))
		return true;
	if (!(rules_selects(q->rules, RULE_CANCEL) & by_job) ||
	    spool_job_info(q->spool, r->job, &info) < 0)
		return false;
	s.job = info.id;
	return rules_match(q->rules, RULE_CANCEL, by_job, &s, why, cap);
}

static void release_held(struct queue *q)
{
	struct fifo held = q->held;
	struct fifo_source all = queue_fifo_source(q, &held, UINT32_MAX);
	rcpt_ref ref;

	fifo_init(&q->held);
	while ((ref = queue_next(q, &all.source)) != RCPT_NONE)
		queue_due(q, ref); /* what is still held comes back when its turn comes */
}

static void each_flow(struct queue *q, void (*look)(struct queue *q, struct flow *f))
{
	struct map_link *l;
	size_t pos = 0;

	for (l = map_next(&q->flows.map, &pos, NULL); l; l = map_next(&q->flows.map, &pos, l))
		look(q, container_of(l, struct flow, link));
}

static void queue_changed(void *state)
{
	struct queue *q = state;

	each_flow(q, flow_look);
	q->ways->flows_changed(q->ways);
	release_held(q);
	if (rules_selects(q->rules, RULE_CANCEL))
		sweep_start(q, true);
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

	start_jobs_list(&s->start, engine_spool(e), rules_of(e));
	*ret_shared = s;
	return 0;
}

static void queue_close(void *shared)
{
	struct shared *s = shared;

	start_jobs_free(&s->start);
	free(s);
}

static void weigh_flow(struct queue *q, struct flow *f)
{
	f->weight = queue_tenant_weight(q->options, f->tenant);
}

static void queue_reload(void *state)
{
	struct queue *q = state;

	q->options = settings_of(engine_settings(q->engine), &queue_option_set);
	q->chunks.max = (size_t)q->options->cache_jobs;
	q->contents.max = (size_t)q->options->cache_contents;
	each_flow(q, weigh_flow);
}

static int queue_start(struct lane *l, void **ret_state)
{
	struct queue *q = must_alloc(sizeof(*q));

	q->lane = l;
	q->engine = lane_engine(l);
	q->spool = engine_spool(q->engine);
	q->loop = lane_loop(l);
	q->rules = rules_of(q->engine);
	q->egress = egress_of(l);
	q->slab.free = RCPT_NONE;
	table_init(&q->domains);
	table_init(&q->flows);
	wheel_init(&q->wheel, queue_wall_s());
	fifo_init(&q->held);
	timer_init(&q->tick, on_tick);
	chunks_init(&q->chunks, q->spool);
	contents_init(&q->contents, q->spool);
	sweep_init(q);
	load_init(q);
	queue_reload(q);
	*ret_state = q;
	return 0;
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
	load_end(q);
	sweep_end(q);
	free_entries(&q->domains);
	free_entries(&q->flows);
	chunks_end(&q->chunks);
	contents_end(&q->contents);
	wheel_free(&q->wheel);
	slab_free(&q->slab);
	free(q);
}

#define ROW(member, type, help)                                                                    \
	{                                                                                          \
#member, type, help, offsetof(struct queue_counters, member)                       \
	}
static const struct counter_row counter_rows[] = {
	ROW(loaded_jobs, COUNTER, "Jobs read into the queue"),
	ROW(loaded_rcpts, COUNTER, "Recipients read into the queue"),
	ROW(in_flight, GAUGE, "Recipients in a transaction"),
	ROW(queued_ready, GAUGE, "Recipients waiting for a connection"),
	ROW(queued_deferred, GAUGE, "Recipients waiting for their next try"),
	ROW(queued_held, GAUGE, "Recipients held one by one (by domain, job or recipient)"),
	ROW(queued_routing, GAUGE, "Recipients waiting for DNS"),
	ROW(domains, GAUGE, "Domains known"),
	ROW(start_jobs_left, GAUGE, "Jobs of before the start that lanes have yet to read"),
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
