/* control/events/background.h - what this room keeps of the engine's events: all of them in the
 * journal, and their numbers per minute. */
#pragma once
#include "control/engine/intake_part.h"

extern const struct intake_part events_intake;
