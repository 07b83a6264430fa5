/* mta/site/provider.h - the connections of a provider, shared by its sites: Microsoft 365 has one
 * site per customer, and thousands of them may want the same few slots.
 *
 * Guarantee: a pool without a connection gets one, however much the others have to send.  While it
 *            waits at the door, connections end after TURN_AT_PROVIDER messages, and a pool that
 *            gave one up comes behind those that wait.
 * Threads:   the lane's; what is shared is atomic. */
#pragma once
#include "mta/site/pool.h"

enum { TURN_AT_PROVIDER = 20 }; /* messages */

/* Others have no connection, and there is no slot left. */
bool provider_others_wait(const struct pool *p);
/* Others came to the door before this one. */
bool provider_is_behind(const struct pool *p);
/* It found no slot: it waits at the door if it has no connection at all. */
void provider_wait(struct pool *p);
void provider_leave(struct pool *p); /* it has what it needs; harmless when it does not wait */
