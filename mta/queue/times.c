/* mta/queue/times.c - notices that the wall clock has jumped. */
#include "mta/queue/times.h"

#include "base/base.h"
#include "base/log.h"

/* Less is no jump: the two clocks are not read at the same moment. */
enum { JUMP_MS = 1000, SAID_MS = 60 * 1000 };

void times_init(struct times *t)
{
	*t = (struct times){ .base_ms = clock_wall_ms() - clock_mono_ms() };
}

void times_look(struct times *t, bool say)
{
	int64_t shift = clock_wall_ms() - times_now_ms(t), jump = shift - t->shift_ms;

	if (jump < JUMP_MS && jump > -JUMP_MS)
		return;
	t->shift_ms = shift;
	if (say && (jump > SAID_MS || jump < -SAID_MS))
		log_warn("clock.jumped", kv_int("ms", jump));
}
