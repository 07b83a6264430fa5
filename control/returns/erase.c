/* control/returns/erase.c - takes addresses of erased contacts out of what is kept of their mail,
 * in the background: there may be years of it (erase_some() of schema/sql/0058_erasures.sql). */
#include "control/returns/background.h"
#include "control/returns/statements.h"

enum { AT_ONCE = 20, IDLE_MS = 500, RETRY_MS = 5000 };

static int erase_step(struct worker *w)
{
	OWNED(db_result) n = NULL;
	int r = db_run(w->ingest, &n, sql_returns_erase, p_int(AT_ONCE));

	return r < 0 ? r : (int)db_int(n, 0, 0);
}

const struct worker_row returns_erase_worker = {
	.name = "erase",
	.step = erase_step,
	.idle_ms = IDLE_MS,
	.retry_ms = RETRY_MS,
	.failed = "erase.ended",
};
