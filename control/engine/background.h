/* control/engine/background.h - the two workers that speak to an engine. */
#pragma once
#include "control/worker/worker.h"

extern const struct worker_row engine_intake_worker, engine_feeder_worker;
