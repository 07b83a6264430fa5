/* mta/core/engine_run.h - making, running and ending the engine: for main.c and the simulation.
 *
 * Owns:   engine_new() takes the settings and the spool in every case; engine_free() ends both.
 * Blocks: engine_new() while its parts open; engine_run() until engine_stop().
 * Fails:  engine_run() gives the first fault of a part or a lane, with its name in *ret_what.
 * Threads: engine_stop() and engine_reload() on the front desk.
 * Limits: PARTS_MAX parts, LANES_MAX lanes. */
#pragma once
#include "mta/core/part.h"

enum { LANES_MAX = 64 };

/* Options of the engine itself. */
struct core_options {
	int64_t lanes, stop_grace;
};
extern const struct option_set core_option_set;

struct engine *engine_free(struct engine *e);
DEFINE_OWNED(engine)
/* threads == false: lanes without libev and without threads; engine_turn() drives them. */
int engine_new(struct engine **ret, struct settings *settings, struct spool *sp,
	       const struct part *const *parts, unsigned n_parts, bool threads) MUST_CHECK;
int engine_run(struct engine *e, void (*ready)(void *arg), void *arg,
	       const char **ret_what) MUST_CHECK;
void engine_stop(struct engine *e);
void engine_reload(struct engine *e, struct settings *fresh); /* takes it */
/* What engine_read_again() does; run() calls engine_reload(). */
struct engine_rereader {
	int (*run)(struct engine_rereader *r, char *text);
};
void engine_set_rereader(struct engine *e, struct engine_rereader *r);
/* Simulation: every lane once; milliseconds until the next timer, -1 when there is none. */
int64_t engine_turn(struct engine *e);
int engine_start(struct engine *e, const char **ret_what) MUST_CHECK; /* instead of engine_run() */
