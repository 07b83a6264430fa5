/* control/campaigns/background.h - what this room does in the background: it starts campaigns at
 * their time, pauses those whose domain is lost, gives the feeder their mail, and keeps what became
 * of it. */
#pragma once
#include "control/engine/feeder_source.h"
#include "control/engine/intake_part.h"
#include "control/worker/worker.h"

extern const struct worker_row campaigns_schedule_worker;
extern const struct worker_row campaigns_halt_worker;
extern const struct worker_row campaigns_trial_worker;
extern const struct feeder_source campaigns_mail;
extern const struct intake_part campaigns_intake;
