/* control/campaigns/schedule.c - the worker that begins campaigns whose hour has come. */
#include "base/log.h"
#include "control/campaigns/background.h"
#include "control/campaigns/start.h"

enum { SCHEDULE_MS = 500, RETRY_MS = 2000 };

static int schedule_step(struct worker *w)
{
	OWNED(db_result) due = NULL;
	int r =
	    db_run(w->ingest, &due,
		   "SELECT org_id, id FROM campaigns WHERE status = 2 AND scheduled_at <= now() "
		   "ORDER BY scheduled_at LIMIT 20");

	for (unsigned i = 0; r >= 0 && i < db_rows(due); i++) {
		struct campaign_ref c = { (uint32_t)db_int(due, i, 0),
					  (uint64_t)db_int(due, i, 1) };
		int e = db_tx(w->api, c.org, campaign_start_due, &c);

		if (e < 0)
			log_warn("campaign.start", kv_int("campaign", c.id), kv_err("error", e),
				 kv_str("why", db_error(w->api)));
	}
	return r < 0 ? r : 0;
}

const struct worker_row schedule_worker = {
	.name = "schedule",
	.step = schedule_step,
	.idle_ms = SCHEDULE_MS,
	.retry_ms = RETRY_MS,
	.failed = "schedule.failed",
};
