/* mta/site/own.h - the limits that a section of a shape gives one source: connections, messages and
 * bytes per time, at a site and at a provider.  They hold beside those of all sources.
 *
 * A source that may send no more for now is passed over: the others of its pool take their turns,
 * and none of its connections is opened meanwhile.
 * Owns:    the pool owns what is known of its sources; a seat is its channel's.
 * Threads: the lane's; what is counted is shared by the lanes.
 * Limits:  with several lanes each may send one message more before it sees the others'. */
#pragma once
#include "mta/site/channel.h"

/* NULL: the source has no limits of its own at the pool. */
struct own *own_of(struct pool *p, const struct ip *source);
void own_forget(struct pool *p); /* the shapes are other ones, or the pool ends */
/* May another connection be opened from the source? */
bool own_may_open(struct pool *p, const struct ip *source);
/* All of its places, or none and false. */
bool own_sit(struct channel *ch) MUST_CHECK;
void own_rise(struct channel *ch);
void own_count_leaving(const struct channel *ch, int n);
bool own_has_too_many(const struct channel *ch); /* a limit became lower */
/* May one more message go?  Else the pool looks again when it may. */
bool own_may_send(struct channel *ch);
void own_sent(const struct channel *ch, size_t bytes);

struct own_fact {
	int64_t connections, wait_us; /* limit that is used up, or 0; until the rates let one go */
	struct site_limits *where;
	uint16_t from; /* the rule of the shapes */
};
/* What stops it, for those who ask; false: nothing does. */
bool own_fact(const struct pool *p, const struct ip *source, struct own_fact *ret);
