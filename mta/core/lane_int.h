/* mta/core/lane_int.h - the inside of a lane, for the files of this folder: its loop, inbox, waits
 * for the disk, and the states of the parts on it.
 *
 * Threads: everything except the inbox belongs to the lane's thread.
 * Limits:  lane_loop_*() are in mta/core/lane_ev.c; a simulation has its own and calls
 *          lane_turn(). */
#pragma once
#include <ev.h>
#include <pthread.h>
#include <stdatomic.h>

#include "mta/core/part.h"

struct lane {
	struct engine *engine;
	unsigned index;
	bool front;
	struct loop loop;
	ev_async wake;
	pthread_t thread;
	bool started;
	_Atomic bool quiet; /* SIGTERM has reached it */

	_Atomic(struct note *) inbox; /* newest first */
	_Atomic bool woken;           /* a wake is on its way */
	struct list waits;            /* durable_wait by position */
	struct spool_port port;
	_Atomic bool waiting; /* waits is not empty: commits must wake us */

	struct chores {                /* mta/core/chore.c */
		struct list now, next; /* still to have a slice in this round; in the next one */
		struct timer timer;
	} chores;
	void *states[PARTS_MAX]; /* of the engine's parts, by their place in the list */
};

int lane_init(struct lane *l, struct engine *e, unsigned index, bool front) MUST_CHECK;
void lane_done(struct lane *l);
void lane_run(struct lane *l);       /* on the lane's thread, until lane_loop_stop() */
void lane_look_in(struct lane *l);   /* inbox, waits, parts: after a wake */
void lane_run_notes(struct lane *l); /* the inbox alone */
/* One turn without libev.  Milliseconds until the next timer, -1: there is none. */
int64_t lane_turn(struct lane *l);

/* Calls one function of struct part, named by its offset, for every state on this lane. */
void lane_each(struct lane *l, size_t member);

void lane_chores_open(struct lane *l);
void lane_chores_close(struct lane *l);

/* The loop under a lane. */
void lane_loop_open(struct lane *l);
void lane_loop_wake(struct lane *l); /* any thread: lane_look_in() soon */
void lane_loop_run(struct lane *l);
void lane_loop_stop(struct lane *l);
void lane_loop_close(struct lane *l);
