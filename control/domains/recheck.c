/* control/domains/recheck.c - checks verified domains again every six hours, so that we notice a
 * missing key before receivers refuse mail.  Without an answer nothing changes (verify.c). */
#include "base/log.h"
#include "control/domains/background.h"
#include "control/domains/private.h"
#include "control/domains/statements.h"

enum { LOOK_MS = 5000, MOST = 20 };

enum { DUE_ORG, DUE_ID };

static int recheck_step(struct worker *w)
{
	OWNED(db_result) due = NULL;
	int r = db_run(w->ingest, &due, sql_domains_due, p_int(MOST));

	for (unsigned i = 0; r >= 0 && i < db_rows(due) && !worker_stopping(w); i++) {
		int e = sender_domain_recheck(w->app, w->api, (uint32_t)db_int(due, i, DUE_ORG),
					      (uint64_t)db_int(due, i, DUE_ID));

		if (e < 0)
			log_warn("domain.recheck", kv_int("domain", db_int(due, i, DUE_ID)),
				 kv_err("error", e), kv_str("why", db_error(w->api)));
	}
	return r < 0 ? r : 0;
}

const struct worker_row domains_recheck_worker = {
	.name = "domains",
	.step = recheck_step,
	.idle_ms = LOOK_MS,
	.retry_ms = LOOK_MS,
	.failed = "domain.recheck",
};
