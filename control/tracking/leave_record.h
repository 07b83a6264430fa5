/* control/tracking/leave_record.h - one who left, as a line of a file.
 *
 *	line = at_ms SP one_click SP ticket SP crc LF
 *
 * one_click is 0 or 1; crc is CRC-32C over what is before its blank, as 8 lower-case hex digits.
 * The ticket proves the organisation and the address (control/tracking/ticket.h), so that a file
 * which somebody wrote to makes nobody leave.
 *
 * Guarantee: a record has one spelling.  A line that a crash cut, or that was damaged, is not a
 *            record, and does not hide those after it.
 * Fails:     E_SYNTAX: a line that is no record. */
#pragma once
#include "base/buf.h"
#include "control/tracking/ticket.h"

enum { LEAVE_RECORD_MAX = 20 + 1 + 1 + 1 + TICKET_TEXT_MAX + 1 + 8 + 1 };

struct leave_record {
	int64_t at_ms;
	bool one_click;
	char ticket[TICKET_TEXT_MAX];
};
void leave_record_put(struct buf *out, const struct leave_record *r);
/* Takes the next line off the front of rest.  1: *ret is its record; 0: nothing is left. */
int leave_record_next(struct slice *rest, struct leave_record *ret) MUST_CHECK;
