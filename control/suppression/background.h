/* control/suppression/background.h - what this room keeps of the engine's events: addresses that do
 * not exist are suppressed. */
#pragma once
#include "control/engine/intake_part.h"

extern const struct intake_part suppression_intake;
