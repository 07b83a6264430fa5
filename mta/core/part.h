/* mta/core/part.h - a part of the engine: a room that has something on the lanes, on the front
 * desk, or shared by them all.  mta/parts.c lists them; the lane only composes them.
 *
 * Order: open() of every part, in the order of the list; then start() of each part on every lane
 *        (or on the front desk), so that a part may use those before it.  At SIGTERM quiet() (take
 *        no new work; what was acknowledged is safe), then, once every lane is idle or the grace
 *        period is over, stop() from the last part to the first, then close() likewise.
 * Threads: open, start, stop and close before and after the threads run; the others on the lane's
 *        own thread, except idle(). */
#pragma once
#include "mta/core/counters.h"
#include "mta/core/engine.h"

enum { PARTS_MAX = 32 };

/* Every function may be NULL.  `shared` and `state` are what open() and start() gave. */
struct part {
	const char *name;
	bool front;                                       /* on the front desk, not on the lanes */
	int (*open)(struct engine *e, void **ret_shared); /* negative: the engine does not start */
	int (*start)(struct lane *l, void **ret_state);   /* likewise */
	void (*look)(void *state);                        /* the lane was woken */
	void (*changed)(void *state);                     /* engine_changed() was called */
	void (*reload)(void *state);                      /* engine_settings() are new ones */
	void (*quiet)(void *state);
	bool (*idle)(const void *state); /* nothing in flight; any thread */
	void (*stop)(void *state);       /* frees it */
	void (*close)(void *shared);     /* frees it */
	const struct counter_set *counters;
	const struct counter_family *family;    /* one whose counters have a label */
	const struct histogram_row *histograms; /* on the lanes */
	unsigned n_histograms;
	size_t counters_at; /* of all three, in the state */
};
