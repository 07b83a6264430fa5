/* control/worker/worker.h - one loop for everything that runs in the background.  A room owns its
 * step and the row that names it.
 *
 * Owns:    worker_start_all() gives the caller the workers; worker_stop_all() ends them.  The app
 *          outlives all of them.
 * Blocks:  worker_stop_all() until each step has ended; app->stopping must be set by then.
 * Threads: one per row, with database connections of its own. */
#pragma once
#include <pthread.h>

#include "control/app/app.h"

struct worker;
struct worker_row {
	const char *name;
	/* Does one piece of work.  Above 0: there may be more, and it runs again at once; 0: again
	 * after idle_ms; negative: again after retry_ms.  -EAGAIN says that it is another
	 * process's turn. */
	int (*step)(struct worker *w);
	int idle_ms, retry_ms;
	const char *failed; /* event of the log; the same error again is not repeated */
	bool fresh;         /* new connections for each step, so that its locks end with it */
	/* Makes and frees what the steps share; both may be NULL. */
	void *(*begin)(struct worker *w);
	void (*end)(void *state);
};
/* control/background.c lists them. */
extern const struct worker_row *const worker_rows[];
extern const size_t worker_rows_n;

struct worker {
	struct app *app;
	const struct worker_row *row;
	struct db *ingest, *api; /* by roles; they connect at their first use */
	void *state;             /* what begin() gave */
	pthread_t thread;
};

struct workers;
int worker_start_all(struct workers **ret, struct app *app) MUST_CHECK;
struct workers *worker_stop_all(struct workers *all);

bool worker_stopping(const struct worker *w);
/* Sleeps; ends early when the worker is to stop. */
void worker_pause(const struct worker *w, int ms);
