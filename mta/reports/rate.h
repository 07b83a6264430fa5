/* mta/reports/rate.h - how often each peer may do something: a bucket of tokens for each address,
 * of IPv6 for each /64.
 * Owns:    nothing; addresses with the same hash share a bucket, so that memory is bounded.
 * Threads: the lane's; each lane has buckets of its own and gives a peer its share. */
#pragma once
#include "base/address.h"

enum { RATE_BUCKETS = 4096 };
struct rate {
	struct rate_bucket {
		int64_t at_ms;
		int64_t used; /* thousandths of one */
	} bucket[RATE_BUCKETS];
};
/* May it, once more?  per_day 0: always.  A minute's worth may come at once. */
bool rate_take(struct rate *r, const struct ip *peer, int64_t per_day, int64_t now_ms);
