/* control/org/background.h - what this room does in the background: tells the API which origins the
 * organisations list. */
#pragma once
#include "control/worker/worker.h"

extern const struct worker_row origins_worker;
