/* control/tracking/leave.h - somebody leaves: the address that was written to is suppressed, and
 * the contact that has it wants no more mail.
 *
 * Guarantee: doing it again changes nothing.  It happens in the organisation that the ticket names.
 * Blocks:    on the database, in the organisation's open transaction.
 * Fails:     E_UNKNOWN: the organisation is gone, or the ticket has no address and the
 *            ledger does not know it.  E_SYNTAX: its address can be nobody's. */
#pragma once
#include "control/tracking/ticket.h"

struct leave {
	struct ticket_subject who;
	bool one_click;
	int64_t at_ms;
};
/* A db_work; arg is a struct leave. */
int leave_work(struct db *db, void *arg) MUST_CHECK;
