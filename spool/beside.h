/* spool/beside.h - a small file beside the log, read and written as a whole: for what is kept over
 * a restart and is not worth a record.
 *
 * Guarantee: the file is written under another name and takes its place by one rename: after a
 *            crash it is the old one or the new one.
 * Owns:      the caller's buf gets the bytes; the folder stays the caller's (spool_folder()).
 * Blocks:    on the disk.
 * Threads:   any; one writer of a name at a time.
 * Fails:     -errno; beside_read(): -ENOENT when there is none, E_LIMIT when it is larger than
 *            `max`. */
#pragma once
#include "base/buf.h"
#include "spool/disk.h"

enum { BESIDE_NAME_MAX = 64 };
int beside_write(const struct disk *d, int dirfd, const char *name, struct slice bytes) MUST_CHECK;
int beside_read(const struct disk *d, int dirfd, const char *name, uint64_t max,
		struct buf *out) MUST_CHECK;
