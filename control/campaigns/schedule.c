/* control/campaigns/schedule.c - the worker that starts scheduled campaigns. */
#include "control/campaigns/background.h"
#include "control/campaigns/due.h"
#include "control/campaigns/statements.h"

enum { SCHEDULE_MS = 500, RETRY_MS = 2000 };

static int schedule_step(struct worker *w)
{
	OWNED(db_result) due = NULL;
	int r = db_run(w->ingest, &due, sql_campaigns_due);

	if (r >= 0)
		campaign_each_due(w, due, campaign_start_due, "campaign.start");
	return r < 0 ? r : 0;
}

const struct worker_row campaigns_schedule_worker = {
	.name = "schedule",
	.step = schedule_step,
	.idle_ms = SCHEDULE_MS,
	.retry_ms = RETRY_MS,
	.failed = "schedule.failed",
};
