/* control/suppression/suppress.h - suppressing an address and allowing it again: in the database
 * and, through control/engine/senders.c, in the engine, which looks before it takes or sends mail.
 * Blocks: on the database, in the organisation's open transaction. */
#pragma once
#include "control/app/app.h"
#include "control/suppression/address.h"
#include "control/suppression/codes.h"

const char *suppress_reason_name(int reason);
/* Did the person ask for it?  Then only few may allow the address again. */
bool suppress_is_optout(int reason);

/* 1 added, or changed to a reason that the person gave; 0 it was there.  campaign 0: none. */
int suppress_add(struct db *db, uint32_t org, const struct suppress_address *a,
		 enum suppress_reason reason, const char *source, uint64_t campaign) MUST_CHECK;
/* 1 removed, 0 it was not there. */
int suppress_remove(struct db *db, uint32_t org, const struct suppress_address *a) MUST_CHECK;
