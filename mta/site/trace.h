/* mta/site/trace.h - live sessions followed by an operator: lines of the connections to a site or
 * provider, from a source, or of what carries a tenant's, a campaign's or a job's mail.
 *
 * One trace at a time.  Lines wait in a ring until they are asked for; a trace that nobody asks for
 * ends.  While there is none, a connection that opens and a message that is handed over each cost a
 * look at sites.tracing.  Of AUTH nothing is seen, and no message (mta/smtp/transcript.h).
 * Owns:    the ring, while it is on.
 * Threads: the lane's.
 * Limits:  TRACE_LINES lines wait, TRACE_PER_S in a second, the rest is counted as lost; it ends
 *          TRACE_IDLE_MS after the last question. */
#pragma once
#include "mta/site/channel.h"

enum { TRACE_LINES = 1000, TRACE_PER_S = 500, TRACE_IDLE_MS = 5000 };

enum trace_of {
	TRACE_ALL,
	TRACE_DOMAIN,
	TRACE_PROVIDER,
	TRACE_SOURCE,
	TRACE_TENANT,
	TRACE_CAMPAIGN,
	TRACE_JOB
};
struct trace_what {
	enum trace_of of;
	uint64_t number;
	struct id128 job;
	char name[256]; /* a domain, a provider or an address */
};
/* "all", "domain/x.example", "x.example", "provider/gmail", "source/192.0.2.1", "tenant/7",
 * "campaign/9", "job/ID" or "ID".  E_SYNTAX. */
int trace_parse(struct slice text, struct trace_what *ret) MUST_CHECK;

struct trace_line {
	int64_t at_ms; /* wall clock */
	unsigned session;
	uint8_t who;
	uint16_t n;
	char ip[IP_TEXT_MAX], source[IP_TEXT_MAX];
	char text[TRANSCRIPT_LINE];
};
void trace_begin(struct sites *s, const struct trace_what *what, int64_t for_ms);
/* Gives and forgets the lines that wait.  False: no trace is on. */
bool trace_take(struct sites *s, void (*each)(void *arg, const struct trace_line *l), void *arg,
		uint64_t *ret_lost);
void trace_end(struct sites *s); /* harmless when none is on */

/* Called only while sites.tracing is set. */
void trace_opened(struct channel *ch);
void trace_handed_over(struct channel *ch, uint64_t tenant, uint64_t campaign, struct id128 job);
