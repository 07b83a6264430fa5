/* control/contacts/import.h - the work behind POST /v1/imports: a file becomes contacts.
 *
 * As cp_ingest the rows are copied into a staging table, as cp_api one statement with the
 * organisation set makes contacts of them; both in a transaction, so that an import that was
 * interrupted anywhere starts again and counts right.
 *
 * Blocks: on the file and the database, for as long as it takes; `stop` is looked at between
 *         pieces. */
#pragma once
#include <stdatomic.h>

#include "control/db/db.h"

/* Takes the oldest waiting import of any organisation and runs it: 1 ran one, 0 there was none. */
int import_run_one(struct db *ingest, struct db *api, const atomic_bool *stop) MUST_CHECK;

/* Removes uploads of more than a day ago that no import waits for. */
void uploads_clean(struct db *ingest, const char *folder);
