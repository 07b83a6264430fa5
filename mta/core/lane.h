/* mta/core/lane.h - one thread's world, as the parts on it see it.
 *
 * Owns:    a note belongs to its poster until run() is called; a durable_wait is a member of the
 *          waiter.
 * Threads: the lane's, except lane_post(), lane_wake() and lane_current(), which any thread may
 *          call.
 * Names:   lane_, note_, durable_wait_ */
#pragma once
#include "mta/door/conn.h"
#include "spool/spool.h"

struct engine;
struct lane;
struct part;

struct engine *lane_engine(struct lane *l);
struct loop *lane_loop(struct lane *l);
unsigned lane_index(const struct lane *l);
struct lane *lane_current(void); /* the calling thread's, NULL elsewhere */
void lane_wake(struct lane *l);  /* look() of its parts soon; any thread */

/* What the part's start() gave on this lane, or NULL.  This is a search: keep the result if you
 * need it often. */
void *lane_state(struct lane *l, const struct part *p);

/* Calls note->run() on the lane's thread, in the order of posting.  Any thread may call. */
struct note {
	struct note *next;
	void (*run)(struct note *n, struct lane *l);
};
void lane_post(struct lane *l, struct note *n);
/* Calls done(w, 0) on this lane once `lsn` is durable, or done(w, E_POISONED) when it never will
 * be.  lane_wait_cancel() does nothing when it is not waiting. */
struct durable_wait {
	struct list link;
	lsn_t lsn;
	void (*done)(struct durable_wait *w, int err);
};
static inline void durable_wait_init(struct durable_wait *w,
				     void (*done)(struct durable_wait *, int))
{
	list_init(&w->link);
	w->done = done;
}
void lane_wait_durable(struct lane *l, struct durable_wait *w, lsn_t lsn);
void lane_wait_cancel(struct lane *l, struct durable_wait *w);
