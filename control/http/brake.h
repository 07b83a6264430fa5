/* control/http/brake.h - how often somebody may do something: a token bucket for each rule and key.
 *
 * In memory, one table per process, of fixed size: the bucket that was not used for longest gives
 * way.  Keys are hashed under a key of the process, so that nobody can aim at another's bucket.
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
/* Takes cost tries, all or none. */
bool http_brake_take(const struct http_brake_rule *rule, struct slice key, unsigned cost,
		     struct http_brake_left *ret);
/* Fills the bucket again by this many. */
void http_brake_give(const struct http_brake_rule *rule, struct slice key, int64_t n);
/* The part of an address that counts as one client: IPv4 whole, IPv6 by /64. */
struct slice http_brake_address(const struct ip *ip);
