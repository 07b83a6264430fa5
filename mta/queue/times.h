/* mta/queue/times.h - the time by which recipients become due and expire: the wall clock of the
 * start, moved on by the monotonic clock.  A wall clock that jumps (set by hand, or stepped by NTP)
 * neither expires the queue nor delays it.
 *
 * Stored times are wall clock.  They are turned into ours when they are read, and back when they
 * are written or shown, by how far the wall clock has jumped since the start.
 * Limits: a restart knows no jump: what was accepted before one expires by the clock of then. */
#pragma once
#include <stdbool.h>

#include "base/clock.h"

struct times {
	int64_t base_ms;  /* our time less the monotonic clock */
	int64_t shift_ms; /* the wall clock less our time */
};
void times_init(struct times *t);
/* Did the wall clock jump?  say: a jump of more than a minute is logged. */
void times_look(struct times *t, bool say);

static inline int64_t times_now_ms(const struct times *t)
{
	return clock_mono_ms() + t->base_ms;
}
static inline int64_t times_to_wall_ms(const struct times *t, int64_t ms)
{
	return ms + t->shift_ms;
}
static inline int64_t times_of_wall_ms(const struct times *t, int64_t wall_ms)
{
	return wall_ms - t->shift_ms;
}
