/* mta/queue/decision.h - what we decide about a recipient without a session: it has expired, an
 * order names it, its domain has no route.  The deliver room makes a record of it.
 * Owns:   nothing; texts are borrowed for the call. */
#pragma once
#include "mta/queue/rcpt.h"
#include "schema/wire/status.h"

struct decision {
	enum outcome_kind kind;
	struct status status;
	uint16_t code;           /* what a host said to somebody else, or 0 */
	uint16_t flags;          /* OUTCOME_ */
	struct slice text, host; /* OUTCOME_EXPIRED: the deliver room has the text */
	struct slice ip, source; /* of the connection that failed; may be empty */
	bool ordered;            /* an order says so: its text is no reply */
	bool on_list;            /* it is still strung on a list: leave it there, dead */
	uint32_t not_before_s;   /* deferred: no earlier than this */
};
