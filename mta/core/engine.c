/* mta/core/engine.c - the lanes, the parts on them, start, reload and end. */
#include <stdatomic.h>
#include <unistd.h>

#include "mta/core/engine_run.h"
#include "mta/core/lane_int.h"

struct engine {
	struct spool *spool;
	_Atomic(struct settings *) settings;
	struct settings **older; /* lanes may use their texts as long as a session lasts */
	size_t n_older;
	struct engine_rereader *rereader; /* NULL: none */
	struct lane front;
	struct lane *lanes;
	unsigned n_lanes;
	bool threads;
	_Atomic bool stopping;
	_Atomic int fatal;
	const struct part *const *parts;
	unsigned n_parts;
	void *shared[PARTS_MAX];
	struct timer grace; /* front desk: SIGTERM's patience */
	struct timer look;  /* front desk: are the lanes idle yet? */
};

/* ---- questions --------------------------------------------------------------------------- */

struct spool *engine_spool(struct engine *e)
{
	return e->spool;
}
const struct settings *engine_settings(struct engine *e)
{
	return atomic_load_explicit(&e->settings, memory_order_acquire);
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
const struct part *engine_part(const struct engine *e, unsigned i)
{
	return i < e->n_parts ? e->parts[i] : NULL;
}
unsigned engine_part_index(const struct engine *e, const struct part *p)
{
	unsigned i = 0;

	while (i < e->n_parts && e->parts[i] != p)
		i++;
	assert(i < e->n_parts); /* the program lists it */
	return i;
}
void *engine_shared(struct engine *e, const struct part *p)
{
	return e->shared[engine_part_index(e, p)];
}

static const struct core_options *options(struct engine *e)
{
	return settings_of(engine_settings(e), &core_option_set);
}

/* ---- news for the lanes ------------------------------------------------------------------ */

/* One note per lane; freed by the lane that ran it. */
struct lane_note {
	struct note note;
	void (*run)(struct lane *l, struct slice text);
	char text[256];
};

static void run_note(struct note *n, struct lane *l)
{
	struct lane_note *ln = container_of(n, struct lane_note, note);

	ln->run(l, slice_str(ln->text));
	free(ln);
}

static void tell(struct lane *l, void (*run)(struct lane *l, struct slice text), struct slice text)
{
	struct lane_note *n = must_alloc(sizeof(*n));

	n->note.run = run_note;
	n->run = run;
	slice_copy(n->text, sizeof(n->text), text);
	lane_post(l, &n->note);
}

void engine_tell_lanes(struct engine *e, void (*run)(struct lane *l, struct slice text),
		       struct slice text)
{
	for (unsigned i = 0; e->lanes && i < e->n_lanes; i++)
		tell(&e->lanes[i], run, text);
}

static void run_changed(struct lane *l, struct slice text)
{
	(void)text;
	lane_each(l, offsetof(struct part, changed));
}

void engine_changed(struct engine *e)
{
	engine_tell_lanes(e, run_changed, SLICE(""));
}

/* ---- life -------------------------------------------------------------------------------- */

static unsigned lanes_wanted(struct engine *e)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	int64_t n = options(e)->lanes ? options(e)->lanes : (int64_t)MAX_OF(cores, 1L);

	return (unsigned)MIN_OF(n, (int64_t)LANES_MAX);
}

static int open_parts(struct engine *e)
{
	int r = 0;

	for (unsigned i = 0; i < e->n_parts && r == 0; i++)
		if (e->parts[i]->open)
			r = e->parts[i]->open(e, &e->shared[i]);
	return r;
}

int engine_new(struct engine **ret, struct settings *settings, struct spool *sp,
	       const struct part *const *parts, unsigned n_parts, bool threads)
{
	OWNED(engine) e = must_alloc(sizeof(*e));
	int r;

	assert(n_parts <= PARTS_MAX);
	e->spool = sp;
	atomic_init(&e->settings, settings);
	e->threads = threads;
	e->parts = parts;
	e->n_parts = n_parts;
	e->n_lanes = lanes_wanted(e);
	r = open_parts(e);
	if (r < 0)
		return r;
	e->lanes = must_alloc(e->n_lanes * sizeof(*e->lanes));
	r = lane_init(&e->front, e, e->n_lanes, true);
	for (unsigned i = 0; i < e->n_lanes && r == 0; i++)
		r = lane_init(&e->lanes[i], e, i, false);
	if (r < 0)
		return r;
	*ret = TAKE(e);
	return 0;
}

static void stop_part(struct engine *e, struct lane *l, unsigned i)
{
	void *state = l->states[i];

	l->states[i] = NULL;
	if (state && e->parts[i]->stop)
		e->parts[i]->stop(state);
}

/* Notes posted during the end are run while the states they are about still exist. */
static void run_last_notes(struct engine *e)
{
	for (unsigned i = 0; e->lanes && i < e->n_lanes; i++)
		lane_run_notes(&e->lanes[i]);
	lane_run_notes(&e->front);
}

