/* mta/inspect/inspect.h - questions to one lane about its queue, for the admin socket, which asks
 * every lane (lane_post) and adds up.  docs/man/postern.1 shows what an operator sees of it.
 *
 * Threads: call on the lane's own thread.  Slices are valid during the callback.
 * Limits:  recipients are looked at in slices (mta/inspect/walk.h); whoever asks calls again. */
#pragma once
#include "mta/core/engine.h"
#include "mta/inspect/walk.h"
#include "schema/wire/status.h"

/* ---- counts ------------------------------------------------------------------------------ */

enum inspect_by {
	INSPECT_DOMAIN,
	INSPECT_TENANT,
	INSPECT_CAMPAIGN,
	INSPECT_SITE,
	INSPECT_PROVIDER,
	INSPECT_POOL,
	INSPECT_SOURCE,
	INSPECT_CLASS,
	INSPECT_REPLY,
	INSPECT_STREAM,
	INSPECT_KEYS
};
struct inspect_count {
	/* The domain, site, provider, pool, source, class, reply or stream; empty: it is not known
	 * yet, or there is none. */
	struct slice name;
	uint64_t tenant, campaign; /* INSPECT_TENANT, INSPECT_CAMPAIGN (with its tenant) */
	uint64_t ready, deferred, held, in_flight, routing;
	int64_t oldest_ms; /* when the oldest was accepted; 0: unknown */
	int64_t next_ms;   /* next try of a deferred one; 0: none */
	unsigned attempts; /* the most that one of them has had */
	/* INSPECT_DOMAIN, INSPECT_REPLY: */
	struct slice site; /* set of MX hosts; empty: not known yet */
	uint16_t code;     /* last answer that was no delivery */
	struct status status;
	struct slice reply;
	int64_t reply_ms;        /* 0: there was none */
	int64_t paused_until_ms; /* wall clock; 0: not paused */
};
struct inspect_counts;
struct inspect_counts *inspect_counts_new(struct lane *l, enum inspect_by by);
struct inspect_counts *inspect_counts_free(struct inspect_counts *c);
/* A slice; true: there are more to look at. */
bool inspect_counts_go(struct inspect_counts *c);
/* Then: up to `most` groups; true: there are more.  Those with recipients only; a group may be
 * given more than once.  A recipient counts at each
 * source of its pool.  Counts are exact at this moment, ages and attempts are those that were
 * seen. */
bool inspect_counts_each(struct inspect_counts *c, unsigned most,
			 void (*each)(void *arg, const struct inspect_count *c), void *arg);

/* ---- recipients -------------------------------------------------------------------------- */

struct inspect_rcpt {
	struct id128 job;
	uint32_t row;
	struct slice address;
	const char *state; /* "routing" "ready" "deferred" "held" "in-flight" */
	unsigned attempts;
	const char *class; /* of the last reply; "" */
	int64_t accepted_ms, next_ms, expires_ms;
	uint64_t tenant, campaign;
};
/* One that a walk came by.  False: its job cannot be read. */
bool inspect_rcpt(struct walk *w, rcpt_ref ref,
		  void (*each)(void *arg, const struct inspect_rcpt *r), void *arg);

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

/* One that was tried and deferred becomes due.  Pauses of its site and of DNS end, once a walk. */
void inspect_retry(struct walk *w, rcpt_ref ref);
void inspect_retry_end(struct walk *w); /* after some of them */
/* The lane asks DNS again for everything. */
void inspect_flush_dns(struct lane *l);
