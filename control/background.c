/* control/background.c - everything that runs in the background, and what the rooms give to the
 * workers that speak to the engine. */
#include "control/auth/background.h"
#include "control/campaigns/background.h"
#include "control/contacts/background.h"
#include "control/domains/background.h"
#include "control/engine/background.h"
#include "control/events/background.h"
#include "control/mail/background.h"
#include "control/org/background.h"
#include "control/platform/background.h"
#include "control/reports/background.h"
#include "control/returns/background.h"
#include "control/suppression/background.h"
#include "control/tracking/background.h"
#include "control/worker/sweep.h"

const struct worker_row *const worker_rows[] = {
	&intake_worker,
	&feeder_worker,
	&installation_worker,
	&contacts_import_worker,
	&campaigns_schedule_worker,
	&campaigns_halt_worker,
	&campaigns_trial_worker,
	&worker_sweep,
	&domains_recheck_worker,
	&senders_worker,
	&mail_worker,
	&tracking_leave_worker,
	&key_use_worker,
	&key_ending_worker,
	&share_worker,
	&origins_worker,
	&returns_erase_worker,
};
const size_t worker_rows_n = ARRAY_LEN(worker_rows);

/* In the order in which they write, within one transaction. */
const struct intake_part *const intake_parts[] = { &events_intake, &campaigns_intake,
						   &suppression_intake, &returns_intake,
						   &reports_intake };
const size_t intake_parts_n = ARRAY_LEN(intake_parts);

/* What a new or emptied engine is told first. */
const struct meet_refill *const meet_refills[] = { &domains_refill, &platform_refill };
const size_t meet_refills_n = ARRAY_LEN(meet_refills);

const struct feeder_source *const feeder_source = &campaigns_mail;
