/* control/platform/background.h - what this room tells an engine that has nothing. */
#pragma once
#include "control/engine/meet.h"

extern const struct meet_refill platform_refill;
