/* control/returns/background.h - what this room keeps of the engine's events: what came back as
 * mail about a recipient.  The state of the recipient stays what it is; the ledger is marked beside
 * it, statistics count recipients (not notices), and who bounced for good, complained or
 * unsubscribed is suppressed. */
#pragma once
#include "control/engine/intake_part.h"
#include "control/worker/worker.h"

extern const struct intake_part returns_intake;
extern const struct worker_row returns_erase_worker;
