/* mta/deliver/waive.h - messages that say "TLS-Required: No" (RFC 8689 section 5): what the
 * domain's policy keeps back goes on without it.  The field is only looked at when a policy has
 * failed, so that no other delivery pays for it.
 * Owns:    nothing.
 * Blocks:  on the spool, for the message.
 * Threads: the lane's. */
#pragma once
#include "mta/deliver/deliverer.h"

/* The site would defer the recipient for want of TLS.  True: its message waives that, and it now
 * waits at the site's neighbour for such. */
bool waive_instead(struct deliverer *dr, rcpt_ref ref, const struct decision *d);
