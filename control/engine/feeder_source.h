/* control/engine/feeder_source.h - where the feeder gets the mail that it hands to the engine.  The
 * room that has the mail gives these functions; the feeder knows the link.
 *
 * Mail comes in pieces.  A piece is in doubt from the moment it is cut until accepted() has written
 * that the engine has it.  A piece in doubt is handed over again; the engine takes it once.
 *
 * Fails: as control/db/db.h.  E_LIMIT, E_SYNTAX and E_UNKNOWN lie in the campaign's own data. */
#pragma once
#include "control/app/app.h"
#include "control/db/column.h"

enum { FEEDER_ROWS = 5000 /* of a piece */ };

/* A campaign that this process alone feeds for a while. */
struct feeder_lease {
	uint32_t org;
	uint64_t campaign;
	uint64_t number; /* under which engines know it */
	bool sending;    /* otherwise only what is in doubt is cleared up */
};
/* What all pieces of a campaign share; the slices live as long as the mail. */
struct feeder_content {
	struct slice meta, bytes; /* of the content */
	struct slice job_meta;
	int64_t accepted_ms, expires_ms;
};
/* Recipients first to last without a gap, so that a job's row n is seq first + n. */
struct feeder_piece {
	uint64_t first, last;
	uint32_t rows;
	struct buf data;            /* schema/wire/rows.h */
	uint32_t gone[FEEDER_ROWS]; /* rows to nowhere, to be cancelled; only of a piece in doubt */
	unsigned n_gone;
};
/* Pieces that the engine has: one row each. */
struct feeder_done {
	struct db_column org, number, first, lsn;
};

struct feeder_source {
	/* Leases up to `most` campaigns with something to hand over to this engine (engines.id);
	 * returns how many. */
	int (*claim)(struct db *ingest, const char *holder, int lease_ms, unsigned most,
		     int64_t engine, struct feeder_lease *ret) MUST_CHECK;
	int (*renew)(struct db *ingest, const char *holder, int lease_ms) MUST_CHECK;
	/* Nobody leases it again before pause_ms have passed; below 0: at once. */
	int (*release)(struct db *ingest, const char *holder, const struct feeder_lease *lease,
		       int pause_ms) MUST_CHECK;
	int (*release_all)(struct db *ingest, const char *holder) MUST_CHECK;

	/* The mail of a lease, which ends with close(). */
	int (*open)(void **ret, struct app *app, struct db *api, const struct feeder_lease *lease,
		    struct feeder_content *ret_content) MUST_CHECK;
	void (*close)(void *mail);
	/* A new piece, in doubt from now on: 1, or 0 when none is left. */
	int (*next)(void *mail, struct db *api, struct feeder_piece *ret) MUST_CHECK;
	/* The oldest piece in doubt beyond the seq `after`: 1, or 0. */
	int (*in_doubt)(void *mail, struct db *api, uint64_t after,
			struct feeder_piece *ret) MUST_CHECK;
	int (*accepted)(struct db *ingest, struct feeder_done *done) MUST_CHECK;

	/* The engine has other mail under the id of this piece, or of the content: the campaign is
	 * stopped, unless its piece is known to be accepted by now.  1: it was stopped. */
	int (*refused)(struct db *ingest, const struct feeder_lease *lease,
		       uint64_t first) MUST_CHECK;
	/* Deals with one campaign that an engine which has ended had: what is open is put in doubt,
	 * under a new number, or ends.  1: there may be more; 0: none is left. */
	int (*settle)(struct db *ingest, int64_t engine, bool again) MUST_CHECK;
};
/* control/background.c names it. */
extern const struct feeder_source *const feeder_source;
