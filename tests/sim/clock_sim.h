/* tests/sim/clock_sim.h - time that moves only when the test says so. */
#pragma once
#include "base/clock.h"

void clock_sim_advance_ms(int64_t ms); /* both clocks */
void clock_sim_jump_ms(int64_t ms);    /* the wall clock is set; back when negative */
