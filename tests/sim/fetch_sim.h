/* tests/sim/fetch_sim.h - the second implementation of mta/policy/fetch.h: answers from a script,
 * at once.  A host without a row does not answer.
 * Owns: the script belongs to the process; fetch_sim_forget() empties it. */
#pragma once
#include "mta/policy/fetch.h"

/* body: copied.  type NULL: not text/plain. */
void fetch_sim_set(const char *host, enum fetch_fault fault, unsigned status, bool text,
		   const char *body);
void fetch_sim_forget(void);
unsigned fetch_sim_asked(void);
/* What was uploaded last; "" when nothing was. */
struct slice fetch_sim_upload(void);
