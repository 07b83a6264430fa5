/* mta/site/limits.h - what lanes must share of a site, or of a provider: connections and pace.  A
 * domain belongs to one lane, but the domains of a site may belong to several.
 * Owns:    limits_new() gives the caller the table; entries live until limits_free() (about 350
 *          bytes and the site's name; 112 bytes per source that was used there, 72 per tenant with
 *          a limit or a suspension there).
 * Threads: any; the table has a lock, taken when a lane first meets a site; the counts are
 *          atomic. */
#pragma once
#include "base/address.h"
#include "base/map.h"
#include "mta/core/slots.h"

struct limits;
struct steer;
struct limits *limits_free(struct limits *l);
struct limits *limits_new(void);

/* GCRA: the theoretical arrival time of the next unit, in microseconds. */
typedef _Atomic int64_t limits_pace;
/* With the limit that its debts were made under. */
struct limits_rate {
	limits_pace pace;
	_Atomic int64_t per_day;
};

/* A source at a site, or at a provider. */
struct source_limits {
	struct source_limits *next;
	struct ip ip;
	slot_count connections;
	/* mta/site/suspend.h */
	_Atomic int strikes, times;
	_Atomic int64_t suspended_until_ms; /* wall clock; 0: it is not suspended */
	slot_count tries;                   /* connections that try it out after that */
	/* mta/site/own.h: limits that a section gives this source */
	slot_count own;
	_Atomic int own_leaving;
	struct limits_rate messages, bytes;
	_Atomic(struct steer *) steer; /* mta/site/steer.h; NULL: not used so far */
};
/* A tenant at a site, or at a provider. */
struct tenant_limits {
	struct tenant_limits *next;
	uint64_t tenant;
	_Atomic int strikes;                /* mta/site/tenants.h */
	_Atomic int64_t suspended_until_ms; /* wall clock; 0: it is not suspended */
	/* mta/site/lids.h */
	slot_count connections; /* that carry its mail */
	struct limits_rate messages, bytes;
};
enum { TENANT_BUCKETS = 64 };
struct tenant_table {
	_Atomic(struct tenant_limits *) buckets[TENANT_BUCKETS];
};
struct site_limits {
	struct map_link link;
	slot_count connections;
	_Atomic int leaving; /* of the connections: those that end */
	_Atomic int pools;   /* those with connections, and those that wait for one */
	/* Of these, those that wait with less than their share; at a provider: with nothing. */
	_Atomic int starved;
	_Atomic int pacing; /* pools that wait for a provider's pace */
	limits_pace messages, bytes;
	_Atomic(struct source_limits *) sources;
	_Atomic(struct tenant_table *) tenants; /* NULL: nothing is known of any */
	char name[];
};
/* Suspensions ended: whoever sees another number looks at its pools again.  Any thread. */
void limits_resumed(struct limits *l);
unsigned limits_resumptions(const struct limits *l);
/* More are open than `max`, without those that end. */
static inline bool limits_exceeded(const struct site_limits *s, int64_t max)
{
	return atomic_load_explicit(&s->connections, memory_order_relaxed) -
		   atomic_load_explicit(&s->leaving, memory_order_relaxed) >
	       max;
}
struct site_limits *limits_site(struct limits *l, struct slice name);
/* Calls each() for every source that was used at a site or provider. */
void limits_each_source(struct limits *l,
			void (*each)(void *arg, struct site_limits *s, struct source_limits *e),
			void *arg);
/* What is known of a source there; it lives as long as the table.  source: an address, or family
 * 0. */
struct source_limits *limits_source(struct site_limits *s, const struct ip *source);

/* What is known of a tenant there; it lives as long as the table. */
struct tenant_limits *limits_tenant(struct site_limits *s, uint64_t tenant);
struct tenant_limits *limits_known_tenant(struct site_limits *s, uint64_t tenant); /* or NULL */

/* How many of `max` slots bulk mail leaves free: `keep`, but at most a quarter. */
static inline int64_t limits_kept(int64_t max, int64_t keep)
{
	return keep < max / 4 ? keep : max / 4;
}
/* Transactional mail keeps a sixteenth of the limits that sites share. */
static inline int64_t limits_slots(int64_t max, bool transactional)
{
	return transactional ? max : max - max / 16;
}
/* 0: one more may go now; else microseconds to wait.  per_day 0: no limit. */
int64_t limits_wait(limits_pace *pace, int64_t per_day, int64_t now_us);
/* The same, and where it gives 0 one unit has gone: two lanes never take the same one. */
int64_t limits_take(limits_pace *pace, int64_t per_day, int64_t now_us);
void limits_give_back(limits_pace *pace, int64_t per_day); /* one unit; it did not go */
/* The limit is another one: a debt that was made under the old one no longer binds. */
void limits_forgive(limits_pace *pace, int64_t now_us);
/* From now on this is the limit; 0: none. */
void limits_rate_set(struct limits_rate *r, int64_t per_day, int64_t now_us);
/* The time between two units, at most a second. */
int64_t limits_step(int64_t per_day);
/* So many went.  When lanes ask at the same time, each may send one before it sees the others. */
void limits_spend(limits_pace *pace, int64_t per_day, int64_t n, int64_t now_us);
