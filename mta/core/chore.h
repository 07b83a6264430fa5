/* mta/core/chore.h - long work of a lane: questions about everything that is queued, and what
 * orders leave to be done.  It is done a slice at a time, between what mail asks for.
 *
 * Guarantee: between two polls of the lane one slice of one chore is done, however many chores
 *            there are.  When each of them has had one, the lane rests for CHORE_PAUSE_MS.
 * Owns:      a chore is a member of whoever has the work; chore_stop() before it goes.
 * Threads:   the lane's.
 * Limits:    a slice is as long as its step() makes it.  Bound it by a count, so that it is short
 *            on a slow machine and in a test too; a clock may end it earlier. */
#pragma once
#include "mta/core/lane.h"

enum { CHORE_PAUSE_MS = 1 };

struct chore {
	struct list link;
	/* True: there is more.  False: it is over, or was begun again; it may be gone. */
	bool (*step)(struct chore *c);
};
static inline void chore_init(struct chore *c, bool (*step)(struct chore *c))
{
	list_init(&c->link);
	c->step = step;
}
void chore_begin(struct lane *l, struct chore *c); /* nothing when it waits for its turn already */
static inline void chore_stop(struct chore *c)
{
	list_remove(&c->link);
}
static inline bool chore_waits(const struct chore *c)
{
	return !list_empty(&c->link);
}
