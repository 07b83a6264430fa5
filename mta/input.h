/* mta/input.h - what an input (submission listener, link, admin socket) gives the engine: how to
 * start on a lane's thread and how to end there.  main.c has the table of them.
 *
 * Order: start() on every lane before the first job is loaded; at SIGTERM quiet() (take no new
 *        work;
 * what was acknowledged is safe), then, after the grace period, stop() when the lane ends. */
#pragma once
#include "mta/engine.h"

struct input {
	const char *name;
	bool front;                                     /* on the front desk, else on every lane */
	int (*start)(struct lane *l, void **ret_state); /* negative: the engine does not start */
	void (*quiet)(void *state);
	void (*stop)(void *state);   /* frees it */
	void (*reload)(void *state); /* engine_config() is a new one; may be NULL */
};
