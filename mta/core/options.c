/* mta/core/options.c - how many lanes, and how long they may take to end. */
#include "mta/core/engine_run.h"

#define AT(member) offsetof(struct core_options, member)
enum { SEC = 1000 };

static const struct option rows[] = {
	{ "lanes", T_INT, AT(lanes), 0, LANES_MAX, "0", false,
	  "Threads that deliver mail; 0: one per processor, at most 64." },
	{ "stop.grace", T_DURATION, AT(stop_grace), 0, 300 * SEC, "5s", true,
	  "How long transactions in flight may go on after SIGTERM." },
};

const struct option_set core_option_set = {
	.rows = rows,
	.n = ARRAY_LEN(rows),
	.size = sizeof(struct core_options),
};
