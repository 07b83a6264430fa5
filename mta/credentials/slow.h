/* mta/credentials/slow.h - who guesses wrong gets slower: a bounded table of keys (addresses, or
 * names), each with how often it was wrong of late and when it may try again.
 *
 * Guarantee: SLOW_FREE wrong guesses cost nothing; each further one doubles the wait, from a second
 *            to SLOW_WAIT_MAX_MS.  After SLOW_FORGET_MS without one, or after a right one, all is
 *            forgotten.  Where a set of the table is full, the key with the fewest leaves.
 * Threads: any; a short lock.
 * Limits:  SLOW_SETS * SLOW_WAYS keys. */
#pragma once
#include <pthread.h>

#include "base/base.h"

enum {
	SLOW_SETS = 2048,
	SLOW_WAYS = 4,
	SLOW_FREE = 3,
	SLOW_WAIT_MAX_MS = 60 * 1000,
	SLOW_FORGET_MS = 15 * 60 * 1000,
};
struct slow_key {
	uint64_t key; /* 0: none */
	uint32_t wrong;
	int64_t last_ms, free_ms;
};
struct slow {
	pthread_mutex_t lock;
	struct slow_key keys[SLOW_SETS][SLOW_WAYS];
};
void slow_init(struct slow *s); /* the rest is zero */
void slow_end(struct slow *s);
int64_t slow_wait(struct slow *s, uint64_t key, int64_t now_ms);
void slow_wrong(struct slow *s, uint64_t key, int64_t now_ms);
void slow_right(struct slow *s, uint64_t key);
