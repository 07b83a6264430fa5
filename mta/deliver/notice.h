/* mta/deliver/notice.h - which outcomes the sender of submitted mail is told of, by what it asked
 * for (RFC 3461 sections 5 and 6).
 *
 *	failed, expired    unless NOTIFY says otherwise
 *	delivered          where NOTIFY has SUCCESS and the host did not take that over: "relayed"
 *	deferred           once, when deliver.delay_warning has passed before the next try, unless
 *	                   NOTIFY says otherwise
 *
 * Blocks: as bounce_send(). */
#pragma once
#include "mta/deliver/deliverer.h"

/* Before its record.  passed: the host offers DSN, and was told what was asked for. */
void notice_outcome(struct deliverer *dr, const struct chunk *k, const struct outcome *o,
		    bool passed);
/* What was asked for this recipient. */
void notice_asked(const struct chunk *k, uint32_t row, bool raw, struct wire_dsn *ret);
