/* mta/deliver/act.h - what replies order by the rules of postern-rules(5), besides the outcome: to
 * try another source next, to hold the recipient, to suspend its tenant at the provider.
 * Owns:    what a lane remembers stands in struct deliverer.
 * Threads: the lane's.
 * Limits:  a lane makes ACT_HOLDS_MAX holds whose recipients still live; past it, recipients are
 *          tried by the schedule. */
#pragma once
#include "mta/deliver/meaning.h"
#include "mta/deliver/outcome.h"

enum { ACT_HOLDS_MAX = 10000 };

/* Of a deferral that a host's reply led to, before its next time is reckoned. */
void act_on_reply(struct deliverer *dr, rcpt_ref ref, const struct chunk *k,
		  const struct outcome *o, const struct outcome_facts *f, struct meaning *m);
/* The recipient's life is over: nothing of it is remembered. */
void act_forget(struct deliverer *dr, const struct rcpt *r);
/* It must not leave over this channel: it waits behind the others of its line for another one. */
bool act_sets_aside(struct deliverer *dr, struct channel *ch, rcpt_ref ref);
