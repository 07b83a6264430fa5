/* mta/inspect/inspect.h - questions to one lane about its queue, for the admin socket, which asks
 * every lane (lane_post) and adds up.  docs/man/postern.1 shows what an operator sees of it.
 *
 * Threads: call on the lane's own thread.  Slices are valid during the callback.
 * Limits:  each call looks at most at INSPECT_MAX recipients at once, so that mail does not wait
 *          for the answer: past it, ages, next tries and what single rules hold are those of the
 *          part looked at by inspect_counts, and inspect_rcpts goes on from its cursor. */
#pragma once
#include "mta/core/engine.h"
#include "mta/rules/selector.h"
#include "schema/wire/status.h"

enum { INSPECT_MAX = 2 * 1024 * 1024 };

/* ---- counts ------------------------------------------------------------------------------ */

enum inspect_by {
	INSPECT_DOMAIN,
	INSPECT_TENANT,
	INSPECT_CAMPAIGN,
	INSPECT_SITE,
	INSPECT_PROVIDER,
	INSPECT_POOL,
};
struct inspect_count {
	/* The domain, site, provider or pool; empty: it is not known yet, or there is none. */
	struct slice name;
	uint64_t tenant, campaign; /* INSPECT_TENANT, INSPECT_CAMPAIGN (with its tenant) */
	uint64_t ready, deferred, held, in_flight, routing;
	int64_t oldest_ms; /* when the oldest was accepted; 0: unknown */
	int64_t next_ms;   /* next try of a deferred one; 0: none */
	/* INSPECT_DOMAIN: */
	struct slice site; /* set of MX hosts; empty: not known yet */
	uint16_t code;     /* last answer that was no delivery */
	struct status status;
	struct slice reply;
	int64_t reply_ms;        /* 0: there was none */
	int64_t paused_until_ms; /* wall clock; 0: not paused */
};
/* Those with recipients only; a site, provider or pool may be given more than once.  It stops when
 * each() gives a negative number, and returns that. */
int inspect_counts(struct lane *l, enum inspect_by by,
		   int (*each)(void *arg, const struct inspect_count *c), void *arg);

/* ---- recipients -------------------------------------------------------------------------- */

struct inspect_rcpt {
	struct id128 job;
	uint32_t row;
	struct slice address;
	const char *state; /* "routing" "ready" "deferred" "held" "in-flight" */
	unsigned attempts;
	int64_t accepted_ms, next_ms, expires_ms;
	uint64_t tenant, campaign;
};
/* Those that the selector names, from *cursor (start with 0), until max were given or all were
 * looked at.  1: there may be more; 0: this is the end; or what each() gave if it was negative. */
int inspect_rcpts(struct lane *l, const struct selector *s, uint64_t *cursor, unsigned max,
		  int (*each)(void *arg, const struct inspect_rcpt *r), void *arg);
/* How many the selector names on this lane.  It looks at all of them, regardless of INSPECT_MAX. */
uint64_t inspect_matches(struct lane *l, const struct selector *s);
/* Of these, those that wait because a rule holds them. */
uint64_t inspect_held(struct lane *l, const struct selector *s);

/* ---- pools that leave from the sources of another one ------------------------------------- */

struct inspect_fallback {
	struct slice site;
	const char *pool, *from;
	int64_t since_ms;
};
/* It stops when each() gives a negative number, and returns that. */
int inspect_fallbacks(struct lane *l, int (*each)(void *arg, const struct inspect_fallback *f),
		      void *arg);

/* ---- orders that are not rules ----------------------------------------------------------- */

/* Deferred ones become due; pauses of their sites and of DNS end.  How many recipients. */
uint64_t inspect_retry(struct lane *l, const struct selector *s);
/* The lane asks DNS again for everything. */
void inspect_flush_dns(struct lane *l);
