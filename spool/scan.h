/* spool/scan.h - reads the records of one segment file in order, in large blocks, and checks each.
 * Owns:   its buffer, which scan_end() gives back.  The descriptor stays the caller's.
 * Blocks: on the disk.
 * Fails:  E_CORRUPT when there is no whole, sound record at `at`; -errno of the disk.
 * Limits: memory is one block, or the largest record. */
#pragma once
#include "spool/disk.h"
#include "spool/format.h"

struct scan {
	const struct disk *disk;
	int fd;
	uint64_t salt;
	lsn_t start, at, limit; /* of the segment; of the next record; where records must end */
	char *buf;
	size_t cap, have;
	lsn_t buf_lsn;
};

void scan_begin(struct scan *s, const struct disk *disk, int fd, uint64_t salt, lsn_t start,
		lsn_t at, lsn_t limit);
void scan_end(struct scan *s);
void scan_again(struct scan *s); /* forget what was read: the file may have grown */
/* 1: *rec, valid until the next call; 0: at the limit. */
int scan_next(struct scan *s, struct record *rec) MUST_CHECK;

/* After E_CORRUPT: moves on to the next sound record.  1: s->at is there; 0: there is none. */
int scan_skip(struct scan *s) MUST_CHECK;

struct tail {
	bool damaged; /* a sound record lies after s->at that was written when s->at was durable */
	uint64_t sound; /* sound records after s->at */
};
/* Looks at all bytes from s->at to s->limit, after scan_next() said E_CORRUPT. */
int scan_tail(const struct scan *s, struct tail *ret) MUST_CHECK;
/* As scan_next(), for the newest segment: 0 also at a torn tail, which *tail describes.  A writer
 * may be at work, so what looks damaged is read a second time. */
int scan_next_newest(struct scan *s, struct record *rec, struct tail *tail) MUST_CHECK;

/* Reads and checks a segment's header. */
int scan_header(const struct disk *disk, int fd, lsn_t start,
		struct segment_header *ret) MUST_CHECK;
