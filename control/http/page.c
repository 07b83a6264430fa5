/* control/http/page.c - pages.  A cursor says where one ended.  It is bound to organisation, path
 * and filters, so that it cannot be used for another list (control/http/page_cursor.h). */
#include "control/http/page.h"

#include "control/http/page_cursor.h"
#include "control/http/private.h"

enum { LIMIT_DEFAULT = 50, LIMIT_MOST = 200, PARAMS_MAX = 8 };

static void put_argument(struct buf *about, struct slice name, struct slice value)
{
	if (slice_eq(name, SLICE("after")) || slice_eq(name, SLICE("limit")))
		return;
	buf_putf(about, "%.*s=%.*s\n", (int)name.n, name.p, (int)value.n, value.p);
}

/* What the page is of: organisation, path and filters. */
static void put_about(const struct call *c, struct buf *about)
{
	const struct http_query *query = &c->request->query;
	struct slice path = call_path(c);

	buf_putf(about, "%u\n%.*s\n", c->actor.org, (int)path.n, path.p);
	for (unsigned i = 0; i < query->n; i++)
		put_argument(about, query->items[i].name, query->items[i].value);
}

static int read_limit(struct call *c, struct page *p)
{
	struct slice given = call_query(c, "limit");
	uint64_t n = LIMIT_DEFAULT;

	if (call_has_query(c, "limit") && (slice_u64(given, LIMIT_MOST, &n) < 0 || n == 0))
		return problem(c, 400, "invalid_limit", "limit must be 1 to %d", LIMIT_MOST);
	p->limit = (int64_t)n;
	return 0;
}

int page_read(struct call *c, struct page *ret)
{
	struct buf about = { 0 };
	char text[CURSOR_TEXT_MAX + 1];
	size_t n;
	int r;

	*ret = (struct page){ 0 };
	r = read_limit(c, ret);
	if (r < 0 || !call_has_query(c, "after"))
		return r;
	put_about(c, &about);
	r = page_cursor_read(c->app->cursor_key, buf_data(&about), call_query(c, "after"), &ret->id,
			     text, sizeof(text), &n);
	buf_free(&about);
	if (r < 0)
		return problem(
		    c, 400, "invalid_cursor",
		    "after must be the next value of this same list: begin again without it");
	return 0;
}

int page_reply(struct call *c, json_t *data, bool more, int64_t last_id)
{
	struct buf about = { 0 }, cursor = { 0 };
	json_t *next = json_null();
	int r = 0;

	if (more) {
		put_about(c, &about);
		r = page_cursor_write(c->app->cursor_key, buf_data(&about), last_id, SLICE(""),
				      &cursor);
		next = r < 0 ? NULL : api_text(buf_data(&cursor));
	}
	buf_free(&about);
	buf_free(&cursor);
	return http_reply_json(c, 200, json_pack("{s:o, s:o}", "data", data, "next", next));
}

/* ---- the whole handler ------------------------------------------------------------------- */

const char page_mark_after[] = "after", page_mark_limit[] = "limit";

static struct db_param fill_in(struct db_param p, const struct page *page)
{
	if (p.s.p == page_mark_after)
		return p_int(page->id);
	return p.s.p == page_mark_limit ? p_int(page->limit + 1) : p;
}

static int reply_rows(struct call *c, const struct page *page, const struct db_result *rows,
		      page_json json)
{
	json_t *data = json_array();
	unsigned n = (unsigned)MIN_OF((int64_t)db_rows(rows), page->limit);

	for (unsigned i = 0; i < n; i++)
		(void)json_array_append_new(data, json(rows, i));
	return page_reply(c, data, db_rows(rows) > n, n ? db_int(rows, n - 1, 0) : 0);
}

int page_list_params(struct call *c, page_json json, const char *sql, const struct db_param *params,
		     unsigned n)
{
	OWNED(db_result) rows = NULL;
	struct db_param filled[PARAMS_MAX];
	struct page page;
	int r = page_read(c, &page);

	assert(n <= PARAMS_MAX);
	for (unsigned i = 0; r >= 0 && i < n; i++)
		filled[i] = fill_in(params[i], &page);
	if (r >= 0)
		r = db_query(c->db, &rows, sql, filled, n);
	return r < 0 ? r : reply_rows(c, &page, rows, json);
}
