/* control/engine/numbers.h - whose campaign an event is about: the numbers under which engines know
 * campaigns, as the database has them.
 *
 * A number that the database does not know belongs to a start that a restore undid, or to another
 * installation.  Its events change nothing here; the log says so, once for each number remembered.
 *
 * Owns:    numbers_new() gives the caller the memory; numbers_free() ends it.
 * Blocks:  numbers_find() on the database, as cp_ingest, for a number that is new to it.
 * Fails:   as control/db/db.h.
 * Limits:  remembers NUMBERS_KEPT numbers.  A number changes hands only when an engine has ended:
 *          begin anew with each session. */
#pragma once
#include "control/db/db.h"

enum { NUMBERS_KEPT = 256 };
struct numbers;
struct numbers *numbers_free(struct numbers *n);
DEFINE_OWNED(numbers)
struct numbers *numbers_new(void);
void numbers_begin(struct numbers *n, struct db *ingest); /* knows nothing, asks this one */
/* 1: *ret_campaign; 0: this organisation has no such campaign. */
int numbers_find(struct numbers *n, uint64_t org, uint64_t number,
		 uint64_t *ret_campaign) MUST_CHECK;
/* The same, also by a number that the campaign had before its pieces went to another engine. */
int numbers_find_late(struct numbers *n, uint64_t org, uint64_t number,
		      uint64_t *ret_campaign) MUST_CHECK;
