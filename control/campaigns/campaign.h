/* control/campaigns/campaign.h - a campaign's row as the handlers of this room share it.
 * Blocks: on the database, in the organisation's open transaction.
 * Fails:  E_UNKNOWN: no such campaign. */
#pragma once
#include "control/campaigns/ledger.h"
#include "control/http/call.h"

/* A campaign's row, as campaign_load() gives it. */
enum campaign_column {
	CC_ID,
	CC_NAME,
	CC_STATUS,
	CC_TEMPLATE,
	CC_SUBJECT,
	CC_FROM_NAME,
	CC_FROM_EMAIL,
	CC_REPLY_TO,
	CC_TO_ALL,
	CC_SCHEDULED,
	CC_STARTED,
	CC_EXPIRES,
	CC_AUDIENCE,
	CC_CREATED,
	CC_UPDATED,
	CC_VERSION,
	CC_OPEN,
	CC_LISTS,
	CC_EXCLUDED,
	CC_DOMAIN,
	CC_UNFIT,
	CC_ENDS,
	CC_PAUSED_BY,
	CC_NUMBER,
	CC_TEST,
};
/* Path parameter 0; lock: FOR UPDATE. */
int campaign_load(struct call *c, bool lock, struct db_result **ret) MUST_CHECK;
json_t *campaign_json(const struct db_result *r, unsigned i);
int campaign_reply(struct call *c, unsigned status, const struct db_result *row) MUST_CHECK;
/* The word for its status: "completed" when it is sending and no recipient is open any more. */
const char *campaign_word(const struct db_result *r, unsigned i);
