#include "mta/engine_run.h"

#include <stdatomic.h>
#include <unistd.h>

#include "mta/lane.h"
#include "mta/limits.h"
#include "mta/standing.h"
#include "mta/work.h"

struct engine {
	struct spool *spool;
	_Atomic(struct mta_config *) config; /* newest; older ones hang behind it */
	struct lane front;
	struct lane *lanes;
	unsigned n_lanes;
	bool threads;
	_Atomic bool stopping;
	_Atomic int fatal;
	struct rules *rules;
	struct limits *limits;
	struct start_jobs start_jobs;
	const struct input *const *inputs;
	unsigned n_inputs;
	struct timer grace; /* front desk: SIGTERM's patience */
	struct timer look;  /* front desk: are the lanes idle yet? */
	_Atomic uint32_t next_lane;
};

/* ---- questions --------------------------------------------------------------------------- */

struct spool *engine_spool(struct engine *e)
{
	return e->spool;
}
const struct mta_config *engine_config(struct engine *e)
{
	return atomic_load_explicit(&e->config, memory_order_acquire);
}
unsigned engine_lanes(const struct engine *e)
{
	return e->n_lanes;
}
struct lane *engine_lane(struct engine *e, unsigned i)
{
	return &e->lanes[i];
}
struct lane *engine_front(struct engine *e)
{
	return &e->front;
}
bool engine_stopping(const struct engine *e)
{
	return atomic_load(&e->stopping);
}
struct rules *engine_rules(struct engine *e)
{
	return e->rules;
}
struct limits *engine_limits(struct engine *e)
{
	return e->limits;
}
const struct start_jobs *engine_start_jobs(const struct engine *e)
{
	return &e->start_jobs;
}

/* ---- news for the lanes ------------------------------------------------------------------ */

void engine_job_added(struct engine *e, job_no job)
{
	struct lane *l = lane_current();

	/* A lane that took the job looks first itself: most often it hands the rows on at once. */
	if (!l || l->front || l->engine != e)
		l = &e->lanes[atomic_fetch_add_explicit(&e->next_lane, 1, memory_order_relaxed) %
			      e->n_lanes];
	lane_give_job(l, (struct given_job){ job, JOB_NEW });
}

/* One note a lane; freed by the lane that ran it. */
struct lane_note {
	struct note note;
	char domain[256];
};

static void tell_lanes(struct engine *e, void (*run)(struct note *n, struct lane *l),
		       struct slice domain)
{
	for (unsigned i = 0; i < e->n_lanes; i++) {
		struct lane_note *n = must_alloc(sizeof(*n));
		n->note.run = run;
		slice_copy(n->domain, sizeof(n->domain), domain);
		lane_post(&e->lanes[i], &n->note);
	}
}

static void run_rules_changed(struct note *n, struct lane *l)
{
	if (l->work)
		work_rules_changed(l->work);
	free(container_of(n, struct lane_note, note));
}

static void run_keys_changed(struct note *n, struct lane *l)
{
	struct lane_note *ln = container_of(n, struct lane_note, note);

	if (l->work)
		work_keys_changed(l->work, slice_str(ln->domain));
	free(ln);
}

void engine_rule_changed(struct engine *e, struct slice key, struct slice value)
{
	/* Suppressions are looked up at each send: nothing to walk for. */
	if (rules_set(e->rules, key, value))
		tell_lanes(e, run_rules_changed, (struct slice){ 0 });
}

void engine_keys_changed(struct engine *e, struct slice domain)
{
	tell_lanes(e, run_keys_changed, domain);
}

/* ---- life -------------------------------------------------------------------------------- */

static int load_rule(void *arg, struct slice key, struct slice value)
{
	(void)rules_set(arg, key, value);
	return 0;
}

int engine_new(struct engine **ret, struct mta_config *c, struct spool *sp, bool threads)
{
	OWNED(engine) e = must_alloc(sizeof(*e));
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	int r;

	e->spool = sp;
	atomic_init(&e->config, c);
	e->threads = threads;
	e->rules = rules_new();
	e->limits = limits_new();
	r = spool_each_rule(sp, SLICE(""), load_rule, e->rules);
	if (r < 0)
		return r;
	start_jobs_list(&e->start_jobs, sp, e->rules);
	e->n_lanes = c->lanes ? (unsigned)c->lanes : (unsigned)MAX_OF(cores, 1L);
	e->lanes = must_alloc(e->n_lanes * sizeof(*e->lanes));
	r = lane_init(&e->front, e, e->n_lanes, true);
	for (unsigned i = 0; i < e->n_lanes && r == 0; i++)
		r = lane_init(&e->lanes[i], e, i, false);
	if (r < 0)
		return r;
	*ret = TAKE(e);
	return 0;
}

struct engine *engine_free(struct engine *e)
{
	if (!e)
		return NULL;
	for (unsigned i = 0; e->lanes && i < e->n_lanes; i++)
		lane_done(&e->lanes[i]);
	lane_done(&e->front);
	free(e->lanes);
	start_jobs_free(&e->start_jobs);
	spool_free(e->spool);
	rules_free(e->rules);
	limits_free(e->limits);
	for (struct mta_config *c = atomic_load(&e->config), *older; c; c = older) {
		older = c->older;
		mta_config_free(c);
	}
	free(e);
	return NULL;
}

/* ---- inputs and threads ------------------------------------------------------------------ */

static void each_input(struct lane *l, size_t member)
{
	struct engine *e = l->engine;

	for (unsigned i = 0; i < e->n_inputs; i++) {
		void (*verb)(void *) =
		    *(void (*const *)(void *))(const void *)((const char *)e->inputs[i] + member);
		if (l->inputs[i] && verb)
			verb(l->inputs[i]);
	}
}

