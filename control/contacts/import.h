/* control/contacts/import.h - removing uploaded files that no import will take.
 * Blocks: on the folder and the database. */
#pragma once
#include "control/db/db.h"

/* Removes uploads that are more than a day old and that no import waits for. */
void import_clean_uploads(struct db *ingest, const char *folder);
