/* tests/sim/clock_sim.c - time that a test moves. */
#include "tests/sim/clock_sim.h"

static int64_t mono_us = 1000000;
static int64_t wall_ms = 1700000000000;

int64_t clock_mono_us(void)
{
	return mono_us;
}
int64_t clock_mono_ms(void)
{
	return mono_us / 1000;
}
int64_t clock_wall_ms(void)
{
	return wall_ms;
}
void clock_sim_advance_ms(int64_t ms)
{
	mono_us += ms * 1000;
	wall_ms += ms;
}
void clock_sim_jump_ms(int64_t ms)
{
	wall_ms += ms;
}
