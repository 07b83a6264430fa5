/* dkim/frame.h - cuts a message into its body and the header fields that a signature covers: the
 * one place that says which messages and which fields are signed.
 *
 *	message = 1*field [ CRLF body ]
 *	field   = name *SP ":" *( text / CRLF 1*WSP ) CRLF
 *
 * Owns:   nothing; fields and body point into the message.
 * Fails:  E_SYNTAX: no field, a line that is not a field, a control character, a bare CR or LF in
 *         the header, not exactly one From.  E_LIMIT: more fields than FRAME_FIELDS_MAX, or more
 *         signed ones than FRAME_SIGNED_MAX.
 * RFC 6376 sections 5.4 (what to sign) and 8.15 (fields added later). */
#pragma once
#include "base/base.h"

enum { FRAME_FIELDS_MAX = 256, FRAME_SIGNED_MAX = 128 };

struct frame_field {
	struct slice text; /* from the name to before the final CRLF */
	uint16_t name_n;   /* without blanks before the colon */
	uint16_t colon;    /* offset of the colon */
	uint8_t name;      /* index into frame_signed_names */
	bool used;         /* for those who pick from the bottom */
};
struct frame {
	struct slice header; /* every field, with line ends */
	struct slice body;
	unsigned n;
	struct frame_field fields[FRAME_SIGNED_MAX]; /* the signed ones, top to bottom */
};

/* The fields that are signed when present, and those that are named once more than they occur, so
 * that nobody can add one.  Both lists end in NULL. */
extern const char *const frame_signed_names[];
extern const char *const frame_oversigned_names[];

int frame_parse(struct slice message, struct frame *ret) MUST_CHECK;
/* Next field of a header in whole lines, without its CRLF; *pos starts at 0. False at the end. */
bool frame_next_field(struct slice header, size_t *pos, struct slice *ret);
