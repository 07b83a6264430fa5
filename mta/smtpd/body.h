/* mta/smtpd/body.h - what follows DATA, until CRLF "." CRLF (RFC 5321 sections 2.3.8, 4.5.2):
 * removes the stuffed dots and finds the end, however the bytes are cut.
 *
 * Guarantee: only CRLF "." CRLF ends it.  A CR or LF that is not part of a CRLF, or a NUL, is noted
 *            (`lone`, `nul`); the message is refused when its true end has come.
 * Owns:   nothing; `out` is the caller's.
 * Fails:  never.  `overflow` says that the message is larger than out->max, `no_memory` that there
 *         was no memory for it; bytes are then only read.
 * Limits: none of its own: out->max. */
#pragma once
#include "base/buf.h"

struct smtpd_body {
	enum {
		SMTPD_BODY_LINE,
		SMTPD_BODY_TEXT,
		SMTPD_BODY_DOT,
		SMTPD_BODY_DOT_CR
	} state; /* SMTPD_BODY_LINE: a line begins */
	bool cr; /* SMTPD_BODY_TEXT: the byte before was a CR */
	bool lone, nul, overflow, no_memory, done;
	size_t line;    /* bytes of this line so far */
	size_t longest; /* of the lines so far: without CRLF and stuffed dot */
};
static inline void smtpd_body_begin(struct smtpd_body *b)
{
	*b = (struct smtpd_body){ .state = SMTPD_BODY_LINE };
}
/* `out` could not take what begins the message. */
void smtpd_body_failed(struct smtpd_body *b, int err);
/* Bytes of a message whose length is told (BDAT): dots mean nothing, and only smtpd_body_end_raw()
 * ends it, which gives its last line an end where it has none. */
void smtpd_body_feed_raw(struct smtpd_body *b, struct slice in, struct buf *out);
void smtpd_body_end_raw(struct smtpd_body *b, struct buf *out);
/* Gives how many bytes of `in` were used: all of them, unless `done`. */
size_t smtpd_body_feed(struct smtpd_body *b, struct slice in, struct buf *out);
