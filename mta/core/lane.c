/* mta/core/lane.c - a lane's inbox, its waits for the disk, and its turn. */
#include "mta/core/lane_int.h"

#include "base/clock.h"
#include "mta/core/engine_run.h"

static __thread struct lane *current;

struct lane *lane_current(void)
{
	return current;
}

/* ---- inbox: many producers, this lane takes ---------------------------------------------- */

void lane_wake(struct lane *l)
{
	/* One signal is enough until the lane has looked. */
	if (!atomic_exchange(&l->woken, true))
		lane_loop_wake(l);
}

void lane_post(struct lane *l, struct note *n)
{
	struct note *head = atomic_load_explicit(&l->inbox, memory_order_relaxed);

	do
		n->next = head;
	while (!atomic_compare_exchange_weak(&l->inbox, &head, n));
	lane_wake(l);
}

void lane_run_notes(struct lane *l)
{
	struct note *newest = atomic_exchange(&l->inbox, NULL), *oldest = NULL;

	while (newest) {
		struct note *next = newest->next;
		newest->next = oldest;
		oldest = newest;
		newest = next;
	}
	while (oldest) {
		struct note *n = oldest;
		oldest = n->next; /* run() may free it */
		n->run(n, l);
	}
}

/* ---- waiting for the disk ---------------------------------------------------------------- */

static void port_wake(struct spool_port *port)
{
	struct lane *l = container_of(port, struct lane, port);

	if (atomic_load(&l->waiting) || spool_failed(engine_spool(l->engine)))
		lane_wake(l);
}

static void run_waits(struct lane *l)
{
	struct spool *sp = engine_spool(l->engine);
	struct durable_wait *w;
	lsn_t durable;
	int failed;

	if (list_empty(&l->waits))
		return;
	failed = spool_failed(sp);
	durable = spool_durable(sp);
	while ((w = list_first(&l->waits, struct durable_wait, link)) != NULL) {
		if (w->lsn > durable && failed == 0)
			return;
		list_remove(&w->link);
		/* A position that was durable before the failure is safe. */
		w->done(w, w->lsn <= durable ? 0 : E_POISONED);
	}
	atomic_store(&l->waiting, false);
}

void lane_wait_durable(struct lane *l, struct durable_wait *w, lsn_t lsn)
{
	struct list *at = &l->waits;

	w->lsn = lsn;
	/* Positions come in order, so this loop ends at once. */
	while (at->prev != &l->waits &&
	       container_of(at->prev, struct durable_wait, link)->lsn > lsn)
		at = at->prev;
	list_insert_before(at, &w->link);
	atomic_store(&l->waiting, true);
	/* The commit may have come between append and store; then nobody will wake us. */
	if (spool_durable(engine_spool(l->engine)) >= lsn || spool_failed(engine_spool(l->engine)))
		lane_wake(l);
}

void lane_wait_cancel(struct lane *l, struct durable_wait *w)
{
	(void)l;
	list_remove(&w->link);
}

/* ---- the turn ---------------------------------------------------------------------------- */

void lane_each(struct lane *l, size_t member)
{
	const struct part *p;

	for (unsigned i = 0; (p = engine_part(l->engine, i)) != NULL; i++) {
		void (*verb)(void *) =
		    *(void (*const *)(void *))(const void *)((const char *)p + member);
		if (l->states[i] && verb)
			verb(l->states[i]);
	}
}

void lane_look_in(struct lane *l)
{
	atomic_store(&l->woken, false); /* before looking: what comes after it wakes us again */
	lane_run_notes(l);
	run_waits(l);
	lane_each(l, offsetof(struct part, look));
	if (l->front && spool_failed(engine_spool(l->engine)))
		engine_fatal(l->engine, E_POISONED); /* once; the front desk ends the process */
}

int64_t lane_turn(struct lane *l)
{
	int64_t next;

	current = l;
	do {
		lane_look_in(l);
		next = timers_run(l->loop.timers, clock_mono_ms());
		loop_run_turn_end(&l->loop);
	} while (!list_empty(&l->loop.turn_end) || atomic_load(&l->woken));
	next = timers_run(l->loop.timers, clock_mono_ms());
	current = NULL;
	return next;
}

int lane_init(struct lane *l, struct engine *e, unsigned index, bool front)
{
	*l = (struct lane){ .engine = e, .index = index, .front = front };
	list_init(&l->waits);
	l->port.wake = port_wake;
	lane_loop_open(l);
	lane_chores_open(l);
	spool_port_add(engine_spool(e), &l->port);
	return 0;
}

void lane_run(struct lane *l)
{
	current = l;
	lane_loop_run(l);
	current = NULL;
}

void lane_done(struct lane *l)
{
	if (!l->engine)
		return;
	current = l;
	lane_run_notes(l); /* a note left behind would never be freed */
	spool_port_remove(engine_spool(l->engine), &l->port);
	lane_chores_close(l);
	lane_loop_close(l);
	l->engine = NULL;
	current = NULL;
}

struct engine *lane_engine(struct lane *l)
{
	return l->engine;
}

struct loop *lane_loop(struct lane *l)
{
	return &l->loop;
}

unsigned lane_index(const struct lane *l)
{
	return l->index;
}

void *lane_state(struct lane *l, const struct part *p)
{
	return l->states[engine_part_index(l->engine, p)];
}
