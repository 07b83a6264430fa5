/* mta/site/seats.h - what a connection takes up of the limits that others share: a seat in the
 * lane, at its site, of its source, of the source at the site, at the provider; and, where its
 * source was suspended or met a wall, the one try that shows whether that is over.
 * Owns:    a channel has all of them or none; seats_give() before it is freed.
 * Threads: the lane's; the counts are atomic. */
#pragma once
#include "mta/site/channel.h"

/* The channel's pool, source and shape are set.  False: one seat is missing, none was taken. */
bool seats_take(struct channel *ch, bool transactional) MUST_CHECK;
void seats_give(struct channel *ch);
void seats_end_try(struct channel *ch); /* harmless when it is none */
/* It begins (1) or has ceased (-1) to end: it does not count against a lowered limit meanwhile. */
void seats_count_leaving(const struct channel *ch, int n);
