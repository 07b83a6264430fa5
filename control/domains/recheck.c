/* control/domains/recheck.c - looks at verified domains again every six hours: a key that is gone
 * from DNS must not be found out by the receivers' complaints.  Silence of DNS changes nothing
 * (verify.c). */
#include "base/log.h"
#include "control/domains/domains.h"
#include "control/domains/statements.h"
#include "control/worker/worker.h"

enum { LOOK_MS = 5000, MOST = 20 };

enum { DUE_ORG, DUE_ID };

static int check_due(struct worker *w, struct db *ingest, struct db *api)
{
	OWNED(db_result) due = NULL;
	int r = db_run(ingest, &due, sql_domains_due, p_int(MOST));

	for (unsigned i = 0; r >= 0 && i < db_rows(due) && !worker_stopping(w); i++) {
		int e = sender_domain_recheck(w->app, api, (uint32_t)db_int(due, i, DUE_ORG),
					      (uint64_t)db_int(due, i, DUE_ID));

		if (e < 0)
			log_warn("domain.recheck", kv_int("domain", db_int(due, i, DUE_ID)),
				 kv_err("error", e), kv_str("why", db_error(api)));
	}
	return r;
}

void domains_run(struct worker *w)
{
	OWNED(db) ingest = app_db(w->app, APP_INGEST);
	OWNED(db) api = app_db(w->app, APP_API);

	while (!worker_stopping(w)) {
		(void)check_due(w, ingest, api);
		worker_pause(w, LOOK_MS);
	}
}
