/* control/contacts/values.c - types of fields, and values that fit them. */
#include "control/contacts/values.h"

#include <math.h>
#include <stdio.h>

#include "base/encode.h"

enum { FIELD_NAME, FIELD_TYPE };
struct contact_field_types {
	struct db_result *rows;
};

static const char *const type_names[] = {
	[FIELD_TEXT] = "text",
	[FIELD_NUMBER] = "number",
	[FIELD_BOOLEAN] = "boolean",
	[FIELD_DATE] = "date",
};

const char *contact_field_type_name(int type)
{
	return type > 0 && type < (int)ARRAY_LEN(type_names) ? type_names[type] : "";
}

int contact_field_type_parse(struct slice name)
{
	for (int i = 1; i < (int)ARRAY_LEN(type_names); i++)
		if (slice_eq(name, slice_str(type_names[i])))
			return i;
	return 0;
}

struct contact_field_types *contact_field_types_free(struct contact_field_types *t)
{
	if (!t)
		return NULL;
	db_result_free(t->rows);
	free(t);
	return NULL;
}

int contact_field_types_load(struct contact_field_types **ret, struct db *db, uint32_t org)
{
	OWNED(contact_field_types) t = must_alloc(sizeof(*t));
	int r = db_run(db, &t->rows,
		       "SELECT name, type FROM fields WHERE org_id = $1 ORDER BY id LIMIT $2",
		       p_int(org), p_int(FIELDS_PER_ORG_MAX));

	if (r < 0)
		return r;
	*ret = TAKE(t);
	return 0;
}

enum contact_field_type contact_field_types_find(const struct contact_field_types *t,
						 struct slice name)
{
	for (unsigned i = 0; i < db_rows(t->rows); i++)
		if (slice_eq(db_text(t->rows, i, FIELD_NAME), name))
			return (enum contact_field_type)db_int(t->rows, i, FIELD_TYPE);
	return 0;
}

/* ---- values ------------------------------------------------------------------------------ */

static bool digits(struct slice s, size_t at, size_t n, int low, int high)
{
	uint64_t v;

	return at + n <= s.n && slice_u64(slice_of(s.p + at, n), (uint64_t)high, &v) == 0 &&
	       v >= (uint64_t)low;
}

/* YYYY-MM-DD, then nothing or "T" and more: RFC 3339's full-date at the front. */
static bool is_date(struct slice s)
{
	static const int days[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	uint64_t month;

	if (s.n < 10 || s.n > 40 || s.p[4] != '-' || s.p[7] != '-' || !digits(s, 0, 4, 1, 9999) ||
	    !digits(s, 5, 2, 1, 12))
		return false;
	if (slice_u64(slice_of(s.p + 5, 2), 12, &month) < 0 || !digits(s, 8, 2, 1, days[month - 1]))
		return false;
	return s.n == 10 || s.p[10] == 'T' || s.p[10] == ' ';
}

static struct slice text_of(const json_t *value)
{
	return slice_of(json_string_value(value), json_string_length(value));
}

bool contact_field_value_fits(enum contact_field_type type, const json_t *value)
{
	if (json_is_null(value))
		return true;
	switch (type) {
	case FIELD_TEXT:
		return json_is_string(value) && json_string_length(value) <= FIELD_TEXT_MAX &&
		       !memchr(json_string_value(value), '\0', json_string_length(value));
	case FIELD_NUMBER:
		return json_is_number(value) && isfinite(json_number_value(value));
	case FIELD_BOOLEAN:
		return json_is_boolean(value);
	case FIELD_DATE:
		return json_is_string(value) && is_date(text_of(value));
	}
	return false;
}

int contact_field_put_text(struct buf *out, struct slice text)
{
	int r = buf_append_byte(out, '"');

	while (text.n && r >= 0) {
		size_t n = utf8_length(text);
		unsigned char c = (unsigned char)*text.p;

		if (n == 0 || c == '\0')
			return E_SYNTAX;
		if (c == '"' || c == '\\')
			r = buf_printf(out, "\\%c", c);
		else if (c < ' ')
			r = buf_printf(out, "\\u%04x", c);
		else
			r = buf_append(out, slice_of(text.p, n));
		text = slice_skip(text, n);
	}
	return r < 0 ? r : buf_append_byte(out, '"');
}

static int put_number(struct slice text, struct buf *out)
{
	char copy[64], *end;
	double d;

	if (text.n == 0 || text.n >= sizeof(copy))
		return E_SYNTAX;
	slice_copy(copy, sizeof(copy), text);
	if (copy[strspn(copy, "0123456789+-.eE")]) /* strtod takes more: hex, inf, white space */
		return E_SYNTAX;
	d = strtod(copy, &end);
	if (*end || !isfinite(d))
		return E_SYNTAX;
	return fabs(d) < 1e15 && d == (double)(int64_t)d ? buf_printf(out, "%.0f", d)
							 : buf_printf(out, "%.17g", d);
}

static int put_boolean(struct slice text, struct buf *out)
{
	static const struct {
		struct slice word;
		bool value;
	} words[] = {
		{ { "true", 4 }, true }, { { "false", 5 }, false }, { { "yes", 3 }, true },
		{ { "no", 2 }, false },  { { "1", 1 }, true },      { { "0", 1 }, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (slice_eq_nocase(text, words[i].word))
			return buf_append(out, words[i].value ? SLICE("true") : SLICE("false"));
	return E_SYNTAX;
}

int contact_field_value_from_text(enum contact_field_type type, struct slice text, struct buf *out)
{
	switch (type) {
	case FIELD_TEXT:
		return text.n > FIELD_TEXT_MAX ? E_LIMIT : contact_field_put_text(out, text);
	case FIELD_NUMBER:
		return put_number(text, out);
	case FIELD_BOOLEAN:
		return put_boolean(text, out);
	case FIELD_DATE:
		return is_date(text) ? contact_field_put_text(out, text) : E_SYNTAX;
	}
	return E_SYNTAX;
}
