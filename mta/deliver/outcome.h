/* mta/deliver/outcome.h - from a verdict, or a decision of our own, to the record in the spool, the
 * counters, the log line and the recipient's next state.
 * Guarantee: a recipient leaves the queue only after the spool took its outcome; an outcome that
 *            the spool cannot take now is kept and put again.
 * Threads: the lane's. */
#pragma once
#include "mta/deliver/meaning.h"

/* What the session knew; texts are borrowed for the call. */
struct outcome_facts {
	struct slice host, ip, source;
	struct slice tls, cipher, policy, proof; /* as in struct outcome */
	struct outcome_took took;                /* without DNS, which is the domain's */
	uint16_t flags;
	bool sent_data;
	/* For the log and the counts; NULL: there was no session. */
	struct channel *channel;
	const struct txn *txn;
};
/* The recipient is RCPT_IN_FLIGHT.  *ret gets what the rules make of the reply. */
void outcome_verdict(struct deliverer *dr, rcpt_ref ref, const struct chunk *k,
		     struct slice address, const struct verdict *v, const struct outcome_facts *f,
		     struct meaning *ret);

/* Without a session; reads the job for the address.  The function of struct queue_ends. */
void outcome_decide(struct queue_ends *e, rcpt_ref ref, const struct decision *d);
/* The same with only a kind, a reason, a status and OUTCOME_ flags. */
void outcome_plain(struct deliverer *dr, rcpt_ref ref, enum outcome_kind kind, struct slice text,
		   struct status status, uint16_t flags);
/* An order ends it, with its text. */
void outcome_ordered(struct deliverer *dr, rcpt_ref ref, enum outcome_kind kind, struct slice text);
void outcome_init(struct deliverer *dr);
/* Late outcomes are put once more; those that still fail are logged and tried after a restart. */
void outcome_end(struct deliverer *dr);
