/* mta/site/caps.h - orders of the kind cap: no more than a rate, and no more than so many
 * connections, of what their selector names.
 *
 * A connection takes a seat at the caps of the first message that it is opened for, before it
 * opens, and keeps it while it carries such mail or waits for more of it; it gives the seat back
 * when it carries other mail, and when it ends.  When others wait for a seat, a connection that
 * has had its turn ends, and an idle one too.
 * Whoever is the next of his flow and may not go rests, and his flow at this pool with him; other
 * flows go on.  Where another connection of the pool has the seat, the flow waits for that one.  Of
 * a domain that a cap names the mail is a site of its own (mta/site/shaping.h), so that others of
 * its hosts need not wait.
 * Owns:    a struct caps_hold has its seats until caps_hold_end(); it must outlive the caps_mail of
 *          its messages.
 * Threads: the lane's; what is counted is shared by the lanes.
 * Limits:  with several lanes each may send one message more than the rate before it sees the
 *          others'.  A connection of a race (mta/site/race.h) has no seat of its own. */
#pragma once
#include "mta/site/pool.h"

enum { CAPS_HELD_MAX = 2 * RULE_CAPS_MAX };
/* The seats of a connection. */
struct caps_held {
	struct rule_cap *cap;
	unsigned in_hand; /* messages */
	bool latest;      /* the latest message that it took has this cap */
};
struct caps_hold {
	struct pool *pool;
	int64_t since_ms; /* monotonic: the oldest seat */
	unsigned n;
	struct caps_held at[CAPS_HELD_MAX];
};
/* The caps of a message in hand. */
struct caps_mail {
	struct caps_hold *hold;
	struct rule_cap *at[RULE_CAPS_MAX];
	unsigned n;
};
struct channel;
/* May a connection open for whoever is next?  True: *ret has the seats that it needs.  False:
 * nobody may go, and the pool hears when to ask again. */
bool caps_may_open(struct pool *p, bool bulk, struct caps_hold *ret);
void caps_hold_end(struct caps_hold *h);
/* It has had its turn, or is idle, and others wait for a seat of its. */
bool caps_must_give(const struct caps_hold *h, bool idle);
/* May the recipient, who was just taken from the pool's lines, go on this connection?  Else he is
 * put back. */
bool caps_take(struct channel *ch, rcpt_ref ref, struct caps_mail *ret);
void caps_looked(struct pool *p); /* after caps_take() gave false, and another was found or not */
void caps_sent(const struct caps_mail *m); /* the message goes */
void caps_leave(struct caps_mail *m);      /* it is over */
void caps_init(struct pool *p);
void caps_end(struct pool *p);
