/* control/suppression/background.h - what this room does with the engine's events: it suppresses
 * addresses that do not exist. */
#pragma once
#include "control/engine/intake_part.h"

extern const struct intake_part suppression_intake;
