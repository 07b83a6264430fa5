/* control/engine/background.h - the workers that speak to an engine, and the one that watches the
 * database. */
#pragma once
#include "control/worker/worker.h"

extern const struct worker_row intake_worker, feeder_worker, installation_worker, senders_worker;
