/* mta/smtp/reply.h - SMTP replies out of a stream of bytes, RFC 5321 section 4.2 and RFC 2034.
 *
 *	reply      = *( code "-" [ text ] CRLF ) code [ SP text ] CRLF
 *	code       = %x32-35 2DIGIT           ; the same on every line
 *	text       = any bytes but LF         ; forbidden bytes are kept, and cleaned later
 *	enhanced   = class "." 1*3DIGIT "." 1*3DIGIT ; else it is part of the text
 *
 * A line that ends in a bare LF is accepted.  How the bytes are cut makes no difference.
 * Owns:   nothing: a reply shows the caller's input, until that is consumed.
 * Fails:  E_SYNTAX: this is not SMTP; E_LIMIT: it is too long.
 * Limits: lines of 2,048 bytes with their end, 101 lines and 16 KiB per reply. */
#pragma once
#include "base/base.h"
#include "mta/smtp/verdict.h"

enum { REPLY_LINE_MAX = 2048, REPLY_LINES_MAX = 101, REPLY_MAX = 16 * 1024 };

struct reply {
	uint16_t code;
	struct status status; /* none: it has none, or one of another class */
	unsigned lines;
	struct slice raw; /* all lines with their ends */
};
/* How far into the input the current reply was read; all zero before each reply. */
struct reply_scan {
	uint32_t off;
	uint16_t lines, code;
};

/* 1: *ret is filled; consume ret->raw.n bytes, then the scan starts anew.  0: needs more input. */
int reply_next(struct reply_scan *scan, struct slice input, struct reply *ret) MUST_CHECK;
/* Texts line by line, from *pos = 0; false at the end. */
bool reply_line(const struct reply *re, size_t *pos, struct slice *ret_text);

/* What a reply says about a recipient.  The code decides; an enhanced status that contradicts it is
 * ignored.  Codes other than 2xx, 4xx and 5xx give VERDICT_NONE. */
void reply_verdict(const struct reply *re, struct verdict *ret);
