/* control/worker/sweep.c - deletes what has expired (schema/sql: sweep()). */
#include "control/worker/sweep.h"

enum { SWEEP_MS = 60 * 1000, MOST = 1000 };

static int sweep_step(struct worker *w)
{
	OWNED(db_result) res = NULL;
	int r = db_run(
	    w->ingest, &res,
	    "SELECT sweep($1) + sweep_signups($1) + sweep_reports($1) + sweep_journeys($1) + "
	    "sweep_assertions($1)",
	    p_int(MOST));

	/* When it deleted MOST there may be more. */
	return r < 0 ? r : db_int(res, 0, 0) >= MOST;
}

const struct worker_row worker_sweep = {
	.name = "sweep",
	.step = sweep_step,
	.idle_ms = SWEEP_MS,
	.retry_ms = SWEEP_MS,
	.failed = "sweep.failed",
};
