/* control/campaigns/due.h - what becomes of a scheduled campaign at its time.
 * Blocks: on the database, in the organisation's open transaction.
 * Names:  campaign_. */
#pragma once
#include "control/campaigns/start.h"
#include "control/http/call.h"
#include "control/worker/worker.h"

struct campaign_due {
	struct campaign_ref ref;
	struct app *app;
};
/* Runs the work for each row of org and id, in a transaction of the org's: arg is a struct
 * campaign_due.  One that fails is logged as `event`, and the others go on. */
void campaign_each_due(struct worker *w, const struct db_result *rows, db_work work,
		       const char *event);
/* db_work, arg is a struct campaign_due: starts it; one that became unfit goes back to draft, with
 * the reason. */
int campaign_start_due(struct db *db, void *arg);
/* A line of the audit and a notice for what the service did with a campaign by itself.  Takes
 * detail. */
int campaign_note(struct app *app, struct db *db, const struct campaign_ref *c, const char *action,
		  json_t *detail) MUST_CHECK;
