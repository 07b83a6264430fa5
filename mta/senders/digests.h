/* mta/senders/digests.h - a set of 16-byte digests, 16 to 30 bytes of memory each.  Where one lies
 * is drawn with the process's key, so that no peer can aim addresses at one place.
 * Owns:   its memory; digests_free() gives it back and leaves an empty set.
 * Fails:  -ENOMEM; the set is then unchanged.
 * Limits: not the digest of zeros.  Not thread-safe. */
#pragma once
#include "base/base.h"

enum { DIGEST_SIZE = 16 };
struct digests { /* starts as zeros */
	uint8_t (*at)[DIGEST_SIZE];
	size_t n, cap;
	size_t wanted; /* the caller's, while it counts how much room to reserve */
	uint64_t sum;  /* exclusive or of the first 8 bytes of each (schema/wire/facts.h) */
};

void digests_free(struct digests *d);
int digests_reserve(struct digests *d, size_t more) MUST_CHECK; /* room for so many more */
bool digests_has(const struct digests *d, const uint8_t *digest);
/* Both say whether the set has changed.  There must be room to add. */
bool digests_add(struct digests *d, const uint8_t *digest);
bool digests_remove(struct digests *d, const uint8_t *digest);
/* Walks: start with *pos = 0; NULL at the end. */
const uint8_t *digests_next(const struct digests *d, size_t *pos);
