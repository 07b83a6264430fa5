/* mta/submit/body.h - what follows DATA, until CRLF "." CRLF (RFC 5321 sections 2.3.8, 4.5.2):
 * takes the stuffed dots out and finds the end, however the bytes are cut.
 *
 * Guarantee: nothing but CRLF "." CRLF ends it, and a CR or LF that is not part of a CRLF, or a
 *            NUL, is remembered (`lone`, `nul`): the message is then refused when its true end has
 *            come.
 * Owns:   nothing; `out` is the caller's.  Fails: never; what `out` could not take is `overflow`,
 *         from then on bytes are looked at and dropped.
 * Limits: none of its own: out->max. */
#pragma once
#include "base/buf.h"

struct body {
	enum { BODY_LINE, BODY_TEXT, BODY_DOT, BODY_DOT_CR } state; /* BODY_LINE: a line begins */
	bool cr; /* BODY_TEXT: the byte before was a CR */
	bool lone, nul, overflow, done;
};
static inline void body_begin(struct body *b)
{
	*b = (struct body){ .state = BODY_LINE };
}
/* Gives how many bytes of `in` were used: all of them, unless `done`. */
size_t body_feed(struct body *b, struct slice in, struct buf *out);
