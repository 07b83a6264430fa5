/* control/engine/installation.c - asks the database who it is, at meetings and now and then. */
#include "control/engine/installation.h"

#include "base/log.h"
#include "control/engine/background.h"

enum { CHECK_MS = 5000 };

int installation_check(struct db *ingest, bool later)
{
	OWNED(db_result) row = NULL;
	int r = db_run(ingest, &row, "SELECT installation_check($1::int::bool)", p_bool(later));

	if (r < 0)
		return r;
	if (db_text(row, 0, 0).n)
		log_warn("installation.new-incarnation", kv_slice("why", db_text(row, 0, 0)));
	return 0;
}

static int installation_step(struct worker *w)
{
	return installation_check(w->ingest, false);
}

const struct worker_row installation_worker = {
	.name = "installation",
	.step = installation_step,
	.idle_ms = CHECK_MS,
	.retry_ms = CHECK_MS,
	.failed = "installation.failed",
};
