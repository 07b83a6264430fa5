/* control/campaigns/ledger_piece.h - the next piece of a campaign's ledger as the rows of one job.
 *
 * A piece covers seqs without a gap.  A recipient that must not be sent to any more (contact
 * deleted, suppressed since the start) ends a fresh piece early and goes straight to its terminal
 * state.  A piece that is handed over again keeps its range.  A contact that was deleted meanwhile,
 * or wants no mail any more, becomes a row to nowhere (removed@removed.invalid), which the feeder
 * cancels first.
 *
 * Blocks: on the database, as cp_api, in a transaction of its own.
 * Fails:  as control/db/db.h; E_LIMIT for rows past the wire's bounds. */
#pragma once
#include "control/campaigns/ledger.h"
#include "control/campaigns/recipe.h"
#include "control/engine/feeder_source.h"

struct ledger_piece_maker {
	uint64_t number; /* of the campaign, as the lease has it */
	const struct recipe *recipe;
	const struct ticket_key *key;
	const char *public_url; /* https://host, no slash at the end */
};
/* As feeder_source.next and .in_doubt. */
int ledger_piece_cut(struct db *db, const struct ledger_piece_maker *m,
		     struct feeder_piece *ret) MUST_CHECK;
int ledger_piece_in_doubt(struct db *db, const struct ledger_piece_maker *m, uint64_t after,
			  struct feeder_piece *ret) MUST_CHECK;
