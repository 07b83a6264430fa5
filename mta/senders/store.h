/* mta/senders/store.h - what the control plane has told of senders and suppressions, on disk: one
 * file in the spool's folder, so that an engine that starts alone enforces what it knew.
 *
 *	file  = "PSTNSEND", version: u32, zero: u32, nonce: 16 bytes, digest of these, block...
 *	block = length: u32, kind: u32, digest: 16 bytes, facts             (numbers little-endian)
 *	kind  = 1 a part of the whole set, 2 its end (without facts), 3 a change
 *
 * A block's digest is the first half of SHA-256 over the digest of the file's head, the block's
 * place in the file, its length, its kind and its facts: none passes in another place or file.
 *
 * Guarantee: what store_change() and store_end() have taken is on the platter when they return, and
 *            after a crash at any moment all facts of a call are there or none.  A whole set is
 *            written beside the old one and takes its place by one rename.
 * Owns:    store_open() gives the caller the store and what it knows; store_free() ends it.  The
 *          folder stays the caller's.
 * Blocks:  on the disk.
 * Fails:   store_open(): E_CORRUPT when what was synced is damaged, E_VERSION; the fault says
 *          where.  A last block that is not whole was never acknowledged: it is cut off.  Whole
 *          blocks behind one that is not are damage, because each is synced before the next.
 *          Later: -errno, and the file is as before; E_POISONED after a sync that failed, until a
 *          whole set is written or the file is opened again.
 * Limits:  STORE_FACTS_MAX bytes of facts a block.  Not thread-safe. */
#pragma once
#include "mta/senders/known.h"
#include "spool/disk.h"

enum { STORE_FACTS_MAX = 1024 * 1024 };
#define STORE_FILE "senders"

struct store;
struct store *store_free(struct store *s);
DEFINE_OWNED(store)
struct store_fault {
	uint64_t offset;
	const char *reason; /* NULL: none was found */
	uint64_t cut;       /* bytes that were cut off at the end */
};
int store_open(struct store **ret, const struct disk *disk, int dirfd, struct known **ret_known,
	       struct store_fault *fault) MUST_CHECK;
bool store_is_fed(const struct store *s); /* there is a whole set: a control plane was here */

int store_change(struct store *s, struct slice facts) MUST_CHECK;
/* The changes are more than the set: better written anew. */
bool store_is_long(const struct store *s);

/* A whole set: begin, any number of parts, end.  A new begin drops what was begun. */
int store_begin(struct store *s) MUST_CHECK;
int store_part(struct store *s, struct slice facts) MUST_CHECK;
int store_end(struct store *s) MUST_CHECK;
