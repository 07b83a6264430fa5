/* mta/smtp/stuff.h - a message on its way into DATA: dot-stuffing, RFC 5321 section 4.5.2.
 *
 * Guarantee: whatever bytes go in, and however they are cut, what comes out has no CR without LF,
 * no LF without CR, and CR LF "." CR LF exactly once, at its end (RFC 5321 section 2.3.8: a bare CR
 * or LF in a message is what SMTP smuggling is made of).  A bare one becomes CRLF.
 *
 * Owns: nothing.  Blocks, fails: never. */
#pragma once
#include "base/base.h"

struct stuff {
	bool mid_line, after_cr; /* all zero before the first byte */
};
enum { STUFF_ROOM_MIN = 3, STUFF_END_MAX = 6 };

/* Would a message of these two pieces be changed by more than its dots, or be given another end? */
bool stuff_is_clean(struct slice head, struct slice message);
/* Copies as much of `in` as fits: *ret_used says how much; gives how many bytes were written.  Uses
 * at least one byte of a non-empty `in` when room >= STUFF_ROOM_MIN. */
size_t stuff_copy(struct stuff *st, char *out, size_t room, struct slice in, size_t *ret_used);
/* Ends the last line if it has no end, then the dot; gives how many bytes. */
size_t stuff_end(struct stuff *st, char *out);
