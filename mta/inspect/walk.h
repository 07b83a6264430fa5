/* mta/inspect/walk.h - the recipients of a lane that a selector names, looked at in slices, so that
 * mail does not wait for the answer.
 *
 * What flows and domains decide is decided once for each of them and slice; jobs are read only for
 * recipients for whom everything else holds.
 * Owns:    walk_new() gives the caller the walk; the selector is copied, its texts are not.
 * Blocks:  on the spool's files when sender or recipient are asked for.
 * Threads: the lane's; walk_free() any, when the lane no longer has it.
 * Limits:  a slice ends with its time, and after 16384 recipients or 4 jobs read.  Recipients that
 *          come or go between two slices may be seen or not. */
#pragma once
#include "mta/queue/queue.h"

enum { WALK_SLICE_US = 150 }; /* a walk is a chore of the lane (mta/core/chore.h) */

struct walk;
struct walk *walk_new(struct lane *l, const struct selector *s);
struct walk *walk_free(struct walk *w);
DEFINE_OWNED(walk)
/* Looks at some more and calls each() for those that the selector names.  True: there are more.
 * each() gives false to end the walk. */
bool walk_go(struct walk *w, int64_t slice_us, bool (*each)(void *arg, rcpt_ref ref), void *arg);
/* each() reads the recipient's job: a slice reads few. */
void walk_reads(struct walk *w, const struct rcpt *r);
/* Of those that came by, the first of this domain? */
bool walk_is_first(struct walk *w, uint32_t domain);
struct queue *walk_queue(const struct walk *w);
/* Does a rule hold it?  It moves to the held list only when its turn comes. */
bool walk_is_held(struct walk *w, const struct rcpt *r);
/* When its message was accepted; 0: unknown. */
int64_t walk_accepted_ms(struct walk *w, const struct rcpt *r);

/* The wall clock's time at a moment of the monotonic clock. */
int64_t walk_wall_ms(const struct queue *q, int64_t mono_ms);
