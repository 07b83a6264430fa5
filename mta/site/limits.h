/* mta/site/limits.h - what lanes must share of a site: its connections and its rate.  A domain
 * belongs to one lane, but the domains of a site may belong to several.
 * Owns:    limits_new() gives the caller the table; entries live until limits_free() (about 350
 *          bytes and the site's name).
 * Threads: any; the table has a lock, taken when a lane first meets a site; the counts are
 *          atomic. */
#pragma once
#include "base/map.h"
#include "mta/core/slots.h"

struct limits;
struct limits *limits_free(struct limits *l);
struct limits *limits_new(void);

struct site_limits {
	struct map_link link;
	slot_count connections;
	_Atomic int pools;       /* those with connections, and those that wait for one */
	_Atomic int starved;     /* of these, those that wait with less than their share */
	_Atomic int64_t next_us; /* GCRA: theoretical arrival time of the next message */
	char name[];
};
struct site_limits *limits_site(struct limits *l, struct slice name);

/* How many of `max` slots bulk mail leaves free: `keep`, but at most a quarter. */
static inline int64_t limits_kept(int64_t max, int64_t keep)
{
	return keep < max / 4 ? keep : max / 4;
}
/* 0: a message may go now and is counted; else microseconds to wait.  rate: per second, 0: any. */
int64_t limits_rate(struct site_limits *s, int64_t rate, int64_t now_us);
