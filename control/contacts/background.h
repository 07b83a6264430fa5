/* control/contacts/background.h - the worker of this room. */
#pragma once
#include "control/worker/worker.h"

extern const struct worker_row contacts_import_worker;
