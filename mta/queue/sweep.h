/* mta/queue/sweep.h - walks all recipients of the lane in slices.  It ends those that have expired
 * and those that a new cancel order names, and moves the end of those whose life an order changed.
 * Recipients in flight are left to their sessions.
 * Chunks of the slab in which nothing has expired are skipped unread.
 * Threads: the lane's. */
#pragma once
#include <stdatomic.h>

#include "mta/core/chore.h"

struct queue;
struct sweep {
	struct timer timer;
	struct chore chore;
	size_t at;   /* slab chunk; SIZE_MAX: no sweep is in progress */
	uint32_t in; /* place in it */
	bool orders, again;
	/* What the last walk with orders saw: any thread may read them. */
	unsigned generation; /* of the rules, when the walk began */
	uint64_t left;       /* in flight, though an order ends them */
	_Atomic unsigned swept_generation;
	_Atomic uint64_t swept_left;
};
void sweep_init(struct queue *q);
void sweep_end(struct queue *q);
void sweep_start(struct queue *q, bool orders);
