/* control/domains/background.h - the worker of this room, and what it tells an engine that has
 * nothing. */
#pragma once
#include "control/engine/meet.h"
#include "control/worker/worker.h"

extern const struct worker_row domains_recheck_worker;
extern const struct meet_refill domains_refill;
