/* mta/reports/rate.c - leaky buckets by the hash of an address. */
#include "mta/reports/rate.h"

#include "base/hash.h"

enum { UNIT = 1000, MINUTES_A_DAY = 1440, DAY_MS = 86400 * 1000 };

static struct rate_bucket *bucket_of(struct rate *r, const struct ip *peer)
{
	struct ip net = *peer;

	if (net.family == AF_INET6)
		memset(net.bytes + 8, 0, 8);
	return &r->bucket[hash_keyed(slice_of(&net, sizeof(net))) % RATE_BUCKETS];
}

bool rate_take(struct rate *r, const struct ip *peer, int64_t per_day, int64_t now_ms)
{
	struct rate_bucket *b = bucket_of(r, peer);
	int64_t most = (per_day + MINUTES_A_DAY - 1) / MINUTES_A_DAY * UNIT;
	int64_t passed = now_ms - b->at_ms;

	if (per_day <= 0)
		return true;
	b->used -= passed >= DAY_MS ? b->used : passed * per_day / (DAY_MS / UNIT);
	if (b->used < 0)
		b->used = 0;
	b->at_ms = now_ms;
	if (b->used + UNIT > most)
		return false;
	b->used += UNIT;
	return true;
}
