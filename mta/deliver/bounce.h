/* mta/deliver/bounce.h - tells the sender of submitted mail about a failure, a delay, or that it
 * was handed on to a host that tells nothing more: a report as in RFC 3464 and RFC 6522.  The
 * report is a job like any other, from the null reverse-path, so it never causes a report itself.
 * Blocks: on reading the message.
 * Limits: it quotes up to BOUNCE_HEADER_MAX bytes of the original header.  The whole message goes
 *         back with a failure where RET=FULL asks for it (RFC 3461 section 4.3), unless it is
 *         larger than bounce.return_size or cannot be made 7-bit.  One report per recipient.  The
 *         report is written before the failure's record, so a crash between the two makes a second
 *         one. */
#pragma once
#include "mta/deliver/deliverer.h"

enum { BOUNCE_HEADER_MAX = 8 * 1024 };

enum bounce_action { BOUNCE_FAILED, BOUNCE_DELAYED, BOUNCE_RELAYED };
/* Whether it is to be told is mta/deliver/notice.h's. */
void bounce_send(struct deliverer *dr, const struct chunk *k, const struct outcome *o,
		 enum bounce_action action, const struct wire_dsn *asked);
/* The report itself; texts of peers are made harmless.  It is ASCII with lines of at most 998 bytes
 * whatever the original's header has, so every host can take it.  For bounce.c and its test. */
struct bounce_facts {
	struct slice hostname, sender, rcpt, text, host;
	struct slice class;  /* of the reply (message/judge/class.h); may be empty */
	struct slice header; /* of the original, with its line ends */
	struct slice
	    whole; /* the original, ASCII in short lines; it goes back instead of the header */
	enum bounce_action action;
	struct slice envid; /* decoded; empty: none */
	struct slice orcpt; /* type ";" xtext; empty: none */
	int64_t until_ms;   /* BOUNCE_DELAYED: tried so long */
	struct status status;
	uint16_t code;
	struct id128 id;
	int64_t now_ms;
};
bool bounce_is_plain(struct slice s); /* ASCII, no NUL, lines of at most 998 bytes */
void bounce_compose(const struct bounce_facts *f, struct buf *out);
