/* mta/core/engine.h - the engine as its parts see it, and the lanes they run on.
 *
 * Threads: a lane's functions are called on that lane's thread, except lane_post().  The front desk
 *          (main thread: link, admin socket, signals) is a loop of its own, engine_front(). */
#pragma once
#include "base/settings.h"
#include "mta/door/conn.h"
#include "spool/spool.h"

struct engine;
struct lane;
struct part;

struct spool *engine_spool(struct engine *e);
/* The options in force: never changed, replaced by a reload; valid until the engine ends. */
const struct settings *engine_settings(struct engine *e);
unsigned engine_lanes(const struct engine *e);
struct lane *engine_lane(struct engine *e, unsigned i);
struct lane *engine_front(struct engine *e);
struct engine *lane_engine(struct lane *l);
struct loop *lane_loop(struct lane *l);
unsigned lane_index(const struct lane *l);
bool engine_stopping(const struct engine *e); /* SIGTERM came: take no new work */

/* What a part made: its state on this lane, or what is shared; NULL when it made none.  For start()
 * and for questions; whoever needs it often keeps it. */
void *lane_state(struct lane *l, const struct part *p);
void *engine_shared(struct engine *e, const struct part *p);
const struct part *engine_part(const struct engine *e, unsigned i); /* NULL past the last */
unsigned engine_part_index(const struct engine *e, const struct part *p);

/* Runs note->run(note) on the lane's thread, in order of posting.  Any thread may call. */
struct note {
	struct note *next;
	void (*run)(struct note *n, struct lane *l);
};
void lane_post(struct lane *l, struct note *n);
/* Calls run(l, text) on every lane's thread; text is copied, cut to 255 bytes.  Any thread. */
void engine_tell_lanes(struct engine *e, void (*run)(struct lane *l, struct slice text),
		       struct slice text);
/* What the lanes share has changed: changed() of every part, on every lane.  Any thread. */
void engine_changed(struct engine *e);
struct lane *lane_current(void); /* the calling thread's, NULL elsewhere */
void lane_wake(struct lane *l);  /* look() of its parts soon; any thread */

/* Calls done(w, 0) on this lane once `lsn` is durable, done(w, E_POISONED) when it never will be.
 * A member of the waiter; lane_wait_cancel() is harmless when it is not waiting. */
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

/* The log can no longer be written: the process must end.  Any thread. */
void engine_fatal(struct engine *e, int err);
