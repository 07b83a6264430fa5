/* mta/lane.h - one thread's world: loop, timers, inbox, waits for the disk, and (on delivering
 * lanes) the queue, sites and caches.  For the core's own files; inputs use mta/engine.h.
 *
 * Threads: everything but the inbox and `jobs` belongs to the lane's thread.
 * Simulation: lane_loop_* are lane_ev.c's, or a test's that has no libev and calls lane_turn(). */
#pragma once
#include <ev.h>
#include <pthread.h>
#include <stdatomic.h>

#include "mta/config.h"
#include "mta/engine.h"
#include "mta/input.h"
#include "mta/metrics.h"

enum { LANE_INPUTS_MAX = 8 };

/* JOB_NEW: whoever gets it tells the lanes that own its other rows; JOB_ROWS: take your own. */
struct given_job {
	job_no job;
	enum { JOB_NEW, JOB_ROWS } how;
};

struct work; /* mta/work.h: what a delivering lane does */

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

	pthread_mutex_t jobs_lock; /* jobs that became durable, for work.c to load */
	struct given_job *jobs;
	size_t n_jobs, cap_jobs;

	struct work *work; /* NULL on the front desk */
	struct metrics metrics;
	void *inputs[LANE_INPUTS_MAX];
};

int lane_init(struct lane *l, struct engine *e, unsigned index, bool front) MUST_CHECK;
void lane_done(struct lane *l);
void lane_run(struct lane *l);       /* on the lane's thread, until lane_loop_stop */
void lane_wake(struct lane *l);      /* any thread */
void lane_look_in(struct lane *l);   /* inbox, waits, jobs: after a wake */
void lane_run_notes(struct lane *l); /* the inbox alone */
/* One turn without libev: gives milliseconds until the next timer, -1 when there is none. */
int64_t lane_turn(struct lane *l);

/* The loop under a lane. */
void lane_loop_open(struct lane *l);
void lane_loop_wake(struct lane *l); /* any thread: lane_look_in() soon */
void lane_loop_run(struct lane *l);
void lane_loop_stop(struct lane *l);
void lane_loop_close(struct lane *l);

/* Any thread. */
void lane_give_job(struct lane *l, struct given_job job);
/* Swaps the list of jobs handed over with the caller's empty array. */
size_t lane_take_jobs(struct lane *l, struct given_job **array, size_t *cap);
struct lane *lane_current(void); /* the calling thread's, NULL elsewhere */
