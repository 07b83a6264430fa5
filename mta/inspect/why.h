/* mta/inspect/why.h - why is a recipient not delivered yet?  The chain of reasons on one lane,
 * nearest first.
 * Threads: call on the lane's own thread.  Texts are valid during the callback. */
#pragma once
#include "mta/core/engine.h"
#include "mta/rules/selector.h"

enum { WHY_TEXT_MAX = 384 };

/* One link of the chain of reasons, nearest first. */
struct why_reason {
	const char
	    *kind; /* "hold" "in-flight" "retry" "dns" "reply" "site-pause" "connections" "next" */
	char text[WHY_TEXT_MAX];
	int64_t until_ms; /* wall clock; 0: until something changes */
};
/* Why is it not delivered yet?  For SELECT_RCPT, SELECT_JOB (its first recipient here) and
 * SELECT_DOMAIN. How many reasons were given, 0: nothing of the kind is on this lane. */
int why_tell(struct lane *l, const struct selector *s,
	     int (*each)(void *arg, const struct why_reason *r), void *arg);
