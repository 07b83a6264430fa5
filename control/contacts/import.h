/* control/contacts/import.h - files of uploads that nobody came for.
 * Blocks: on the folder and the database. */
#pragma once
#include "control/db/db.h"

/* Removes uploads of more than a day ago that no import waits for. */
void import_clean_uploads(struct db *ingest, const char *folder);
