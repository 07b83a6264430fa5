/* control/engine/feeder.h - the feeder's parts: one connection to the engine, what was sent on it
 * and is not acknowledged yet, and the campaigns that it feeds.  Only control/engine/feeder*.c
 * include it. */
#pragma once
#include "control/engine/carrier.h"
#include "control/engine/feeder_source.h"
#include "control/worker/worker.h"

enum {
	FEEDS_MAX = 8, /* campaigns fed at once */
	FLIGHTS_MAX = 256,
	JOBS_IN_FLIGHT = 16, /* a campaign's unacknowledged pieces */
	UNSENT_MAX = 4 * 1024 * 1024,
	LEASE_MS = 6000,
};

/* A campaign this process holds the lease of. */
struct feeder_mail {
	struct feeder_lease lease;
	void *mail; /* the source's */
	struct feeder_content content;
	bool resolved;  /* all pieces that were in doubt have been sent again */
	bool idle;      /* nothing is left to cut */
	bool broken;    /* given up for a while */
	bool no_room;   /* likewise, because the engine has no room for its tenant */
	bool refused;   /* feeder_refused.c decides about it: no pause */
	uint64_t after; /* pieces in doubt up to here were sent again */
	unsigned in_flight;
};

enum feeder_flight_kind { FLIGHT_NONE, FLIGHT_CONTENT, FLIGHT_JOB, FLIGHT_ORDER };
struct feeder_flight {
	enum feeder_flight_kind kind;
	uint64_t request;
	uint32_t org;
	uint64_t campaign, first; /* of a piece */
	uint64_t number;          /* of the campaign */
	int64_t outbox;           /* seq of an order */
};

struct feeder {
	struct worker *w;
	struct carrier *link;
	int64_t engine;  /* engines.id */
	char holder[64]; /* our name in leases */
	uint64_t request;
	struct feeder_mail feeds[FEEDS_MAX];
	unsigned n_feeds;
	struct feeder_flight flights[FLIGHTS_MAX];
	unsigned n_flights;
	struct feeder_piece piece;
	int64_t full_until_ms; /* the engine had no room: wait until then */
	int64_t leased_ms;
	int64_t rules_first; /* no mail before these orders; 0: none is left */
	bool outbox_leader;
	int64_t outbox_sent; /* highest seq that was sent on this connection */
	/* acknowledged, not yet written */
	struct feeder_lease
	    refused; /* the engine knows an id of it with other bytes; org 0: none */
	uint64_t refused_first;
	struct feeder_done done;
	struct db_column done_orders;
};

/* feeder_flight.c */
struct feeder_flight *feeder_flight_new(struct feeder *f, enum feeder_flight_kind kind);
int feeder_flight_send(struct feeder *f, struct feeder_flight *flight,
		       struct link_frame *frame) MUST_CHECK;
int feeder_flight_replies(struct feeder *f, int wait_ms) MUST_CHECK; /* 1 some came */
int feeder_flight_write_done(struct feeder *f) MUST_CHECK;
/* feeder_claim.c */
int feeder_claim(struct feeder *f) MUST_CHECK;
int feeder_renew(struct feeder *f) MUST_CHECK;
void feeder_drop_all(struct feeder *f);
struct feeder_mail *feeder_find(struct feeder *f, uint32_t org, uint64_t campaign);
/* feeder_refused.c */
int feeder_refused_step(struct feeder *f) MUST_CHECK;
/* feeder.c: until the intake has written all events up to this position */
int feeder_wait_for_books(struct feeder *f, uint64_t durable) MUST_CHECK;
/* feeder_outbox.c */
int feeder_outbox_step(struct feeder *f) MUST_CHECK; /* how many orders were sent */
/* Rules that wait when a connection begins reach the engine before any mail does. */
int feeder_outbox_begin(struct feeder *f) MUST_CHECK;
int feeder_outbox_dry(struct feeder *f) MUST_CHECK; /* 1: they have */
