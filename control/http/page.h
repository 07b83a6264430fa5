/* control/http/page.h - the GET of a collection: ?limit=1..200 and ?after=cursor, and the reply
 * {"data": [...], "next": cursor or null}.
 *
 * A handler ends with page_list(): it reads the page, runs the statement with PAGE_AFTER and
 * PAGE_LIMIT among its parameters, and writes the rows.
 *
 * Fails: 400 and E_ANSWERED for a wrong limit or cursor; database errors as control/db/db.h. */
#pragma once
#include "control/http/call.h"

typedef json_t *(*page_json)(const struct db_result *rows, unsigned i);

/* Parameters that page_list() fills in: the id of the last row before this page (0: the first
 * page), and how many rows to ask for, one more than the page shows. */
#define PAGE_AFTER ((struct db_param){ .type = DB_NULL, .s = { page_mark_after, 0 } })
#define PAGE_LIMIT ((struct db_param){ .type = DB_NULL, .s = { page_mark_limit, 0 } })
extern const char page_mark_after[], page_mark_limit[];

/* The rows' first column is the id that they are ordered by. */
#define page_list(c, json, sql, ...)                                                               \
	({                                                                                         \
		const struct db_param params_[] = { __VA_ARGS__ };                                 \
		page_list_params((c), (json), (sql), params_, ARRAY_LEN(params_));                 \
	})
int page_list_params(struct call *c, page_json json, const char *sql, const struct db_param *params,
		     unsigned n) MUST_CHECK;

/* The same in pieces, for rows that take more than one statement.  Ask the database for limit + 1
 * rows beyond id, put at most limit into data, and say whether there was one more. */
struct page {
	int64_t limit;
	int64_t id; /* 0: no cursor was given */
};
int page_read(struct call *c, struct page *ret) MUST_CHECK;
/* last_id is of the last row in data; takes data. */
int page_reply(struct call *c, json_t *data, bool more, int64_t last_id) MUST_CHECK;
