/* control/campaigns/start.h - the moment a campaign begins: its audience becomes the ledger.
 * Blocks:    on the database, in the organisation's open transaction; a statement's time grows with
 *            the audience.
 * Guarantee: ledger, sums, template version and status change together or not at all. */
#pragma once
#include "control/campaigns/codes.h"
#include "control/db/db.h"

struct campaign_ref {
	uint32_t org;
	uint64_t id;
};
/* Whom the audience would reach now: UNFIT_NO, UNFIT_EMPTY or UNFIT_HELD. */
int campaign_reach(struct db *db, const struct campaign_ref *c, bool to_all) MUST_CHECK;
/* Freezes the audience and begins to send.  The caller has locked the row and checked that the
 * campaign is fit to send.  Returns 0, or E_CONFLICT when it is neither draft nor scheduled, or
 * when the last of those who could be sent to went meanwhile. */
int campaign_start(struct db *db, const struct campaign_ref *c) MUST_CHECK;
/* Statements whose time grows with the audience may take it, in this transaction. */
int campaign_wait_long(struct db *db) MUST_CHECK;
