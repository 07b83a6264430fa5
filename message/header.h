/* message/header.h - the header of a message as it is (RFC 5322 section 2.2): walk it, count
 * its fields, make the lines that a submission lacks.
 * Owns:   nothing; slices point into the message.
 * Blocks: never.
 * Fails:  E_SYNTAX for a line that is neither field nor continuation, E_LIMIT past the bounds.
 * Limits: HEADER_MAX bytes and HEADER_FIELDS_MAX fields are looked at.  Lines end in CRLF or LF. */
#pragma once
#include "base/buf.h"

enum { HEADER_MAX = 1024 * 1024, HEADER_FIELDS_MAX = 2000 };

struct header_field {
	struct slice name;  /* without the colon */
	struct slice value; /* from after the colon to before the last line end, with its folds */
	struct slice whole; /* name to last line end, both included */
};
/* Walks; *pos starts at 0.  1: a field; 0: the end of the header, and *pos is where the body starts
 * (after the empty line, or message.n when there is none). */
int header_next(struct slice message, size_t *pos, struct header_field *ret) MUST_CHECK;
/* The same, but white space may stand before the colon (RFC 5322 section 4.5.8); ret->name is
 * without it. */
int header_next_obsolete(struct slice message, size_t *pos, struct header_field *ret) MUST_CHECK;

/* One pass over a message that was just submitted. */
struct header_scan {
	size_t body; /* offset of the body */
	unsigned from, sender, reply_to, to, cc, bcc, subject, date, message_id, in_reply_to;
	unsigned references, received, dkim, mime_version;
	struct header_field from_field; /* the first */
	bool eight_bit;                 /* in the header; the caller looks at the body */
	bool auto_submitted;            /* present, and not "no" (RFC 3834) */
};
int header_scan(struct slice message, struct header_scan *ret) MUST_CHECK;

/* Appends "Date:" and "Message-ID:" lines for what scan says is missing (RFC 6409 section 8).
 * id is the part left of the "@". */
int header_complete(const struct header_scan *scan, int64_t date_ms, struct slice id,
		    struct slice domain, struct buf *out) MUST_CHECK;
