/* control/workers/feed.h - the feeder's parts: one connection to the engine, what was sent on it
 * and is not acknowledged yet, and the campaigns in work.  Used by control/workers/feed*.c
 * alone. */
#pragma once
#include "control/campaigns/chunk.h"
#include "control/link/carrier.h"
#include "control/workers/column.h"
#include "control/workers/worker.h"

enum {
	FEEDS_MAX = 8, /* campaigns in work at once */
	FLIGHTS_MAX = 256,
	JOBS_IN_FLIGHT = 16, /* a campaign's unacknowledged chunks */
	UNSENT_MAX = 4 * 1024 * 1024,
	LEASE_MS = 6000,
};

/* A campaign this process holds the lease of. */
struct feed {
	struct recipe *recipe;
	uint32_t org;
	uint64_t campaign;
	bool sending;   /* status; otherwise only doubtful chunks are cleared up */
	bool resolved;  /* chunks that were in doubt have been sent again */
	bool idle;      /* nothing is left to cut */
	bool broken;    /* given up until the lease runs out */
	uint64_t after; /* doubtful chunks up to here were sent again */
	unsigned in_flight;
};

enum flight_kind { FLIGHT_NONE, FLIGHT_CONTENT, FLIGHT_JOB, FLIGHT_ORDER };
struct flight {
	enum flight_kind kind;
	uint64_t request;
	uint32_t org;
	uint64_t campaign, first; /* of a chunk */
	int64_t outbox;           /* seq of an order */
};

struct feeder {
	struct worker *w;
	struct db *ingest, *api;
	struct carrier *link;
	struct ticket_key key;
	char holder[64]; /* our name in leases */
	uint64_t request;
	struct feed feeds[FEEDS_MAX];
	unsigned n_feeds;
	struct flight flights[FLIGHTS_MAX];
	unsigned n_flights;
	struct chunk chunk;
	int64_t full_until_ms; /* the engine had no room: wait until then */
	int64_t leased_ms;
	bool outbox_leader;
	int64_t outbox_sent; /* highest seq that was sent on this connection */
	/* acknowledged, not yet written */
	struct column done_org, done_campaign, done_first, done_lsn, done_orders;
};

/* feed_flight.c */
struct flight *flight_new(struct feeder *f, enum flight_kind kind);
int flight_send(struct feeder *f, struct flight *flight, struct link_frame *frame) MUST_CHECK;
int flight_replies(struct feeder *f, int wait_ms) MUST_CHECK; /* 1 some came */
int flight_write_done(struct feeder *f) MUST_CHECK;
/* feed_claim.c */
int feed_claim(struct feeder *f) MUST_CHECK;
int feed_renew(struct feeder *f) MUST_CHECK;
void feed_drop_all(struct feeder *f);
struct feed *feed_find(struct feeder *f, uint32_t org, uint64_t campaign);
/* feed_outbox.c */
int outbox_step(struct feeder *f) MUST_CHECK; /* how many orders were sent */
