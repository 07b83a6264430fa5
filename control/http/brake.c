/* control/http/brake.c - buckets in sets of a few: the hash of rule and key names the set, and
 * within it a bucket is found by the whole hash. */
#include "control/http/brake.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/hash.h"

enum { SETS = 4096, WAYS = 8, KEY_MAX = 400 };

static struct bucket {
	uint64_t tag;  /* 0: never used */
	int64_t at_ms; /* when it was last filled */
	int64_t milli; /* thousandths of a try */
} buckets[SETS][WAYS];
static atomic_uint sharers = 1;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

void http_brake_share(unsigned processes)
{
	atomic_store(&sharers, MAX_OF(processes, 1U));
}

/* Our part of it: at least one try, and one an hour. */
static struct http_brake_rule share_of(const struct http_brake_rule *rule)
{
	int64_t n = (int64_t)atomic_load(&sharers);

	return (struct http_brake_rule){ rule->name, MAX_OF(rule->burst / n, 1),
					 MAX_OF(rule->per_hour / n, 1) };
}

static uint64_t tag_of(const struct http_brake_rule *rule, struct slice key)
{
	char text[KEY_MAX];
	int n = snprintf(text, sizeof(text), "%s\n", rule->name);

	key.n = MIN_OF(key.n, sizeof(text) - (size_t)n);
	if (key.n)
		memcpy(text + n, key.p, key.n);
	uint64_t tag = hash_keyed(slice_of(text, (size_t)n + key.n));
	return tag ? tag : 1;
}

/* The bucket of the tag, filled up to now; one that was never used before is full. */
static struct bucket *bucket_of(const struct http_brake_rule *rule, uint64_t tag, int64_t now)
{
	struct bucket *set = buckets[tag % SETS], *b = &set[0];

	for (unsigned i = 0; i < WAYS && b->tag != tag; i++)
		if (set[i].tag == tag || set[i].at_ms < b->at_ms)
			b = &set[i];
	if (b->tag != tag) {
		*b = (struct bucket){ .tag = tag, .at_ms = now, .milli = rule->burst * 1000 };
		return b;
	}
	/* per_hour tries an hour are per_hour / 3600 thousandths a millisecond */
	int64_t more = (now - b->at_ms) * rule->per_hour / 3600;
	/* Only whole thousandths are added: the rest is kept for the next time. */
	if (more > 0) {
		b->milli += more;
		b->at_ms = now;
	}
	b->milli = MIN_OF(rule->burst * 1000, b->milli); /* the share may have become smaller */
	return b;
}

static unsigned seconds_for(const struct http_brake_rule *rule, int64_t milli)
{
	return milli <= 0 ? 0 : (unsigned)(milli * 3600 / 1000 / rule->per_hour + 1);
}

bool http_brake_take(const struct http_brake_rule *whole, struct slice key, unsigned cost,
		     struct http_brake_left *ret)
{
	const struct http_brake_rule share = share_of(whole), *rule = &share;
	int64_t want = MIN_OF((int64_t)cost, rule->burst) * 1000;
	struct bucket *b;
	bool fine;

	(void)pthread_mutex_lock(&lock);
	b = bucket_of(rule, tag_of(rule, key), clock_mono_ms());
	fine = b->milli >= want;
	*ret = (struct http_brake_left){ .wait_s = seconds_for(rule, want - b->milli) };
	if (fine)
		b->milli -= want;
	ret->left = b->milli / 1000;
	ret->full_s = seconds_for(rule, rule->burst * 1000 - b->milli);
	(void)pthread_mutex_unlock(&lock);
	return fine;
}

void http_brake_give(const struct http_brake_rule *whole, struct slice key, int64_t n)
{
	const struct http_brake_rule share = share_of(whole), *rule = &share;
	struct bucket *b;

	(void)pthread_mutex_lock(&lock);
	b = bucket_of(rule, tag_of(rule, key), clock_mono_ms());
	b->milli = MIN_OF(rule->burst, b->milli / 1000 + MIN_OF(n, rule->burst)) * 1000;
	(void)pthread_mutex_unlock(&lock);
}

struct slice http_brake_address(const struct ip *ip)
{
	return slice_of((const char *)ip->bytes, ip->family == AF_INET6 ? 8 : 4);
}
