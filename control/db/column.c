/* control/db/column.c - arrays as text, and statements that take them. */
#include "control/db/column.h"

#include <inttypes.h>

#include "base/encode.h"

void db_column_init(struct db_column *c)
{
	buf_init(&c->text, 0);
	c->n = 0;
}

void db_column_free(struct db_column *c)
{
	buf_free(&c->text);
}

void db_column_clear(struct db_column *c)
{
	buf_clear(&c->text);
	c->n = 0;
}

static void next(struct db_column *c)
{
	buf_put(&c->text, c->n++ ? SLICE(",") : SLICE("{"));
}

void db_column_int(struct db_column *c, int64_t v)
{
	next(c);
	buf_putf(&c->text, "%" PRId64, v);
}

void db_column_u64(struct db_column *c, uint64_t v)
{
	next(c);
	buf_putf(&c->text, "%" PRIu64, v);
}

void db_column_null(struct db_column *c)
{
	next(c);
	buf_put(&c->text, SLICE("NULL"));
}

/* Bytes at the front of s that may stand in a quoted element as they are: ASCII only. */
static size_t plain_length(struct slice s)
{
	size_t n = 0;

	while (n < s.n && (unsigned char)(s.p[n] - ' ') < 0x5f && s.p[n] != '"' && s.p[n] != '\\')
		n++;
	return n;
}

static size_t put_one(struct buf *out, struct slice s)
{
	size_t n = utf8_length(s);

	if (n == 0 || *s.p == '\0') {
		buf_put(out, SLICE("?"));
		return 1;
	}
	if (*s.p == '"' || *s.p == '\\')
		buf_put(out, SLICE("\\"));
	buf_put(out, slice_of(s.p, n));
	return n;
}

void db_column_text(struct db_column *c, struct slice s)
{
	next(c);
	buf_put(&c->text, SLICE("\""));
	while (s.n) {
		size_t n = plain_length(s);

		if (n)
			buf_put(&c->text, slice_of(s.p, n));
		else
			n = put_one(&c->text, s);
		s = slice_skip(s, n);
	}
	buf_put(&c->text, SLICE("\""));
}

void db_column_bytes(struct db_column *c, struct slice s)
{
	int r;

	next(c);
	buf_put(&c->text, SLICE("\"\\\\x"));
	r = hex_encode(&c->text, s);
	assert(r >= 0); /* the buffer has no cap */
	(void)r;
	buf_put(&c->text, SLICE("\""));
}

const char *db_column_array(struct db_column *c)
{
	const char *text;

	if (c->n == 0)
		return "{}";
	buf_put(&c->text, SLICE("}"));
	text = buf_cstr(&c->text);
	c->text.end--; /* more values may follow */
	return text;
}

void db_columns_each(struct db_column *c, unsigned n, void (*f)(struct db_column *))
{
	for (unsigned i = 0; i < n; i++)
		f(&c[i]);
}

int db_columns_run(struct db *db, const char *sql, struct db_column *c, unsigned n,
		   const struct db_param *more, unsigned n_more)
{
	struct db_param params[COLUMNS_MAX];

	assert(n + n_more <= ARRAY_LEN(params));
	if (c[0].n == 0)
		return 0;
	for (unsigned i = 0; i < n; i++)
		params[i] = p_str(db_column_array(&c[i]));
	for (unsigned i = 0; i < n_more; i++)
		params[n + i] = more[i];
	return db_query(db, NULL, sql, params, n + n_more);
}
