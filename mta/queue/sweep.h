/* mta/queue/sweep.h - walks all recipients of the lane in slices: ends those whose time is over,
 * and those that a new cancel order names.  What is in flight is left to its session.  Chunks of
 * the slab in which nobody's time is over are passed over unread. */
#pragma once
#include "mta/door/timer.h"

struct queue;
struct sweep {
	struct timer timer;
	size_t at;   /* slab chunk; SIZE_MAX: no sweep is under way */
	uint32_t in; /* place in it */
	bool cancels, again;
};
void sweep_init(struct queue *q);
void sweep_end(struct queue *q);
void sweep_start(struct queue *q, bool cancels);
