#include "control/http/rows.h"

int rows_reply(struct call *c, const struct page *page, const struct db_result *rows,
	       json_t *(*json)(const struct db_result *rows, unsigned i))
{
	json_t *data = json_array();
	unsigned n = (unsigned)MIN_OF((int64_t)db_rows(rows), page->limit);

	for (unsigned i = 0; i < n; i++)
		(void)json_array_append_new(data, json(rows, i));
	return page_reply(c, page, data, db_rows(rows) > n, n ? db_int(rows, n - 1, 0) : 0,
			  SLICE(""));
}
