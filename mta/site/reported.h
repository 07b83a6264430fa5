/* mta/site/reported.h - what a connection showed of its domain's TLS, for the reports that the
 * domain wants (RFC 8460 section 4.3): from the policy that held and how the session came about, or
 * failed to, to one of that section's results.
 *
 *	not counted: what went to a smart host, what said that TLS may be missing (and our own
 *	reports), sessions that ended before TLS was come to, and the second try in clear text after
 *	a handshake that failed, which was counted itself.
 *
 * Owns:    nothing.
 * Threads: the lane's. */
#pragma once
#include "mta/site/channel.h"

void reported_ready(const struct channel *ch);
/* It is gone and was never ready; its session is still there. */
void reported_failed(const struct channel *ch, const struct verdict *v);
/* The policy refuses the route's host `i`: no connection was tried. */
void reported_refused(const struct site *s, unsigned i, const struct policy_demand *d);
