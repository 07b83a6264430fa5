/* control/engine/installation.h - notices that the database is not the one that it was: restored
 * from a dump or to a point in time, failed over, made anew, or older than an engine has seen it.
 * Then numbers that the lost history may have given to rows are skipped (schema/sql/0012).
 *
 * Blocks: on the database, as cp_ingest.
 * Fails:  as control/db/db.h.
 * Limits: a database put back by copying its files, at the same server, shows only by what the
 *         engine remembers; until then new rows may get numbers that were used.  Ids of jobs never
 *         do: each start of a campaign draws its own. */
#pragma once
#include "control/db/db.h"

/* later: an engine was told more than the database knows. */
int installation_check(struct db *ingest, bool later) MUST_CHECK;
