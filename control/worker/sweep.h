/* control/worker/sweep.h - the worker that deletes what has expired. */
#pragma once
#include "control/worker/worker.h"

extern const struct worker_row worker_sweep;
