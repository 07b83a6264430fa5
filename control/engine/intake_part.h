/* control/engine/intake_part.h - what a room keeps of the engine's events.  Events are taken one by
 * one and written together, all parts or none, in the transaction that moves our cursor over them.
 *
 * Owns:   open() gives the intake the part's memory, which is kept from batch to batch.
 * Blocks: write() alone, on the database, as cp_ingest.
 * Fails:  write() as control/db/db.h; it may be run again after a rollback. */
#pragma once
#include "control/app/app.h"
#include "control/engine/subject.h"

/* Whom it is about: subject_of_late(), with the campaign that the database has. */
struct intake_late {
	uint64_t campaign, seq;
	bool any;
};
struct intake_part {
	void *(*open)(const struct app *app);
	void (*close)(void *part);
	void (*clear)(void *part);
	/* An acceptance or an outcome; campaign and seq as subject_of_event() says.  NULL: nothing
	 * of it. */
	void (*take)(void *part, const struct link_event *e, uint64_t campaign, uint64_t seq);
	/* What came back as mail; NULL: nothing of it.  who is NULL for a report about a domain. */
	void (*late)(void *part, const struct link_event *e, const struct intake_late *who);
	/* engine: engines.id */
	int (*write)(void *part, struct db *db, int64_t engine) MUST_CHECK;
};
/* control/background.c lists them, in the order in which they write. */
extern const struct intake_part *const intake_parts[];
extern const size_t intake_parts_n;
