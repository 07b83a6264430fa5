/* control/domains/background.h - the worker of this room. */
#pragma once
#include "control/worker/worker.h"

extern const struct worker_row domains_recheck_worker;
