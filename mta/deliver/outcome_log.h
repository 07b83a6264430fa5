/* mta/deliver/outcome_log.h - the log line of an outcome: postern-mta(8) has its keys.
 * Blocks:  on the log's write.
 * Threads: the lane's.
 * Limits:  nothing is looked up or formatted unless the line will be written. */
#pragma once
#include "mta/deliver/outcome.h"

/* f: what the session knew; NULL: there was none. */
void outcome_log(const struct deliverer *dr, const struct outcome *o, const struct chunk *k,
		 const struct outcome_facts *f);
