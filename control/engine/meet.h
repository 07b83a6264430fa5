/* control/engine/meet.h - connects to the engine and sees whether it is the one that we knew, with
 * all that we know of it.  What an engine that has ended had is settled before anything else
 * happens: no event of the new one is read, and nothing is fed.
 *
 * Guarantee: a spool that was replaced, emptied or put back to an earlier state is noticed before
 *            the first frame; so is a database that lacks what it once knew.
 * Owns:    gives the caller the connection.
 * Blocks:  on the engine, the database and the settling, whose time grows with what was lost.
 * Fails:   as carrier_open() and control/db/db.h; -EBUSY: another process reads another engine, and
 *          one database feeds one engine.
 * Limits:  a spool put back that has grown past what we read, with a record that ends there, passes
 *          for whole; what it lacks is then not sent again. */
#pragma once
#include "control/engine/carrier.h"
#include "control/worker/worker.h"

/* consumer: as carrier_open().  *ret_engine: engines.id. */
int meet_engine(struct worker *w, struct slice consumer, struct carrier **ret_link,
		int64_t *ret_engine) MUST_CHECK;
/* The log of this engine does not have the place up to which it was read: the next meeting finds
 * that it went back. */
int meet_went_back(struct worker *w, int64_t engine) MUST_CHECK;

/* What a room must tell an engine that has nothing: it puts its orders into the outbox, as
 * cp_ingest, within the transaction that meets the engine.  control/background.c lists them. */
struct meet_refill {
	const char *name;
	int (*run)(struct app *app, struct db *ingest) MUST_CHECK;
};
extern const struct meet_refill *const meet_refills[];
extern const size_t meet_refills_n;
