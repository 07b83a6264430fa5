/* control/contacts/lists.h - the size of a list, without a lock that all who join would share.
 * Blocks: on the database, in the organisation's open transaction. */
#pragma once
#include "control/db/db.h"

/* Notes that a list grew or shrank by n; now and then the notes are summed up. */
int contact_list_grow(struct db *db, uint32_t org, uint64_t list, int64_t n) MUST_CHECK;
