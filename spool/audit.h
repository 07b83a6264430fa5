/* spool/audit.h - proofs from the files alone, on a dead spool or beside a live writer.
 *
 * spool_audit() reads the log from its oldest segment and keeps its own account of every row, apart
 * from the books that the engine runs on.  The totals at the start of the log (segment header) and
 * what the records say must agree with the rows that are still live, and no row may end twice.
 * spool_verify() reads every byte, checks every checksum, and goes on after damage.
 *
 * Owns:   nothing.
 * Blocks: both read the whole log.
 * Fails:  -ENOENT: no spool there.  E_CORRUPT, E_VERSION: an audit cannot count over damage (verify
 *         says where it is).  What they find is data, not an error.
 * Limits: the memory of an audit grows with the outcomes in the log whose jobs have left it. */
#pragma once
#include "spool/spool.h"

struct spool_audit {
	/* The totals since the spool was made, nothing else of the books; queued are the rows that
	 * have no terminal record, counted row by row. */
	struct books books;
	uint64_t jobs_live, segments, records, bytes;
	uint64_t ended_twice;    /* rows with two terminal records */
	uint64_t revived;        /* rows that a copy called live after their terminal record */
	uint64_t accepted_twice; /* jobs with two records that are no copies */
	uint64_t
	    returned_twice; /* mails that came back, or facts in them, that stand there twice */
	uint64_t without_content; /* live jobs whose content is not in the log */
	/* Segments whose header has other totals than the records before it. */
	uint64_t headers_differ;
	int64_t missing;       /* accepted - ended - queued: rows that nobody can account for */
	int64_t missing_mails; /* mails that came back and were neither read nor wait */
	bool balanced;         /* everything above is zero that must be zero */
	char bad_segment[24];  /* the place, after E_CORRUPT or E_VERSION */
	uint64_t bad_offset;
};
/* disk: NULL is the real one. */
int spool_audit(const char *dir, const struct disk *disk, struct spool_audit *ret) MUST_CHECK;

struct spool_verify_segment {
	char name[24];
	uint64_t index, of; /* progress: number `index` of `of` */
	uint64_t records, bytes;
	uint64_t damaged; /* places where bytes are not the record that was written */
	uint64_t damaged_bytes;
	uint64_t first_damage; /* offset in the file */
	bool torn;             /* the newest segment ends in a batch that was never acknowledged */
};
struct spool_verify {
	/* A missing segment counts as damage of the one before it. */
	uint64_t segments, records, bytes, damaged, damaged_bytes;
	bool torn;
};
/* each() after every segment; a negative return ends the pass and is returned. */
int spool_verify(const char *dir, const struct disk *disk,
		 int (*each)(void *arg, const struct spool_verify_segment *seg), void *arg,
		 struct spool_verify *ret) MUST_CHECK;
