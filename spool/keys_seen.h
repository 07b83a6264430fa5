/* spool/keys_seen.h - which keys of facts were seen: a bounded set that forgets its oldest half.
 * Owns:   its two tables.
 * Limits: between KEYS_SEEN_MAX and twice as many keys.  Keys are hashes already: whoever makes
 *         them sees to it that nobody outside can choose them. */
#pragma once
#include "base/buf.h"

enum { KEYS_SEEN_MAX = 1 << 18 };
struct keys_seen {
	struct keys_seen_half {
		uint64_t *at;
		uint32_t n, mask;
	} young, old;
};
void keys_seen_free(struct keys_seen *k);
bool keys_seen_has(const struct keys_seen *k, uint64_t key);
void keys_seen_add(struct keys_seen *k, uint64_t key); /* 0 is no key */
/* How many there are, at most `max`, and writes as many to p; p may be NULL. */
uint32_t keys_seen_list(const struct keys_seen *k, uint32_t max, uint64_t *p);
