/* tests/sim/loop_sim.c - a loop that moves the clock from event to event. */
#include "tests/sim/clock_sim.h"
#include "tests/sim/conn_sim.h"

void loop_sim_init(struct loop *l)
{
	*l = (struct loop){ .timers = timers_new(clock_mono_ms()) };
	list_init(&l->turn_end);
}

void loop_sim_end(struct loop *l)
{
	while (!list_empty(&l->turn_end))
		loop_run_turn_end(l);
	l->timers = timers_free(l->timers);
}

void loop_sim_run(struct loop *l, int64_t ms)
{
	int64_t end = clock_mono_ms() + ms, next, peers;

	for (;;) {
		while (conn_sim_step(l))
			;
		next = timers_next(l->timers);
		peers = conn_sim_next();
		if (next < 0 || (peers >= 0 && peers < next))
			next = peers;
		if (next < 0)
			return;
		if (clock_mono_ms() + next > end)
			next = end - clock_mono_ms();
		clock_sim_advance_ms(next);
		(void)timers_run(l->timers, clock_mono_ms());
		if (clock_mono_ms() >= end)
			break;
	}
	while (conn_sim_step(l))
		;
}
