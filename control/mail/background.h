/* control/mail/background.h - the worker that hands the platform's mail to an engine. */
#pragma once
#include "control/worker/worker.h"

extern const struct worker_row mail_worker;
