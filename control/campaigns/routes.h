/* control/campaigns/routes.h - /v1/campaigns: the document, what is done with it, what came of
 * it. */
#pragma once
#include "control/campaigns/ledger.h"
#include "control/http/call.h"

extern const struct http_route campaign_routes[], campaign_action_routes[],
    campaign_report_routes[];
extern const size_t campaign_routes_n, campaign_action_routes_n, campaign_report_routes_n;

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
};
/* Path parameter 0; lock: FOR UPDATE. */
int campaign_load(struct call *c, bool lock, struct db_result **ret) MUST_CHECK;
json_t *campaign_json(const struct db_result *r, unsigned i);
int campaign_reply(struct call *c, unsigned status, const struct db_result *row) MUST_CHECK;
/* The word for what it is doing: "completed" when it is sending and nobody is open any more. */
const char *campaign_word(const struct db_result *r, unsigned i);
