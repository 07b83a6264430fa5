/* tests/replay/fortnight.h - a fortnight of one sender's mail to one modelled provider
 * (tests/sim/providers_sim.h), through a whole engine: with adaptive control, or with settings that
 * stay as they are.
 *
 * The mail comes in the first half of the time, a batch each morning, and is more than the provider
 * takes in that time: what counts is when the last of it is delivered.
 * Limits: it ends early when there were more than FORTNIGHT_TRIES deferred attempts for each
 *         message; nobody would send like that. */
#pragma once
#include "tests/sim/providers_sim.h"

enum { FORTNIGHT_TRIES = 5 };
struct fortnight_settings {
	bool adaptive;
	unsigned connections;
	int64_t rate;         /* messages per day; 0: none */
	double give_up_hours; /* it ends then; 0: it does not */
	unsigned sites;       /* so many of the same provider share its mail; 0: one */
	bool apart;           /* each of them finds out for itself */
};
struct fortnight_result {
	double hours;    /* until the last was delivered; or all of the time */
	double wait;     /* hours that a message waited, on average */
	uint64_t undone; /* not delivered in that time */
	uint64_t deferred;
	struct provider_facts facts;
};
void fortnight_run(enum provider_kind kind, unsigned messages, unsigned days,
		   const struct fortnight_settings *settings, struct fortnight_result *ret);
