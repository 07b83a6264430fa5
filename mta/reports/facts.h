/* mta/reports/facts.h - from the envelope of a mail that came back, and what the reader says of it,
 * to facts for the log (spool/late.h).  Whom a fact is about is what a token of ours says: that of
 * the address it came to, else that of an X-Postern-Ref field; what the mail claims is only text.
 *
 *	envelope = peer, sender, then each recipient; each ends with a NUL
 *
 * Owns:    nothing; facts point into what they were made from.
 * Threads: any. */
#pragma once
#include "mta/reports/said.h"
#include "mta/returnpath/returnpath.h"
#include "spool/late.h"

enum { FACTS_MAX = 256 };
struct facts {
	struct late_fact at[FACTS_MAX];
	unsigned n;
};
/* said: NULL when nobody could read it.  It is at least one fact, and the last says so. */
void facts_make(struct facts *ret, struct returnpath *rp, struct id128 mail, int64_t at_ms,
		struct slice envelope, struct slice message, const struct said *said);
