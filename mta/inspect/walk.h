/* mta/inspect/walk.h - the recipients of a lane that a selector names, one after the other; for the
 * files of this folder alone.
 * Owns:    nothing; the selector must outlive the walk.
 * Threads: the lane's. */
#pragma once
#include "mta/queue/queue.h"

/* A selector made ready for a walk: names and ids become numbers where that is possible. */
struct walk {
	struct queue *queue;
	const struct selector *selector;
	uint32_t domain; /* SELECT_DOMAIN: its number */
	job_no job;      /* SELECT_JOB and SELECT_RCPT */
	bool none;       /* nothing can match */
	rcpt_ref next;   /* to be looked at */
};
struct walk walk_begin(struct lane *l, const struct selector *s);
/* The next match, after a look at `looks` recipients at most; NULL: none among them matches. */
struct rcpt *walk_next(struct walk *w, uint32_t looks);

/* The wall clock's time at a moment of the monotonic clock. */
int64_t walk_wall_ms(const struct queue *q, int64_t mono_ms);
