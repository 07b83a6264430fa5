/* mta/inspect/why.h - why a recipient is not delivered yet: the chain of reasons on one lane, the
 * nearest first.
 * Owns:    nothing; a reason is valid during the callback.
 * Threads: call on the lane's own thread.
 * Limits:  a job's first recipient on the lane stands for the job. */
#pragma once
#include "mta/core/engine.h"
#include "mta/rules/selector.h"

enum { WHY_TEXT_MAX = 384 };

/* One reason of the chain. */
struct why_reason {
	/* "hold", "in-flight", "retry", "dns", "reply", "site-pause", "pool-pause", "adaptive",
	 * "fallback", "connections", "next" */
	const char *kind;
	char text[WHY_TEXT_MAX];
	int64_t until_ms; /* wall clock; 0: until something changes */
};
/* For SELECT_RCPT, SELECT_JOB and SELECT_DOMAIN.  How many reasons were given; 0: nothing that the
 * selector names is on this lane. */
int why_tell(struct lane *l, const struct selector *s,
	     int (*each)(void *arg, const struct why_reason *r), void *arg);
