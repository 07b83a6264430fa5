/* control/worker/sweep.c - takes away what has had its time (schema/sql: sweep()). */
#include "base/log.h"
#include "control/worker/worker.h"

enum { SWEEP_MS = 60 * 1000, MOST = 1000 };

void sweep_run(struct worker *w)
{
	OWNED(db) db = app_db(w->app, APP_INGEST);

	while (!worker_stopping(w)) {
		OWNED(db_result) res = NULL;
		int r = db_run(db, &res, "SELECT sweep($1)", p_int(MOST));

		if (r < 0)
			log_warn("sweep.failed", kv_err("error", r), kv_str("why", db_error(db)));
		/* A full load means that there is more. */
		if (r < 0 || db_int(res, 0, 0) < MOST)
			worker_pause(w, SWEEP_MS);
	}
}
