/* control/worker/periodic.c - the workers that look now and then: waiting imports, campaigns whose
 * hour has come. */
#include "base/log.h"
#include "control/app/options.h"
#include "control/campaigns/start.h"
#include "control/contacts/import.h"
#include "control/worker/worker.h"

enum { IMPORTS_MS = 200, SCHEDULE_MS = 500, RETRY_MS = 2000 };

void imports_run(struct worker *w)
{
	OWNED(db) ingest = app_db(w->app, APP_INGEST);
	OWNED(db) api = app_db(w->app, APP_API);

	uploads_clean(ingest, app_options(w->app)->data_dir);
	while (!worker_stopping(w)) {
		int r = import_run_one(ingest, api, &w->app->stopping);

		if (r < 0)
			log_warn("import.failed", kv_err("error", r),
				 kv_str("ingest", db_error(ingest)), kv_str("api", db_error(api)));
		if (r <= 0)
			worker_pause(w, r < 0 ? RETRY_MS : IMPORTS_MS);
	}
}

static int start_due(struct db *ingest, struct db *api)
{
	OWNED(db_result) due = NULL;
	int r =
	    db_run(ingest, &due,
		   "SELECT org_id, id FROM campaigns WHERE status = 2 AND scheduled_at <= now() "
		   "ORDER BY scheduled_at LIMIT 20");

	for (unsigned i = 0; r >= 0 && i < db_rows(due); i++) {
		struct campaign_ref c = { (uint32_t)db_int(due, i, 0),
					  (uint64_t)db_int(due, i, 1) };
		int e = db_tx(api, c.org, campaign_start_due, &c);

		if (e < 0)
			log_warn("campaign.start", kv_int("campaign", c.id), kv_err("error", e),
				 kv_str("why", db_error(api)));
	}
	return r;
}

void schedule_run(struct worker *w)
{
	OWNED(db) ingest = app_db(w->app, APP_INGEST);
	OWNED(db) api = app_db(w->app, APP_API);

	while (!worker_stopping(w))
		worker_pause(w, start_due(ingest, api) < 0 ? RETRY_MS : SCHEDULE_MS);
}
