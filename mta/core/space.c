/* mta/core/space.c - a look at the spool's books now and then, on the front desk. */
#include "mta/core/space.h"

#include "base/log.h"

enum { LOOK_MS = 100, CALM_LOOKS = 10 };

struct space {
	struct lane *front;
	struct timer timer;
	bool refusing;
	unsigned calm; /* looks since mail was refused last */
};

static void look(struct timer *t)
{
	struct space *s = container_of(t, struct space, timer);
	struct books b;

	spool_books(engine_spool(lane_engine(s->front)), &b);
	s->calm = b.refusing ? 0 : s->calm + 1;
	if (b.refusing && !s->refusing) {
		log_warn("spool.refusing", kv_err("reason", E_FULL), kv_int("free", b.free_bytes));
		s->refusing = true;
	} else if (s->refusing && s->calm == CALM_LOOKS) {
		log_info("spool.taking", kv_int("free", b.free_bytes));
		s->refusing = false;
	}
	timer_set(lane_loop(s->front)->timers, t, LOOK_MS);
}

static int space_start(struct lane *front, void **ret_state)
{
	struct space *s = must_alloc(sizeof(*s));

	s->front = front;
	timer_init(&s->timer, look);
	*ret_state = s;
	look(&s->timer);
	return 0;
}

static void space_stop(void *state)
{
	struct space *s = state;

	timer_stop(lane_loop(s->front)->timers, &s->timer);
	free(s);
}

const struct part space_part = {
	.name = "space",
	.front = true,
	.start = space_start,
	.stop = space_stop,
};
