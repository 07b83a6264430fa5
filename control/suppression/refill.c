/* control/suppression/refill.c - every suppressed address as an order, for an engine without. */
#include "control/suppression/background.h"
#include "control/suppression/statements.h"

static int refill(struct app *app UNUSED, struct db *ingest)
{
	int r = db_run(ingest, NULL, sql_suppression_refill);

	return r < 0 ? r : 0;
}

const struct meet_refill suppression_refill = { "suppressions", refill };
