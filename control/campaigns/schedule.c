/* control/campaigns/schedule.c - the worker that starts scheduled campaigns. */
#include "base/log.h"
#include "control/campaigns/background.h"
#include "control/campaigns/due.h"
#include "control/campaigns/statements.h"

enum { SCHEDULE_MS = 500, RETRY_MS = 2000 };
enum { DUE_ORG, DUE_ID };

static int schedule_step(struct worker *w)
{
	OWNED(db_result) due = NULL;
	int r = db_run(w->ingest, &due, sql_campaigns_due);

	for (unsigned i = 0; r >= 0 && i < db_rows(due); i++) {
		struct campaign_due c = { { (uint32_t)db_int(due, i, DUE_ORG),
					    (uint64_t)db_int(due, i, DUE_ID) },
					  w->app };
		int e = db_tx(w->api, c.ref.org, campaign_start_due, &c);

		if (e < 0)
			log_warn("campaign.start", kv_int("campaign", c.ref.id), kv_err("error", e),
				 kv_str("why", db_error(w->api)));
	}
	return r < 0 ? r : 0;
}

const struct worker_row campaigns_schedule_worker = {
	.name = "schedule",
	.step = schedule_step,
	.idle_ms = SCHEDULE_MS,
	.retry_ms = RETRY_MS,
	.failed = "schedule.failed",
};
