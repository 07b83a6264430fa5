/* control/tracking/background.h - what this room does in the background: those who left while the
 * database did not answer are suppressed when it does. */
#pragma once
#include "control/worker/worker.h"

extern const struct worker_row tracking_leave_worker;
