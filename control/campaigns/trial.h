/* control/campaigns/trial.h - campaigns that a test key has sent.  Their pieces are cut like those
 * of every campaign, so that template, fields and suppressions count, but no engine gets them: each
 * recipient has a simulated outcome, marked as such in the events (LINK_EVENT_SIMULATED) and in the
 * ledger (REASON_SIMULATED).
 *
 * Guarantee: mail of a test key reaches no host: the feeder never claims such a campaign. */
#pragma once
#include "control/http/call.h"
#include "schema/wire/link.h"

/* The outcome that an address stands for: its local part begins with "bounce", "block", "expire" or
 * anything else, which is delivered.  Fills kind, code, dsn and text. */
void trial_outcome(struct slice address, struct link_event *ret);

/* Whoever sends a campaign, or schedules it, makes it a test or a real one. */
int trial_mark(struct call *c, uint64_t campaign) MUST_CHECK;
/* A test key has no say in mail that is real: 403 and E_ANSWERED. */
int trial_check(struct call *c, bool campaign_is_test) MUST_CHECK;
