/* mta/deliver/turn.h - whose turn it is at a channel: orders, caps, limits of tenants, plans of new
 * sources, and demands of the message are looked at before a recipient is taken.
 * Owns:    turn_next() gives the caller a reference to the chunk, and the seats at caps.
 * Blocks:  on the spool's files (mta/queue/chunks.h).
 * Threads: the lane's.
 * Limits:  TAKES_MAX recipients are looked at in one go. */
#pragma once
#include "mta/deliver/delivery.h"

/* Who goes next, and what was found out about it. */
struct turn_taken {
	struct chunk *chunk;
	struct line *line;
	struct caps_mail caps;
	const struct lids *lids; /* NULL: its tenant has no limits here */
};

/* The next recipient that may go, with its job; RCPT_NONE: nobody now. */
rcpt_ref turn_next(struct deliverer *dr, struct channel *ch, bool bulk, struct turn_taken *ret);
/* Without a look at the job: has it expired, or has its site or its pool changed?  Then it is seen
 * to. */
bool turn_moved_on(struct deliverer *dr, struct pool *p, rcpt_ref ref);
/* False: an order or a suppression was carried out instead. */
bool turn_may_go(struct deliverer *dr, rcpt_ref ref, struct chunk *k);
/* Before the others of its pool, or to where its domain's mail goes now. */
void turn_again(struct deliverer *dr, struct pool *p, rcpt_ref ref);
/* Another lane was faster: today's plan has no room for one more, and it waits again. */
bool turn_plan_is_full(struct deliverer *dr, struct channel *ch, rcpt_ref ref);
/* Our own trouble with stored bytes, so it makes no verdict.  It is tried again in an hour. */
void turn_unreadable(struct deliverer *dr, rcpt_ref ref, const char *what, int err);
