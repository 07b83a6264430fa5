/* control/campaigns/ledger_piece.h - the next piece of a campaign's ledger as the rows of one job.
 *
 * A chunk covers seqs without a gap, so that a job's row n is seq first + n.  A recipient that must
 * not be sent to any more (contact deleted, suppressed since the start) ends a fresh chunk early
 * and goes straight to its terminal state.  A chunk that is handed over again keeps its range; a
 * contact deleted meanwhile is then a row to nowhere (removed@removed.invalid) that the caller
 * orders cancelled first.
 *
 * Owns:   ledger_piece_init/ledger_piece_free hold the memory of the rows; a chunk is reused.
 * Blocks: on the database, as cp_api, in a transaction of its own.
 * Fails:  database errors; E_LIMIT for rows past the wire's bounds. */
#pragma once
#include "control/campaigns/ledger.h"
#include "control/campaigns/recipe.h"

struct ledger_piece {
	uint64_t first, last;
	uint32_t rows;
	struct buf data;         /* schema/wire/rows.h */
	uint32_t gone[JOB_ROWS]; /* rows to nowhere; only when handed over again */
	unsigned n_gone;
};
void ledger_piece_init(struct ledger_piece *c);
void ledger_piece_free(struct ledger_piece *c);

struct ledger_piece_maker {
	const struct recipe *recipe;
	const struct ticket_key *key;
	const char *public_url; /* https://host, no slash at the end */
};
/* 1 a chunk (now in doubt in the database), 0 none is left or the campaign is not sending. */
int ledger_piece_cut(struct db *db, const struct ledger_piece_maker *m,
		     struct ledger_piece *ret) MUST_CHECK;
/* The oldest chunk after `after` whose acceptance is in doubt: 1, or 0. */
int ledger_piece_in_doubt(struct db *db, const struct ledger_piece_maker *m, uint64_t after,
			  struct ledger_piece *ret) MUST_CHECK;
