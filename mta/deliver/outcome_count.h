/* mta/deliver/outcome_count.h - what an outcome adds to the tallies of mta/tally.
 * Threads: the lane's. */
#pragma once
#include "mta/deliver/outcome.h"

/* k may be NULL: the job cannot be read.  f: what the session knew; NULL: there was none. */
void outcome_count(struct deliverer *dr, rcpt_ref ref, const struct outcome *o,
		   const struct chunk *k, const struct outcome_facts *f);
