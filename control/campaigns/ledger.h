/* control/campaigns/ledger.h - the states of a campaign and of its recipients, and what an event
 * from the engine makes of them.
 *
 *	recipient:  waiting -> deferred -> delivered | bounced | expired | suppressed | cancelled
 *	campaign:   draft -> scheduled -> sending <-> paused -> cancelled
 *
 * Guarantee: a terminal state is never left (ledger_move() in schema/sql holds it).
 * "Completed" is no state of a campaign but a question: is every recipient in a terminal state? */
#pragma once
#include "schema/wire/link.h"

enum campaign_status {
	CAMPAIGN_DRAFT = 1,
	CAMPAIGN_SCHEDULED = 2,
	CAMPAIGN_SENDING = 3,
	CAMPAIGN_PAUSED = 4,
	CAMPAIGN_CANCELLED = 5,
};
enum ledger_state {
	LEDGER_WAITING = 1,
	LEDGER_QUEUED = 2, /* never stored: a waiting recipient whose chunk the engine has */
	LEDGER_DEFERRED = 3,
	LEDGER_DELIVERED = 4, /* this and what follows is terminal */
	LEDGER_BOUNCED = 5,
	LEDGER_EXPIRED = 6,
	LEDGER_SUPPRESSED = 7,
	LEDGER_CANCELLED = 8,
	LEDGER_STATES = 9,
};
enum ledger_reason {
	REASON_NONE = 0,
	REASON_AT_START = 1,   /* suppressed when the audience was frozen */
	REASON_AT_SENDING = 2, /* suppressed later, before RCPT */
	REASON_CONTACT_GONE = 3,
	REASON_CAMPAIGN = 4,   /* the campaign was cancelled */
	REASON_NO_MAILBOX = 5, /* the remote server knows no such recipient */
	REASON_POLICY = 6,     /* any other refusal */
};

/* Words of the API: "waiting", "sending" ...; "" for a number that is none. */
const char *campaign_status_name(int status);
const char *ledger_state_name(int state);
const char *ledger_reason_name(int reason);
/* 0 when the word is no state. */
int ledger_state_parse(struct slice word);

/* What an outcome makes of a recipient; 0 for events that are no outcome. */
enum ledger_state ledger_state_of(const struct link_event *e);
enum ledger_reason ledger_reason_of(const struct link_event *e);
