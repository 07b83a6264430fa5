/* control/http/page.c - pages: where one ended, bound to the organisation, path and filters it is
 * of, so that a cursor cannot be moved to another list (control/http/page_cursor.h). */
#include "control/http/page_cursor.h"
#include "control/http/private.h"

enum { LIMIT_DEFAULT = 50, LIMIT_MOST = 200 };

static enum MHD_Result put_argument(void *cls, enum MHD_ValueKind kind UNUSED, const char *key,
				    const char *value)
{
	if (strcmp(key, "after") && strcmp(key, "limit"))
		buf_putf(cls, "%s=%s\n", key, value ? value : "");
	return MHD_YES;
}

/* What the page is of: organisation, path and filters. */
static void put_about(const struct call *c, struct buf *about)
{
	struct slice path = call_path(c);

	buf_putf(about, "%u\n%.*s\n", c->actor.org, (int)path.n, path.p);
	(void)MHD_get_connection_values(c->request->conn, MHD_GET_ARGUMENT_KIND, put_argument,
					about);
}

static int read_limit(struct call *c, struct page *p)
{
	struct slice given = call_query(c, "limit");
	uint64_t n = LIMIT_DEFAULT;

	if (call_has_query(c, "limit") && (slice_u64(given, LIMIT_MOST, &n) < 0 || n == 0))
		return problem(c, 400, "invalid_limit", "limit is 1 to %d", LIMIT_MOST);
	p->limit = (int64_t)n;
	return 0;
}

int page_read(struct call *c, struct page *ret)
{
	struct buf about = { 0 };
	int r;

	memset(ret, 0, sizeof(*ret));
	ret->first = !call_has_query(c, "after");
	ret->text = slice_of(ret->text_buf, 0);
	r = read_limit(c, ret);
	if (r < 0 || ret->first)
		return r;
	put_about(c, &about);
	r = page_cursor_read(c->app->cursor_key, buf_data(&about), call_query(c, "after"), &ret->id,
			     ret->text_buf, sizeof(ret->text_buf), &ret->text.n);
	buf_free(&about);
	if (r < 0)
		return problem(c, 400, "invalid_cursor", "this cursor is not one of this list's");
	return 0;
}

int page_reply(struct call *c, const struct page *p UNUSED, json_t *data, bool more,
	       int64_t last_id, struct slice last_text)
{
	struct buf about = { 0 }, cursor = { 0 };
	json_t *next = json_null();
	int r = 0;

	if (more) {
		put_about(c, &about);
		r = page_cursor_write(c->app->cursor_key, buf_data(&about), last_id, last_text,
				      &cursor);
		next = r < 0 ? NULL : api_text(buf_data(&cursor));
	}
	buf_free(&about);
	buf_free(&cursor);
	return http_reply_json(c, 200, json_pack("{s:o, s:o}", "data", data, "next", next));
}
