/* mta/site/reach.h - does a source reach the hosts that our other sources reach?
 *
 * A connection that never comes about may be the host's fault or the source's: the address can be
 * bound, but nothing comes back to it (routing, a filter, an address announced nowhere).  Only
 * other sources tell.  A host that one of them has reached within REACH_MS, without anybody failing
 * to since, is not blamed: the way from this source to it is in doubt and rests, as without a route
 * (mta/site/pair.h).  When another source reaches the host after that, the source has missed it.
 *
 * A source that has missed hosts of REACH_SITES sites, of different providers, over REACH_NOBODY_MS
 * at least, and reached nobody in between is taken out as one that cannot be bound
 * (mta/egress/source.h).  It is looked at by connections to these hosts, without mail, until one
 * comes about.
 * Guarantee: what nobody reaches never counts against a source; one host, site or provider, dead or
 *            filtering, never takes a source out.
 * Owns:    nothing; what is known stands in the host, and in the source.
 * Threads: the lane's; sources are shared, and have a lock.
 * Limits:  a source whose mail goes to fewer sites is never taken out: its hosts rest one by one.
 *          Of each host one source in doubt is remembered.  Not for sources behind a proxy
 *          (mta/site/ending.h) or those that the system picks. */
#pragma once
#include "base/base.h"

enum { REACH_MS = 10 * 60 * 1000 };

struct source;
struct channel;
/* A host's. */
struct reach {
	const struct source *by[2]; /* the last two sources that reached it, the latest first */
	int64_t at_ms[2];           /* monotonic */
	int64_t failed_ms;          /* when one last failed to */
	struct source *doubted;     /* NULL: none */
	int64_t doubted_ms;
};
void reach_made(struct channel *ch); /* the host's machine has answered */
/* It did not.  True: the host is not blamed. */
bool reach_missed(struct channel *ch, int err);
/* There is no way to the host from its source, as the system says. */
void reach_no_way(struct channel *ch);
