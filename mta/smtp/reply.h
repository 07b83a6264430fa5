/* mta/smtp/reply.h - SMTP replies out of a stream of bytes, RFC 5321 section 4.2 and RFC 2034.
 *
 *	reply      = *( code "-" [ text ] CRLF ) code [ sep text ] CRLF
 *	sep        = SP / HTAB / any byte but "-", DIGIT and LF ; hosts send what they like here
 *	code       = %x32-35 2DIGIT           ; the same on every line
 *	text       = any bytes but LF         ; forbidden bytes are kept, and cleaned later
 *	enhanced   = class "." 1*3DIGIT "." 1*3DIGIT ; else it is part of the text
 *
 * A line that ends in a bare LF is taken.  How the bytes are cut makes no difference.
 *
 * The first line of a reply has all that decides.  So a reply that is longer than is kept is given
 * as soon as that much of it is here (`cut`), and reply_skip() passes over the rest of it.  Until
 * that has come to its end the host has not answered.
 * Owns:   nothing: a reply shows the caller's input, until that is consumed.
 * Fails:  E_SYNTAX: this is no SMTP; E_LIMIT.  Limits: 101 lines and 16 KiB of a reply are kept,
 *         128 KiB more are passed over. */
#pragma once
#include "base/base.h"
#include "mta/smtp/verdict.h"

enum { REPLY_LINES_MAX = 101, REPLY_MAX = 16 * 1024, REPLY_SKIP_MAX = 128 * 1024 };

struct reply {
	uint16_t code;
	struct status status; /* none: it has none, or one of another class */
	unsigned lines;
	bool cut;         /* more of it is to come: reply_skip() */
	struct slice raw; /* the lines that were kept, with their ends */
};
/* How far into the input the current reply was read; all zero before each reply. */
struct reply_scan {
	uint32_t off;
	uint16_t lines, code;
	/* The rest of a reply that was cut. */
	bool skipping, more; /* more: the line that is passed over is not the last */
	uint8_t column;      /* in that line, up to 4 */
	uint32_t skipped;
};

/* Bytes at the start of the input that belong to a reply given before; consume them.  Call it
 * before each reply_next(). */
int reply_skip(struct reply_scan *scan, struct slice input) MUST_CHECK;
/* 1: *ret is filled, ret->raw.n bytes are to be consumed and the scan is new; 0: needs more. */
int reply_next(struct reply_scan *scan, struct slice input, struct reply *ret) MUST_CHECK;
/* Texts line by line, from *pos = 0; false at the end. */
bool reply_line(const struct reply *re, size_t *pos, struct slice *ret_text);

/* What a reply says about a recipient.  The code decides; an enhanced status that contradicts it is
 * ignored.  Codes other than 2xx, 4xx and 5xx give VERDICT_NONE. */
void reply_verdict(const struct reply *re, struct verdict *ret);
