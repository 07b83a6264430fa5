/* mta/deliver/allowed.h - what holds back one tenant's mail at the moment of its delivery: a
 * suspension (mta/site/tenants.h), and the tenant's own limits (mta/site/lids.h).
 * Owns:    nothing; the limits are the pool's, and valid until the next look at another tenant.
 * Threads: the lane's. */
#pragma once
#include "mta/deliver/delivery.h"

/* Those whose mail the others of the pool's sources may take, and this one may not. */
struct allowed_aside {
	struct list shares;
	int64_t wait_us; /* until the first of them may go from it */
};
void allowed_begin(struct allowed_aside *aside);
/* It may send nothing here now: this one and the rest of its mail wait at the pool, or, when
 * another source may take it, are set aside.  *ret: its limits here, or NULL. */
bool allowed_later(struct deliverer *dr, struct channel *ch, rcpt_ref ref, const struct lids **ret,
		   struct allowed_aside *aside);
/* They have their turns again.  found: there was somebody else for the channel. */
void allowed_end(struct channel *ch, struct allowed_aside *aside, bool found);
/* False: another lane took what was left; the recipient waits. */
bool allowed_takes(struct deliverer *dr, struct channel *ch, struct delivery *d, rcpt_ref ref,
		   const struct lids *lids);
