/* mta/link/link.h - the engine's end of the link to the control plane (schema/wire/link.h).
 *
 * Guarantee: an ACK leaves only after the sync of what it acknowledges, and a rule is in effect
 *            when its ACK leaves.  An order that was acknowledged before is acknowledged again and
 *            does nothing.
 *
 * Files:   server.c is its life, client.c greets and acknowledges, orders.c is the table of orders,
 *          senders.c is the order FACTS, feed.c gives events.  frames.c and unix.c carry them.
 * Blocks:  on the disk for KEY and FACTS (small files, a set part by part) and for events (page
 *          cache).
 * Threads: the front desk's.
 * Limits:  32 clients.  A client is not heard while more than link.buffer bytes of it wait for the
 *          disk.  It gets no more events while it leaves more than a frame of them unread. */
#pragma once
#include "mta/core/part.h"

extern const struct part uplink_part;

struct uplink_options {
	char *socket, *group;
	int64_t buffer; /* bytes of one client that may wait for a sync */
};
extern const struct option_set uplink_option_set;

/* Who answers the ADMIN frames of the link's clients: the admin room, which is above.  gone(): the
 * client does not hear an answer any more. */
struct frames;
struct link_frame;
struct uplink_asked {
	void (*ask)(struct uplink_asked *a, struct frames *from, const char *name,
		    const struct link_frame *f);
	void (*gone)(struct uplink_asked *a, struct frames *from);
};
void uplink_tell_admin(struct engine *e, struct uplink_asked *a); /* NULL: nobody */

static inline const struct uplink_options *uplink_options(struct engine *e)
{
	return settings_of(engine_settings(e), &uplink_option_set);
}
