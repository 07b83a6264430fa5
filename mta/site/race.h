/* mta/site/race.h - a site with addresses of both families: IPv6 first, IPv4 when that has not
 * connected after a moment, or the other way round (RFC 8305, for connections that bring mail).
 *
 * The second connection begins race.delay after the first, from a source of its family.  The one
 * that is ready first carries mail.  The other is closed; that says nothing of its host, but an
 * address that lost while it had not even connected is only used for race.remember when there is
 * no other.  After IPv6 has lost to three hosts and won nowhere, IPv4 goes first for as long.
 * Where the limits leave no room for a second connection, the first gives its place.
 * Owns:    nothing; what is remembered stands in the host and in struct sites.
 * Threads: the lane's. */
#pragma once
#include "mta/site/channel.h"
#include "mta/site/pair.h"

void race_init(struct channel *ch);
void race_begin(struct channel *ch); /* it is connecting */
void race_won(struct channel *ch);   /* it is ready */
void race_leave(struct channel *ch); /* its session is over */
/* The family to try first. */
int race_first_family(const struct sites *s);
static inline bool race_is_slow(const struct host *h, int64_t now_ms)
{
	return h->slow_until_ms > now_ms;
}
