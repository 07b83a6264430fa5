/* mta/site/limits.h - what lanes must share of a site: its connections and its rate.
 * A domain belongs to one lane, but a site's domains may belong to several.
 * Threads: any; the table has a lock, taken when a lane first meets a site; the counts are atomic.
 * Limits:  a shared entry lives until the engine ends (a site's name, about 350 bytes). */
#pragma once
#include "base/map.h"
#include "mta/core/slots.h"

struct limits;
struct limits *limits_free(struct limits *l);
struct limits *limits_new(void);

struct site_limits {
	struct map_link link;
	slot_count connections;
	_Atomic int pools;       /* that have connections, or wait for one */
	_Atomic int starved;     /* of these, how many wait with less than their share */
	_Atomic int64_t next_us; /* GCRA: theoretical arrival time of the next message */
	char name[];
};
struct site_limits *limits_site(struct limits *l, struct slice name);

/* Of `max` slots those that bulk mail leaves free: never more than a quarter. */
static inline int64_t limits_kept(int64_t max, int64_t keep)
{
	return keep < max / 4 ? keep : max / 4;
}
/* 0: a message may go now, and it is counted; else the microseconds to wait. rate per second; 0:
 * free. */
int64_t limits_rate(struct site_limits *s, int64_t rate, int64_t now_us);