static int start_inputs(struct engine *e, struct lane *l, const char **ret_what)
{
	for (unsigned i = 0; i < e->n_inputs; i++) {
		if (e->inputs[i]->front != l->front)
			continue;
		int r = e->inputs[i]->start(l, &l->inputs[i]);
		if (r < 0) {
			*ret_what = e->inputs[i]->name;
			return r;
		}
	}
	return 0;
}

static void *lane_thread(void *arg)
{
	struct lane *l = arg;

	lane_run(l);
	return NULL;
}

int engine_start_work(struct engine *e)
{
	for (unsigned i = 0; i < e->n_lanes; i++) {
		int r = work_new(&e->lanes[i].work, &e->lanes[i]);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Before the threads run, so that a port in use or a missing key ends the start, not a lane. */
static int start_all(struct engine *e, const char **ret_what)
{
	int r;

	*ret_what = "lanes";
	r = engine_start_work(e);
	for (unsigned i = 0; i < e->n_lanes && r == 0; i++)
		r = start_inputs(e, &e->lanes[i], ret_what);
	if (r == 0)
		r = start_inputs(e, &e->front, ret_what);
	for (unsigned i = 0; i < e->n_lanes && r == 0; i++) {
		r = -pthread_create(&e->lanes[i].thread, NULL, lane_thread, &e->lanes[i]);
		e->lanes[i].started = r == 0;
		*ret_what = "threads";
	}
	return r;
}

static void run_break(struct note *n, struct lane *l)
{
	free(container_of(n, struct lane_note, note));
	lane_loop_stop(l);
}

static void end_all(struct engine *e)
{
	tell_lanes(e, run_break, (struct slice){ 0 });
	for (unsigned i = 0; i < e->n_lanes; i++) {
		struct lane *l = &e->lanes[i];
		if (l->started)
			pthread_join(l->thread, NULL);
	}
	/* Notes that crossed the end are run while those they are about still live. */
	for (unsigned i = 0; i < e->n_lanes; i++)
		lane_run_notes(&e->lanes[i]);
	lane_run_notes(&e->front);
	for (unsigned i = 0; i < e->n_lanes; i++)
		each_input(&e->lanes[i], offsetof(struct input, stop));
	each_input(&e->front, offsetof(struct input, stop));
}

int engine_run(struct engine *e, const struct input *const *inputs, unsigned n_inputs,
	       void (*ready)(void *arg), void *arg, const char **ret_what)
{
	int r;

	assert(n_inputs <= LANE_INPUTS_MAX);
	e->inputs = inputs;
	e->n_inputs = n_inputs;
	r = start_all(e, ret_what);
	if (r == 0) {
		if (ready)
			ready(arg);
		lane_run(&e->front);
		r = atomic_load(&e->fatal) ? atomic_load(&e->fatal) : spool_failed(e->spool);
		*ret_what = "spool";
	}
	end_all(e);
	return r;
}

static void run_fatal(struct note *n, struct lane *l)
{
	free(container_of(n, struct lane_note, note));
	lane_loop_stop(l);
}

void engine_fatal(struct engine *e, int err)
{
	struct lane_note *n;

	if (atomic_exchange(&e->fatal, err))
		return;
	n = must_alloc(sizeof(*n));
	n->note.run = run_fatal;
	lane_post(&e->front, &n->note);
}

int64_t engine_turn(struct engine *e)
{
	int64_t next = lane_turn(&e->front), other;

	for (unsigned i = 0; i < e->n_lanes; i++) {
		other = lane_turn(&e->lanes[i]);
		if (other >= 0 && (next < 0 || other < next))
			next = other;
	}
	return next;
}

/* ---- the end and the reload -------------------------------------------------------------- */

enum { LOOK_MS = 20 };

static void run_stop(struct note *n, struct lane *l)
{
	free(container_of(n, struct lane_note, note));
	each_input(l, offsetof(struct input, quiet));
	if (l->work)
		work_stop(l->work);
	atomic_store(&l->quiet, true);
}

static bool lanes_idle(struct engine *e)
{
	for (unsigned i = 0; i < e->n_lanes; i++)
		if (!atomic_load(&e->lanes[i].quiet) || atomic_load(&e->lanes[i].metrics.in_flight))
			return false;
	return true;
}

static void on_look(struct timer *t)
{
	struct engine *e = container_of(t, struct engine, look);

	if (lanes_idle(e))
		lane_loop_stop(&e->front);
	else
		timer_set(e->front.loop.timers, t, LOOK_MS);
}

static void on_grace(struct timer *t)
{
	lane_loop_stop(&container_of(t, struct engine, grace)->front);
}

void engine_stop(struct engine *e)
{
	if (atomic_exchange(&e->stopping, true))
		return;
	timer_init(&e->grace, on_grace);
	timer_init(&e->look, on_look);
	each_input(&e->front, offsetof(struct input, quiet));
	tell_lanes(e, run_stop, (struct slice){ 0 });
	if (!e->threads)
		return;
	timer_set(e->front.loop.timers, &e->grace, engine_config(e)->stop_grace);
	timer_set(e->front.loop.timers, &e->look, LOOK_MS);
}

static void run_reload(struct note *n, struct lane *l)
{
	free(container_of(n, struct lane_note, note));
	each_input(l, offsetof(struct input, reload));
	if (l->work)
		work_reload(l->work);
}

void engine_reload(struct engine *e, struct mta_config *fresh)
{
	/* Lanes may hold texts of the old one for as long as a session lasts; reloads are rare. */
	fresh->older = atomic_load(&e->config);
	atomic_store_explicit(&e->config, fresh, memory_order_release);
	each_input(&e->front, offsetof(struct input, reload));
	tell_lanes(e, run_reload, (struct slice){ 0 });
}
