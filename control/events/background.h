/* control/events/background.h - what this room keeps of the engine's events: the journal of all of
 * them, and the numbers per minute. */
#pragma once
#include "control/engine/intake_part.h"

extern const struct intake_part events_intake;
