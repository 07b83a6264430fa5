/* mta/engine_run.h - making, running and ending the engine: for main.c and the simulation.
 *
 * Owns:   engine_new() takes the config and the spool in every case; engine_free() ends both.
 * Blocks: engine_new loads the rules; engine_run until engine_stop.
 * Fails:  engine_run gives the first fault of a lane or an input, with its name in *ret_what.
 * Threads: engine_stop and engine_reload on the front desk. */
#pragma once
#include "mta/config.h"
#include "mta/engine.h"
#include "mta/input.h"
#include "mta/metrics.h"
#include "mta/start.h"

struct limits;
struct rules;

struct engine *engine_free(struct engine *e);
DEFINE_OWNED(engine)
/* threads == false: lanes without libev or threads, turned by engine_turn() (simulation). */
int engine_new(struct engine **ret, struct mta_config *c, struct spool *sp,
	       bool threads) MUST_CHECK;
int engine_run(struct engine *e, const struct input *const *inputs, unsigned n_inputs,
	       void (*ready)(void *arg), void *arg, const char **ret_what) MUST_CHECK;
void engine_stop(struct engine *e);
void engine_reload(struct engine *e, struct mta_config *fresh); /* takes it */
/* Simulation: every lane once; milliseconds until the next timer, -1 when there is none. */
int64_t engine_turn(struct engine *e);
int engine_start_work(struct engine *e) MUST_CHECK; /* simulation's engine_run */

/* A lane can no longer write outcomes: the process must end. Any thread. */
void engine_fatal(struct engine *e, int err);

struct rules *engine_rules(struct engine *e);
struct limits *engine_limits(struct engine *e);
const struct start_jobs *
engine_start_jobs(const struct engine *e); /* valid until the engine ends */
