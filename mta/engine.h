/* mta/engine.h - what the inputs (SMTP submission, link, admin socket) may ask of the engine, and
 * the lanes they run on.  The engine proper is behind it: lane.c, queue.c, site.c, pool.c,
 * deliver.c.
 *
 * Threads: a lane's functions are called on that lane's thread, except lane_post.  The front desk
 *          (main thread: link, admin, signals) is a loop of its own and is lane_of_front(). */
#pragma once
#include "mta/door/conn.h"
#include "spool/spool.h"

struct engine;
struct lane;
struct mta_config; /* mta/config.h */

struct spool *engine_spool(struct engine *e);
const struct mta_config *
engine_config(struct engine *e); /* immutable snapshot; changes at reload */
unsigned engine_lanes(const struct engine *e);
struct lane *engine_lane(struct engine *e, unsigned i);
struct lane *engine_front(struct engine *e);
struct engine *lane_engine(struct lane *l);
struct loop *lane_loop(struct lane *l);
bool engine_stopping(const struct engine *e); /* SIGTERM came: take no new work */

/* Runs note->run(note) on the lane's thread, in order of posting.  Any thread may call. */
struct note {
	struct note *next;
	void (*run)(struct note *n, struct lane *l);
};
void lane_post(struct lane *l, struct note *n);

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

/* A job became durable: its rows go to the lanes that own their domains.  Any thread. `hint` may
 * hold the message so that the first attempt need not read it back; the engine copies what it
 * keeps. */
void engine_job_added(struct engine *e, job_no job);

/* Rules (holds, pauses, cancels, suppressions) were written to the spool and are durable: take them
 * into effect now.  Any thread.  key as in mta/rules.h; empty value: removed. */
void engine_rule_changed(struct engine *e, struct slice key, struct slice value);

/* A DKIM key file under config keys.dir was added or removed: lanes forget the domain's keys. */
void engine_keys_changed(struct engine *e, struct slice domain);
