/* tests/sim/clock_sim.h - time that moves only when the test says so. */
#pragma once
#include "base/clock.h"

void clock_sim_set(int64_t mono_us, int64_t wall_ms);
void clock_sim_advance_ms(int64_t ms);   /* both clocks */
void clock_sim_step_wall_ms(int64_t ms); /* an operator or NTP moves the wall clock alone */
