/* spool/repair.h - sets damaged bytes of a log aside, so that the rest can run.
 *
 * Each damaged place is copied into a file of its own beside the segments
 * (<segment>-<offset>.damaged), then it becomes a record that says "lost".  Then the log is
 * recovered; queued recipients whose content is lost end as cancelled; a last record has the totals
 * and how many recipients have neither an end nor a place in the queue: the books' `lost`.
 *
 * Guarantee: a repair that is interrupted anywhere can be run again; until it has ended, no spool
 *            opens.
 * Owns:   nothing.
 * Blocks: reads the whole log.
 * Fails:  -EAGAIN: a process uses the spool.  E_CORRUPT, E_VERSION: it cannot be repaired; `reason`
 *         says why, and bad_segment where.
 * Limits: recipients whose end was lost and whose job is still there are tried again.  A rule or a
 *         cursor whose newest record was lost has the value before it.  When the power tears the
 *         one write that changes a place of the newest segment, recipients of a job there may not
 *         be counted as accepted and lost; the file that was set aside still has the bytes. */
#pragma once
#include "spool/spool.h"

enum { REPAIR_ASIDE = 64 };
struct spool_repair_place {
	char segment[24];
	uint64_t offset, bytes;
	bool header;              /* the segment's own header: it is written again */
	char aside[REPAIR_ASIDE]; /* the file that has the bytes; "" when nothing is written */
};
/* A record in a damaged place whose header can still be read.  What it says may be damaged too. */
struct spool_repair_record {
	const char *type;  /* "content", "job", "outcome", "rule", "consumer", "mark", "other" */
	struct id128 id;   /* of the content or the job */
	uint32_t rows;     /* of a job; 0: not legible */
	uint32_t row;      /* of an outcome */
	unsigned kind;     /* of an outcome: 0 when it is not legible */
	bool copy;         /* made by the cleaner */
	struct slice text; /* recipient of an outcome, key of a rule, name of a consumer */
};
struct spool_repair_options {
	const char *dir;
	const struct disk *disk; /* NULL: the real one */
	bool apply;              /* else it only looks */
	/* Each place, then the records in it; may be NULL. */
	void (*each_place)(void *arg, const struct spool_repair_place *place);
	void (*each_record)(void *arg, const struct spool_repair_record *record);
	void *arg;
};
struct spool_repair {
	uint64_t places, bytes;
	uint64_t records, jobs, rows, outcomes, contents; /* legible ones in damaged places */
	/* After `apply`: */
	uint64_t cancelled; /* recipients that were queued and whose content is lost */
	struct books books;
	char bad_segment[24];
	uint64_t bad_offset;
	const char *reason; /* NULL, or why it failed */
};
int spool_repair(const struct spool_repair_options *o, struct spool_repair *ret) MUST_CHECK;
