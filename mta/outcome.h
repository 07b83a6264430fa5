/* mta/outcome.h - from a verdict, or a decision of our own, to the record in the log, the counters,
 * the log line and the recipient's next state.
 * Guarantee: a recipient leaves the queue only after the spool took its outcome; an outcome the
 *            spool cannot take now is kept and put again.
 * Threads: the lane's. */
#pragma once
#include "mta/smtp/verdict.h"
#include "mta/work_int.h"

/* What the session knew; texts are borrowed for the call. */
struct outcome_facts {
	struct slice host, ip, source;
	uint16_t flags;
	bool sent_data;
};
/* The recipient is RCPT_IN_FLIGHT. */
void outcome_verdict(struct work *w, rcpt_ref ref, const struct chunk *k, struct slice address,
		     const struct verdict *v, const struct outcome_facts *f);

struct own_outcome {
	enum outcome_kind kind;
	uint16_t code, dsn[3], flags; /* code: what a host said to somebody else, or 0 */
	struct slice text, host;
	bool on_list;          /* the recipient is still strung on a list: leave it there, dead */
	uint32_t not_before_s; /* deferred: no earlier than this */
};
/* No session had a part in it.  Reads the job for the address. */
void outcome_own(struct work *w, rcpt_ref ref, const struct own_outcome *o);
/* The same with nothing but kind, reason, RFC 3463 status and OUTCOME_ flags. */
void outcome_plain(struct work *w, rcpt_ref ref, enum outcome_kind kind, struct slice text,
		   const uint16_t dsn[3], uint16_t flags);
void outcome_init(struct work *w);
void outcome_free_all(struct work *w); /* late ones are put once more, then given up to a restart */
