/* mta/site/trace.h - live sessions followed by an operator: those that a selector names.
 *
 * Domain, provider, site, source and pool are the connection's.  Where the selector has another
 * key, a connection is followed while it carries mail to a recipient for whom all terms hold.
 * One trace at a time.  Lines wait in a ring until they are asked for; a trace that nobody asks for
 * ends.  While there is none, a connection that opens and a message that is handed over each cost a
 * look at sites.tracing.  Of AUTH nothing is seen, and no message (mta/smtp/transcript.h).
 * Owns:    the ring, while it is on, and a copy of the selector.
 * Threads: the lane's.
 * Limits:  TRACE_LINES lines wait, TRACE_PER_S in a second, the rest is counted as lost; it ends
 *          TRACE_IDLE_MS after the last question. */
#pragma once
#include "mta/rules/selector.h"
#include "mta/site/channel.h"

enum { TRACE_LINES = 1000, TRACE_PER_S = 500, TRACE_IDLE_MS = 5000 };

struct trace_line {
	int64_t at_ms; /* wall clock */
	unsigned session;
	uint8_t who;
	uint16_t n;
	char ip[IP_TEXT_MAX], source[IP_TEXT_MAX];
	char text[TRANSCRIPT_LINE];
};
/* E_LIMIT: the selector is too long. */
int trace_begin(struct sites *s, const struct selector *what, int64_t for_ms) MUST_CHECK;
/* Gives and forgets the lines that wait.  False: no trace is on. */
bool trace_take(struct sites *s, void (*each)(void *arg, const struct trace_line *l), void *arg,
		uint64_t *ret_lost);
void trace_end(struct sites *s); /* harmless when none is on */

/* Called only while sites.tracing is set. */
void trace_opened(struct channel *ch);
void trace_handed_over(struct channel *ch, const struct chunk *k, const rcpt_ref *refs, unsigned n);
