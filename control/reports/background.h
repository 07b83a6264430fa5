/* control/reports/background.h - what this room keeps of the engine's events: reports that others
 * made about sending domains, and from which addresses we sent, which says whose mail they saw. */
#pragma once
#include "control/engine/intake_part.h"

extern const struct intake_part reports_intake;
