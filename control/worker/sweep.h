/* control/worker/sweep.h - the worker that takes away what has had its time. */
#pragma once
#include "control/worker/worker.h"

extern const struct worker_row worker_sweep;
