/* dns/resolver_int.h - the real resolver's state; only for its own files. */
#pragma once
#include <ev.h>

#include "dns/cache.h"

struct resolver {
	struct ev_loop *loop;
	struct resolver_options o;
	struct cache cache;
	struct map questions; /* by name and type: waiting and active */
	struct list waiting, active, finished;
	unsigned n_waiting, n_active;
	unsigned server;   /* where new questions start; moves on when it is silent */
	struct list ready; /* queries whose answer is there */
	ev_timer delivery; /* never started, only fed */
	struct resolver_stats stats;
	uint8_t packet[4096]; /* more than we offered to take */
};

/* Has answers given out, and questions that wait started, in this turn of the loop. */
void resolver_kick(struct resolver *r);
