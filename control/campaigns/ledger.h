/* control/campaigns/ledger.h - the states of a campaign and of its recipients, and what an event
 * from the engine makes of them.
 *
 *	recipient:  waiting -> deferred -> delivered | bounced | expired | suppressed | cancelled
 *	campaign:   draft -> scheduled -> sending <-> paused -> cancelled
 *
 * Guarantee: a terminal state is never left (ledger_move() in schema/sql holds it).
 * "Completed" is not stored: it means that every recipient is in a terminal state. */
#pragma once
#include "control/campaigns/codes.h"
#include "schema/wire/link.h"

/* Words of the API: "waiting", "sending" ...; "" for an unknown number. */
const char *campaign_status_name(int status);
/* Why it went back to draft; NULL when it did not. */
const char *campaign_unfit_name(int unfit);
/* Why the service paused it; NULL when it did not. */
const char *campaign_pause_name(int paused_by);
const char *ledger_state_name(int state);
const char *ledger_reason_name(int reason);
/* 0 when the word is not a state. */
int ledger_state_parse(struct slice word);

/* The state that an outcome brings a recipient to; 0 for events that are not outcomes. */
enum ledger_state ledger_state_of(const struct link_event *e);
enum ledger_reason ledger_reason_of(const struct link_event *e);
