/* control/campaigns/check.h - is a campaign fit to be sent?
 * Blocks: on the database, in the organisation's open transaction.
 * Fails:  what is wrong with the campaign becomes problems of the call. */
#pragma once
#include "control/http/call.h"

/* Everything that would make a start at this time pointless or wrong, all at once; ends the
 * problem. */
int campaign_check(struct call *c, const struct db_result *row, int64_t at) MUST_CHECK;
/* Only its sender; adds to the problem. */
int campaign_check_sender(struct call *c, const struct db_result *row) MUST_CHECK;