/* From the last part to the first: each part may use those before it until it has ended. */
static void stop_parts(struct engine *e)
{
	run_last_notes(e);
	for (unsigned i = e->n_parts; i-- > 0;) {
		for (unsigned k = 0; e->lanes && k < e->n_lanes; k++)
			stop_part(e, &e->lanes[k], i);
		stop_part(e, &e->front, i);
	}
}

struct engine *engine_free(struct engine *e)
{
	if (!e)
		return NULL;
	stop_parts(e);
	for (unsigned i = 0; e->lanes && i < e->n_lanes; i++)
		lane_done(&e->lanes[i]);
	lane_done(&e->front);
	free(e->lanes);
	for (unsigned i = e->n_parts; i-- > 0;)
		if (e->shared[i] && e->parts[i]->close)
			e->parts[i]->close(e->shared[i]);
	spool_free(e->spool);
	while (e->n_older)
		settings_free(e->older[--e->n_older]);
	free(e->older);
	settings_free(atomic_load(&e->settings));
	free(e);
	return NULL;
}

/* ---- start and threads ------------------------------------------------------------------- */

static int start_on(struct engine *e, struct lane *l, unsigned i)
{
	const struct part *p = e->parts[i];

	return p->start && p->front == l->front ? p->start(l, &l->states[i]) : 0;
}

int engine_start(struct engine *e, const char **ret_what)
{
	int r = 0;

	for (unsigned i = 0; i < e->n_parts && r == 0; i++) {
		*ret_what = e->parts[i]->name;
		for (unsigned k = 0; k < e->n_lanes && r == 0; k++)
			r = start_on(e, &e->lanes[k], i);
		if (r == 0)
			r = start_on(e, &e->front, i);
	}
	return r;
}

static void *lane_thread(void *arg)
{
	struct lane *l = arg;

	lane_run(l);
	return NULL;
}

/* Starts parts before threads, so that a port in use or a missing key ends the start itself. */
static int start_all(struct engine *e, const char **ret_what)
{
	int r = engine_start(e, ret_what);

	for (unsigned i = 0; i < e->n_lanes && r == 0; i++) {
		r = -pthread_create(&e->lanes[i].thread, NULL, lane_thread, &e->lanes[i]);
		e->lanes[i].started = r == 0;
		*ret_what = "threads";
	}
	return r;
}

static void run_break(struct lane *l, struct slice text)
{
	(void)text;
	lane_loop_stop(l);
}

static void end_all(struct engine *e)
{
	engine_tell_lanes(e, run_break, SLICE(""));
	for (unsigned i = 0; i < e->n_lanes; i++)
		if (e->lanes[i].started)
			pthread_join(e->lanes[i].thread, NULL);
	stop_parts(e);
}

int engine_run(struct engine *e, void (*ready)(void *arg), void *arg, const char **ret_what)
{
	int r = start_all(e, ret_what);

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

void engine_fatal(struct engine *e, int err)
{
	if (!atomic_exchange(&e->fatal, err))
		tell(&e->front, run_break, SLICE(""));
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

static void run_stop(struct lane *l, struct slice text)
{
	(void)text;
	lane_each(l, offsetof(struct part, quiet));
	atomic_store(&l->quiet, true);
}

static bool lane_idle(struct engine *e, const struct lane *l)
{
	if (!atomic_load(&l->quiet))
		return false;
	for (unsigned i = 0; i < e->n_parts; i++)
		if (l->states[i] && e->parts[i]->idle && !e->parts[i]->idle(l->states[i]))
			return false;
	return true;
}

static void on_look(struct timer *t)
{
	struct engine *e = container_of(t, struct engine, look);
	bool idle = true;

	for (unsigned i = 0; i < e->n_lanes && idle; i++)
		idle = lane_idle(e, &e->lanes[i]);
	if (idle)
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
	lane_each(&e->front, offsetof(struct part, quiet));
	engine_tell_lanes(e, run_stop, SLICE(""));
	if (!e->threads)
		return;
	timer_set(e->front.loop.timers, &e->grace, options(e)->stop_grace);
	timer_set(e->front.loop.timers, &e->look, LOOK_MS);
}

static void run_reload(struct lane *l, struct slice text)
{
	(void)text;
	lane_each(l, offsetof(struct part, reload));
}

void engine_set_rereader(struct engine *e, struct engine_rereader *r)
{
	e->rereader = r;
}

int engine_read_again(struct engine *e, char *text)
{
	*text = '\0';
	return e->rereader ? e->rereader->run(e->rereader, text) : E_DENIED;
}

void engine_reload(struct engine *e, struct settings *fresh)
{
	/* Reloads are rare: replaced settings are kept until the end. */
	e->older = must_resize(e->older, (e->n_older + 1) * sizeof(struct settings *));
	e->older[e->n_older++] = atomic_load(&e->settings);
	atomic_store_explicit(&e->settings, fresh, memory_order_release);
	lane_each(&e->front, offsetof(struct part, reload));
	engine_tell_lanes(e, run_reload, SLICE(""));
}
