/* control/domains/recheck.c - looks at verified domains again every six hours: a key that is gone
 * from DNS must not be found out by the receivers' complaints.  Silence of DNS changes nothing
 * (verify.c). */
#include "base/log.h"
#include "control/domains/background.h"
#include "control/domains/domains.h"

enum { LOOK_MS = 5000, MOST = 20 };

static int recheck_step(struct worker *w)
{
	OWNED(db_result) due = NULL;
	int r = db_run(w->ingest, &due,
		       "SELECT org_id, id FROM domains WHERE status <> 1"
		       " AND checked_at < now() - interval '6 hours' ORDER BY checked_at LIMIT $1",
		       p_int(MOST));

	for (unsigned i = 0; r >= 0 && i < db_rows(due) && !worker_stopping(w); i++) {
		int e = sender_domain_recheck(w->app, w->api, (uint32_t)db_int(due, i, 0),
					      (uint64_t)db_int(due, i, 1));

		if (e < 0)
			log_warn("domain.recheck", kv_int("domain", db_int(due, i, 1)),
				 kv_err("error", e), kv_str("why", db_error(w->api)));
	}
	return r < 0 ? r : 0;
}

const struct worker_row recheck_worker = {
	.name = "domains",
	.step = recheck_step,
	.idle_ms = LOOK_MS,
	.retry_ms = LOOK_MS,
	.failed = "domain.recheck",
};
