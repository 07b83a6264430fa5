/* mta/link/link.h - the engine's end of the link to the control plane (schema/wire/link.h).
 *
 * Guarantee: an ACK leaves only after the sync of what it acknowledges, and a rule is in effect
 *            when its ACK leaves.  What was acknowledged before is acknowledged again and does
 *            nothing.
 *
 * Files:   server.c lives, client.c hears and acknowledges, orders.c is the table of orders, feed.c
 *          gives events.  frames.c and unix.c are the carrier.
 * Threads: the front desk.  Blocks: on the disk for KEY (small files) and for events (page cache).
 * Limits:  32 clients; a client is not heard while more than link.buffer bytes of it wait for the
 *          disk; it gets no more events while it leaves more than a frame of them unread. */
#pragma once
#include "mta/input.h"

extern const struct input link_input;
