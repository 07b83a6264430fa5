/* mta/metrics/rates.h - how fast things go: what changed since a moment ago, for `postern top`.
 * Nothing is looked at while nobody asks.
 * Owns:    nothing; what was before stands in the names of mta/metrics/top.h.
 * Threads: the front desk's.
 * Limits:  ROWS of a kind, those with the most outcomes. */
#pragma once
#include "base/tree.h"
#include "mta/metrics/write.h"

enum { RATES_MIN_MS = 1000, RATES_MAX_MS = 120000, RATES_ROWS = 30 };

struct rates {
	int64_t before_ms; /* monotonic; 0: there is no past */
	int64_t over_ms;   /* what the rates are over */
	struct histogram before, latency;
};
/* Looks, when all lanes have answered.  False: the past is too short or too long ago; look again
 * after RATES_MIN_MS. */
bool rates_take(struct rates *r, struct writer *w);
void rates_put(struct rates *r, struct writer *w, struct branch *out);
