/* mta/limits.h - what lanes must share: connections and rate of a site, connections of a source.
 * A domain belongs to one lane, but a site's domains may belong to several.
 * Threads: any; the table has a lock, taken when a lane first meets a site; the counts are atomic.
 * Limits:  a shared entry lives until the engine ends (a site's name, about 350 bytes). */
#pragma once
#include <stdatomic.h>

#include "base/map.h"

struct limits;
struct limits *limits_free(struct limits *l);
struct limits *limits_new(void);

struct site_limits {
	struct map_link link;
	_Atomic int connections;
	_Atomic int pools;       /* that have connections, or wait for one */
	_Atomic int starved;     /* of these, how many wait with less than their share */
	_Atomic int64_t next_us; /* GCRA: theoretical arrival time of the next message */
	char name[];
};
struct site_limits *limits_site(struct limits *l, struct slice name);

/* One slot of `connections` when fewer than max are taken. */
static inline bool limits_take(_Atomic int *connections, int64_t max)
{
	int n = atomic_load_explicit(connections, memory_order_relaxed);

	while (n < max)
		if (atomic_compare_exchange_weak_explicit(
			connections, &n, n + 1, memory_order_relaxed, memory_order_relaxed))
			return true;
	return false;
}
/* Of `max` slots those that bulk mail leaves free: never more than a quarter. */
static inline int64_t limits_kept(int64_t max, int64_t keep)
{
	return keep < max / 4 ? keep : max / 4;
}
static inline void limits_give(_Atomic int *connections)
{
	atomic_fetch_sub_explicit(connections, 1, memory_order_relaxed);
}
/* 0: a message may go now, and it is counted; else the microseconds to wait. rate a second; 0:
 * free. */
int64_t limits_rate(struct site_limits *s, int64_t rate, int64_t now_us);
_Atomic int *limits_source(struct limits *l, unsigned source); /* index in the config's sources */
