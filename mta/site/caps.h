/* mta/site/caps.h - orders of the kind cap: no more than a rate, and no more than so many messages
 * at a time, of what their selector names.
 *
 * Whoever is the next of his flow and may not go rests, and his flow at this pool with him; other
 * flows go on.  Of a domain that a cap names the mail is a site of its own (mta/site/shaping.h), so
 * that others of its hosts need not wait.
 * Owns:    a struct caps_seat has a place at each of its caps until caps_leave().
 * Threads: the lane's; what is counted is shared by the lanes.
 * Limits:  with several lanes each may send one message more before it sees the others'. */
#pragma once
#include "mta/site/pool.h"

struct caps_seat {
	struct rule_cap *at[RULE_CAPS_MAX];
	unsigned n;
};
/* May the recipient, who was just taken from the pool's lines, go?  Else he is put back. */
bool caps_take(struct pool *p, rcpt_ref ref, struct caps_seat *ret);
void caps_sent(const struct caps_seat *seat); /* the message went */
void caps_leave(struct caps_seat *seat);      /* it is over */
void caps_init(struct pool *p);
void caps_end(struct pool *p);
