/* mta/deliver/retry.h - when a recipient that could not be delivered is tried again, and until
 * when.  The shape of its site (mta/site/shaping.h) may have a schedule and a life; else the
 * schedule is retry.schedule, and the life is the message's own.
 * Threads: the lane's. */
#pragma once
#include "mta/deliver/meaning.h"

/* The next try after this deferral, by the wall clock, with jitter: when the host asked for it
 * (*m), else by the schedule; moved so that the last one is not past the end of its life, which a
 * shape may cut. */
int64_t retry_next_ms(struct deliverer *dr, rcpt_ref ref, const struct outcome *o,
		      const struct meaning *m);
