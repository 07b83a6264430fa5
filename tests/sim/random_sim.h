/* tests/sim/random_sim.h - chance that replays from a seed (splitmix64). */
#pragma once
#include "base/random.h"

void random_sim_seed(uint64_t seed);
