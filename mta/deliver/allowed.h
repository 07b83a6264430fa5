/* mta/deliver/allowed.h - what holds back one tenant's mail at the moment of its delivery: a
 * suspension (mta/site/tenants.h), and the tenant's own limits (mta/site/lids.h).
 * Owns:    nothing; the limits are the pool's, and valid until the next look at another tenant.
 * Threads: the lane's. */
#pragma once
#include "mta/deliver/delivery.h"

/* It may send nothing here now: this one and the rest of its mail wait at the pool.  *ret: its
 * limits here, or NULL. */
bool allowed_later(struct deliverer *dr, struct channel *ch, rcpt_ref ref, const struct lids **ret);
/* False: another lane took what was left; the recipient waits. */
bool allowed_takes(struct deliverer *dr, struct channel *ch, struct delivery *d, rcpt_ref ref,
		   const struct lids *lids);
