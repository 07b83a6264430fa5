/* mta/queue/shared.h - what the queues of all lanes share; for the files of this room. */
#pragma once
#include "mta/core/part.h"
#include "mta/queue/start.h"

/* Valid until the engine ends. */
const struct start_jobs *queue_start_jobs(struct engine *e);
