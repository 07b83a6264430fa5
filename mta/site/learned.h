/* mta/site/learned.h - what was learned of sources at sites (mta/site/steer.h), kept in a file of
 * its own beside the log, so that an engine that starts again does not meet the same walls.
 *
 *	file  = "PSTNADPT", version: u32, count: u32, saved: i64, length: u32, crc: u32, entry...
 *	entry = site length: u16, reply length: u8, family: u8, address: 16 bytes, numbers,
 *	        site, reply
 *
 * Numbers are little-endian; saved is the wall clock; times in an entry are so many milliseconds
 * before it (or, of a wall's end, after it).  crc is CRC-32C over the rest of the head and the
 * entries.
 *
 * The file is written anew, beside the old one, and takes its place by one rename: every LEARNED_MS
 * when something has changed, and at the end.
 * Guarantee: after a kill at any moment what is known is at most LEARNED_MS older than the moment.
 * Blocks:  on the disk, at the start and on the front desk.
 * Fails:   never the engine: a file that cannot be read is reported and begun anew; it is
 *          knowledge, not mail.
 * Limits:  sources that are held back somewhere, the LEARNED_MAX whose trouble is the latest. */
#pragma once
#include "base/buf.h"
#include "mta/core/part.h"
#include "mta/site/limits.h"

enum { LEARNED_MS = 10 * 1000, LEARNED_MAX = 16384 };
#define LEARNED_FILE "adaptive"

extern const struct part learned_part;

/* All that is held back, as the file has it.  How many entries that are. */
unsigned learned_write(struct limits *l, int64_t wall_ms, int64_t mono_ms, struct buf *ret);
/* Takes what the bytes say into `l`.  E_CORRUPT, E_VERSION; then nothing was taken. */
int learned_read(struct limits *l, struct slice file, int64_t wall_ms, int64_t mono_ms,
		 unsigned *ret_n) MUST_CHECK;
