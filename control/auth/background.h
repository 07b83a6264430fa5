/* control/auth/background.h - what this room does in the background: writes the use of keys, warns
 * before they expire. */
#pragma once
#include "control/worker/worker.h"

extern const struct worker_row key_use_worker;
extern const struct worker_row key_ending_worker;
extern const struct worker_row share_worker;
