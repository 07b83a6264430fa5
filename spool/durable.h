/* spool/durable.h - the second record of how far the log was durable: the file "durable", 64 bytes.
 * It is written when a segment has been begun and when the spool ends in good order.  The log may
 * go on further than it says, never end before: then its newest segment or a part of it is gone.
 * Owns:   nothing.
 * Blocks: on the disk.
 * Limits: one sector, written in place.  A file that does not match its checksum says nothing. */
#pragma once
#include "spool/disk.h"
#include "spool/format.h"

#define DURABLE_NAME "durable"
struct durable_mark {
	struct id128 spool;
	lsn_t lsn; /* 0: there is no mark */
};
/* E.g. -EIO; a mark that is missing or damaged is no error. */
int durable_read(const struct disk *d, int dirfd, struct durable_mark *ret) MUST_CHECK;
/* *fd: -1 at first; the caller closes it. */
int durable_write(const struct disk *d, int dirfd, int *fd,
		  const struct durable_mark *mark) MUST_CHECK;
