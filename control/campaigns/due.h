/* control/campaigns/due.h - what becomes of a scheduled campaign at its time.
 * Blocks: on the database, in the organisation's open transaction.
 * Names:  campaign_. */
#pragma once
#include "control/campaigns/start.h"
#include "control/http/call.h"

struct campaign_due {
	struct campaign_ref ref;
	struct app *app;
};
/* db_work, arg is a struct campaign_due: starts it; one that became unfit goes back to draft, with
 * the reason. */
int campaign_start_due(struct db *db, void *arg);
/* A line of the audit and a notice for what the service did with a campaign by itself.  Takes
 * detail. */
int campaign_note(struct app *app, struct db *db, const struct campaign_ref *c, const char *action,
		  json_t *detail) MUST_CHECK;
