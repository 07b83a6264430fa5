/* mta/reports/said.h - what the reader says of one mail: the bytes between it and the engine.
 *
 *	answer = *( tag: 1 byte, length: u32 little-endian, bytes )
 *
 * The reader may have been taken over by what it read, so its answer is looked at as that of a
 * stranger: every length is bounded, every number is checked, and no more is believed than a
 * sender of mail could have written anyway.
 * Owns:    slices point into the answer, or into what was given to said_put().
 * Fails:   E_SYNTAX, E_LIMIT.
 * Limits:  SAID_RECIPIENTS_MAX recipients, SAID_REFS_MAX references; texts as in spool/late.h. */
#pragma once
#include "message/judge/class.h"
#include "schema/wire/status.h"
#include "spool/late.h"

enum { SAID_RECIPIENTS_MAX = 100, SAID_REFS_MAX = 8, SAID_BYTES_MAX = 1024 * 1024 };

struct said_recipient {
	struct slice address, text;
	struct status status;
	uint16_t code;
	enum judge_class class;
	bool hard;
	bool fine; /* it was delivered, relayed or expanded */
};
struct said {
	unsigned kind;                    /* enum late_kind */
	struct slice host;                /* the reporting MTA */
	struct slice evidence;            /* of the mail as a whole */
	struct slice report;              /* JSON, of reports about a domain */
	struct slice identity;            /* what makes such a report the same */
	struct slice refs[SAID_REFS_MAX]; /* addresses in X-Postern-Ref fields */
	unsigned n_refs;
	struct said_recipient rcpt[SAID_RECIPIENTS_MAX];
	unsigned n;
};
int said_put(struct buf *out, const struct said *s) MUST_CHECK;
int said_get(struct slice in, struct said *ret) MUST_CHECK;
