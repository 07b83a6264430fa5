/* control/http/gate.h - the functions that control/auth gives this room: who may enter, and what
 * the permissions of routes are called, and what else there is to count. */
#pragma once
#include "control/http/call.h"

struct http_gate {
	/* Fills c->actor for c->route, on a worker's thread before the handler; begins the
	 * transaction of the actor's organisation.  0, or E_ANSWERED after a refusal. */
	int (*enter)(struct call *c);
	/* After the answer, once per request; status is the reply's. */
	void (*answered)(const struct call *c, unsigned status);
	/* Appends counters in Prometheus' text. */
	void (*metrics)(struct buf *out);
	/* The name of one bit of http_route.permit; NULL past the last. */
	const char *(*permit_name)(unsigned bit);
};
