/* control/campaigns/ledger_settle.h - campaigns whose engine has ended, or refuses them; as
 * feeder_source.settle and .refused say (control/engine/feeder_source.h).
 *
 *	sending, paused:  its open recipients go into new pieces, in doubt, under a new number; or
 *	                  they end as cancelled, with the reason "engine_lost"
 *	cancelled:        its open recipients end
 *
 * The old number is ordered cancelled, in case the old spool, or a copy of it, still has mail.
 * When events were lost, because the database is older than the engine's log, the campaign is
 * paused: nobody can know who has it already, so somebody must decide.
 *
 * Blocks: on the database, as cp_ingest, in a transaction for each campaign.
 * Fails:  as control/db/db.h. */
#pragma once
#include "control/engine/feeder_source.h"

int ledger_refused(struct db *ingest, const struct feeder_lease *lease, uint64_t first) MUST_CHECK;
int ledger_settle(struct db *ingest, int64_t engine, bool again) MUST_CHECK;
