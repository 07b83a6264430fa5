/* tests/sim/model_sim.h - mail hosts with a memory: what a modelled provider answers depends on
 * what it has seen so far, over all connections.  A script of one line, "model NAME", plays it
 * (tests/sim/conn_sim.h); the model is asked at each step of the session.
 * Owns:    the models stay the caller's; model_sim_forget() drops the names.
 * Threads: one. */
#pragma once
#include "base/address.h"
#include "base/base.h"

enum model_step { MODEL_CONNECT, MODEL_GREET, MODEL_MAIL, MODEL_RCPT, MODEL_DOT, MODEL_CLOSED };
/* One connection, as its model sees it. */
struct model_caller {
	struct ip source;
	bool inside;   /* it was let in: MODEL_CLOSED follows */
	unsigned rcpt; /* a hash of the recipient in hand */
};
struct model_answer {
	const char *text; /* NULL: the usual one */
	int64_t delay_ms; /* before it is said */
	bool close;       /* hang up behind it */
};
struct model {
	/* Of MODEL_CONNECT: close means refused, delay_ms < 0 never answered. */
	struct model_answer (*answer)(struct model *m, enum model_step step,
				      struct model_caller *c);
};
void model_sim_add(const char *name, struct model *m);
struct model *model_sim_find(struct slice name);
void model_sim_forget(void);
