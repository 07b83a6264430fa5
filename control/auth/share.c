/* control/auth/share.c - how many processes answer side by side: each holds a lock in the database
 * while it lives, and counts the locks.  A process that ends is gone at once. */
#include "base/log.h"
#include "control/auth/background.h"
#include "control/auth/statements.h"
#include "control/http/brake.h"

enum { COUNT_MS = 1000 };

static int share_step(struct worker *w)
{
	OWNED(db_result) res = NULL;
	unsigned *before = w->state, now;
	int r = db_run(w->ingest, NULL, sql_auth_share_hold);

	if (r >= 0)
		r = db_run(w->ingest, &res, sql_auth_share_count);
	if (r < 0)
		return r; /* the last count stands */
	now = (unsigned)db_int(res, 0, 0);
	http_brake_share(now);
	if (now != *before)
		log_info("limits.shared", kv_int("processes", now));
	*before = now;
	return 0;
}

static void *share_begin(struct worker *w UNUSED)
{
	unsigned *before = must_alloc(sizeof(*before));

	*before = 1;
	return before;
}

const struct worker_row share_worker = {
	.name = "share",
	.step = share_step,
	.idle_ms = COUNT_MS,
	.retry_ms = COUNT_MS,
	.failed = "limits.share",
	.begin = share_begin,
	.end = free,
};
