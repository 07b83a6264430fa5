/* mta/metrics/gather.h - what only the lanes can say, asked of all of them: who waits, and how many
 * connections there are, by provider.
 * Owns:    what the lanes gave; names are the table's of mta/site/limits.h.
 * Threads: gather_begin() and done() on the front desk; each lane writes its own part.
 * Limits:  GATHER_ROWS_MAX providers, the rest is counted with those that have none. */
#pragma once
#include "mta/core/lane.h"
#include "mta/queue/rcpt.h"
#include "mta/site/limits.h"

enum { GATHER_ROWS_MAX = 128 };

struct gather_row {
	const struct site_limits *provider; /* NULL: none */
	uint64_t waiting[RCPT_STATES];
	uint64_t connections, pauses; /* of sites and pools */
};
struct gather_part {
	struct note note;
	struct gather *whole;
	struct gather_row rows[GATHER_ROWS_MAX];
	unsigned n;
};
struct gather {
	struct engine *engine;
	void (*done)(struct gather *g);
	struct gather_part *parts; /* by lane; NULL: nothing was asked yet */
	unsigned left;             /* parts that are not back */
};
void gather_begin(struct gather *g); /* not while parts are out */
void gather_end(struct gather *g);   /* when the lanes have ended */
/* Adds up the parts of all lanes; ret holds GATHER_ROWS_MAX.  Gives how many rows. */
unsigned gather_sum(const struct gather *g, struct gather_row *ret);
