/* control/platform/refill.c - the holds of suspended organisations, for an engine that has none. */
#include "control/platform/background.h"
#include "control/platform/statements.h"

static int refill(struct app *app UNUSED, struct db *ingest)
{
	int r = db_run(ingest, NULL, sql_platform_refill);

	return r < 0 ? r : 0;
}

const struct meet_refill platform_refill = { "suspended organisations", refill };
