/* mta/inspect/why.h - why mail is not delivered yet: the chain of reasons on one lane, the nearest
 * first.
 *
 * One recipient or job has its own chain.  Providers, sources and sites, alone or together, have
 * what binds there, whether mail waits or not.  Of any other selector the recipients are looked at
 * in slices (mta/inspect/walk.h): how many wait for what, the orders that bind them, and what binds
 * where they wait; of a domain also what DNS and its hosts last said.
 * Owns:    why_new() gives the caller the look; the selector is copied, its texts are not.  A
 *          reason is valid during the callback.
 * Threads: the lane's; why_free() any, when the lane no longer has it.
 * Limits:  a job's first recipient on the lane stands for the job; of others the WHY_PLACES sites
 *          and pools where the most wait are told of, and the orders that bind the first
 *          WHY_ORDERS_LOOKED recipients. */
#pragma once
#include "mta/core/engine.h"
#include "mta/rules/selector.h"

enum { WHY_TEXT_MAX = 384, WHY_PLACES = 8, WHY_ORDERS_LOOKED = 256 };

/* One reason of the chain. */
struct why_reason {
	/* "hold", "cap", "move", "in-flight", "retry", "waiting", "dns", "route", "reply",
	 * "site-pause", "pool-pause", "suspension", "source-failed", "warmup", "adaptive",
	 * "fallback", "tenant", "rate", "connections", "tenant-rate", "tenant-connections",
	 * "source-rate", "next", "more" */
	const char *kind;
	char text[WHY_TEXT_MAX];
	int64_t until_ms;    /* wall clock; 0: until something changes */
	int64_t since_ms;    /* wall clock; 0: not known */
	const char *release; /* what would release it */
};
struct why;
struct why *why_new(struct lane *l, const struct selector *s);
struct why *why_free(struct why *w);
DEFINE_OWNED(why)
/* Looks at some more recipients.  True: there are more. */
bool why_go(struct why *w, int64_t slice_us);
/* How many reasons were given; 0: nothing that the selector names is on this lane, or nothing binds
 * it.  It stops when each() gives a negative number. */
int why_tell(struct why *w, int (*each)(void *arg, const struct why_reason *r), void *arg);
/* Other lanes, and other places of this one, may say the same of it. */
bool why_is_shared(struct slice kind);
