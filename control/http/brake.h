/* control/http/brake.h - how often somebody may do something: a token bucket for each rule and key.
 *
 * In memory, one table per process, of fixed size: the bucket that was not used for longest gives
 * way.  Processes that answer side by side each keep to their share of every rule, so that no
 * request asks the database (docs/decisions/0038-front-door.md).
 *
 * Guarantee: n processes that know of each other grant together no more than the rule says, and at
 *            most one try more for each of them, because none has less than one.
 *  Keys are hashed under a key of the process, so that nobody can aim at another's bucket.
 *
 * Threads: any. */
#pragma once
#include "base/address.h"

struct http_brake_rule {
	const char *name;        /* as RateLimit shows it */
	int64_t burst, per_hour; /* at once, and in the long run */
};
struct http_brake_left {
	int64_t left;    /* whole tries that are there now */
	unsigned wait_s; /* until what was refused would be granted; 0: it was granted */
	unsigned full_s; /* until the bucket is full again */
};
/* How many processes share each rule; one until it is said. */
void http_brake_share(unsigned processes);
/* Takes cost tries, all or none. */
bool http_brake_take(const struct http_brake_rule *whole, struct slice key, unsigned cost,
		     struct http_brake_left *ret);
/* Fills the bucket again by this many. */
void http_brake_give(const struct http_brake_rule *whole, struct slice key, int64_t n);
/* The part of an address that counts as one client: IPv4 whole, IPv6 by /64. */
struct slice http_brake_address(const struct ip *ip);
