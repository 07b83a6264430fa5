/* control/suppression/background.h - what this room does with the engine's events: it suppresses
 * addresses that do not exist; and what it tells an engine that has nothing. */
#pragma once
#include "control/engine/intake_part.h"
#include "control/engine/meet.h"

extern const struct intake_part suppression_intake;
extern const struct meet_refill suppression_refill;
