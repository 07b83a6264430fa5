/* control/worker/worker.h - what the background workers share: threads that loop until told to
 * stop, and wait so that telling them is heard at once.
 * Owns:    the service that starts a worker joins it; the app outlives all of them.
 * Threads: one a worker, each with database connections of its own. */
#pragma once
#include <pthread.h>

#include "control/app/app.h"
#include "control/tracking/ticket.h"

struct worker {
	struct app *app;
	const char *name;
	void (*run)(struct worker *w); /* returns when worker_stopping() */
	pthread_t thread;
	bool started;
};
struct workers;
/* Starts intake, feed, imports, schedule, sweep and domains. */
int workers_start(struct workers **ret, struct app *app) MUST_CHECK;
struct workers *workers_stop(struct workers *all);

bool worker_stopping(const struct worker *w);
/* Sleeps, or less when the worker is to stop. */
void worker_pause(const struct worker *w, int ms);
/* The key of unsubscribe links. */
int worker_ticket_key(const struct app *app, struct ticket_key *ret) MUST_CHECK;

void intake_run(struct worker *w);
void feed_run(struct worker *w);
void imports_run(struct worker *w);
void schedule_run(struct worker *w);
void sweep_run(struct worker *w);
void domains_run(struct worker *w);
