/* control/http/rows.h - a page of a query's rows as the reply every list has. */
#pragma once
#include "control/http/call.h"

/* A page of rows whose first column is the id they are ordered by. */
int rows_reply(struct call *c, const struct page *page, const struct db_result *rows,
	       json_t *(*json)(const struct db_result *rows, unsigned i)) MUST_CHECK;
