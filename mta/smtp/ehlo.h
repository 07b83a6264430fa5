/* mta/smtp/ehlo.h - what a server says it can do: the EHLO reply, RFC 5321 section 4.1.1.1.
 *
 *	first line = greeting, ignored
 *	line       = *SP keyword *( SP param )      ; any case; unknown keywords are ignored
 *
 * A keyword given twice counts once, and the first SIZE counts.  "SIZE", "SIZE 0", and a SIZE that
 * is not a number or too large mean that there is no limit (RFC 1870 section 4).
 * Owns:   nothing.
 * Fails:  never. */
#pragma once
#include "mta/smtp/reply.h"

enum {
	EHLO_PIPELINING = 1,
	EHLO_SIZE = 2,
	EHLO_8BITMIME = 4,
	EHLO_STARTTLS = 8,
	EHLO_SMTPUTF8 = 16,
	EHLO_ENHANCED = 32,
	EHLO_CHUNKING = 64,
	EHLO_REQUIRETLS = 128,
	EHLO_DSN = 256,
};
struct ehlo {
	unsigned can;      /* EHLO_ bits */
	uint64_t size_max; /* 0: no limit */
};
void ehlo_parse(const struct reply *re, struct ehlo *ret);
/* As if the host had not offered these (EHLO_ bits). */
void ehlo_ignore(struct ehlo *e, unsigned bits);
unsigned ehlo_keyword(struct slice word); /* its EHLO_ bit, 0 when we make no use of it */
