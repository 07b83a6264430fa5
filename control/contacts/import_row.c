/* control/contacts/import_row.c - a record to a row of COPY. */
#include "control/contacts/import_row.h"

#include <inttypes.h>

#include "base/blanks.h"
#include "base/encode.h"
#include "control/contacts/standing.h"
#include "control/contract/plain.h"
#include "control/suppression/address.h"

enum { NAME_TEXT_MAX = 200 }; /* characters */

static const char *const problem_names[] = {
	[IMPORT_OK] = "",
	[IMPORT_NO_EMAIL] = "no_email",
	[IMPORT_BAD_EMAIL] = "invalid_email",
	[IMPORT_BAD_ENCODING] = "invalid_encoding",
	[IMPORT_TOO_MANY_FIELDS] = "too_many_fields",
	[IMPORT_WRONG_TYPE] = "wrong_type",
	[IMPORT_TOO_LONG] = "too_long",
	[IMPORT_BAD_STATUS] = "unknown_status",
	[IMPORT_MORE_ADDRESSES] = "more_addresses",
};

const char *import_row_problem_name(int problem)
{
	return problem > 0 && problem < (int)ARRAY_LEN(problem_names) ? problem_names[problem] : "";
}

struct import_row *import_row_new(const struct import_map *map)
{
	struct import_row *row = must_alloc(sizeof(*row));

	row->map = map;
	buf_init(&row->fields, 0);
	buf_init(&row->address, 0);
	return row;
}

struct import_row *import_row_free(struct import_row *row)
{
	if (!row)
		return NULL;
	buf_free(&row->fields);
	buf_free(&row->address);
	free(row);
	return NULL;
}

bool import_row_is_blank(const struct sheet_record *r)
{
	for (unsigned i = 0; i < r->n; i++)
		if (blanks_trim(r->fields[i]).n)
			return false;
	return true;
}

/* ---- cells ------------------------------------------------------------------------------- */

struct picked {
	struct slice email, first, last;
	unsigned email_column;
};

static void leave_out(struct import_row *row, enum import_problem why, unsigned i,
		      struct slice value)
{
	row->n_notes_seen++;
	if (row->n_notes < IMPORT_NOTES_MAX)
		row->notes[row->n_notes++] = (struct import_note){ why, i, value };
}

static bool refuse(struct import_row *row, enum import_problem why, unsigned i, struct slice value)
{
	row->fault = (struct import_note){ why, i, value };
	return false;
}

static void put_field(struct import_row *row, unsigned i, struct slice text)
{
	const struct import_column *c = &row->map->columns[i];
	size_t before = row->fields.end;
	int r;

	if (!text.n)
		return; /* an empty cell says nothing */
	buf_putf(&row->fields, "%s\"%s\":", buf_len(&row->fields) > 1 ? "," : "", c->name);
	r = contact_field_value_from_text(c->type, text, &row->fields);
	if (r >= 0)
		return;
	row->fields.end = before;
	leave_out(row, r == E_LIMIT ? IMPORT_TOO_LONG : IMPORT_WRONG_TYPE, i, text);
}

static void put_name(struct import_row *row, unsigned i, struct slice text, struct slice *ret)
{
	if (plain_length(text) > NAME_TEXT_MAX)
		leave_out(row, IMPORT_TOO_LONG, i, text);
	else
		*ret = text;
}

/* Of several columns the one that says most against mail counts. */
static bool put_standing(struct import_row *row, unsigned i, struct slice text)
{
	int status = standing_of_cell(row->map->columns[i].target, text);

	if (!status)
		return refuse(row, IMPORT_BAD_STATUS, i, text);
	if (text.n)
		row->status = MAX_OF(row->status, status);
	return true;
}

static bool take_cell(struct import_row *row, unsigned i, struct slice raw, struct picked *p)
{
	enum title_target target = row->map->columns[i].target;
	struct slice text = title_cell(raw);

	if (target == TITLE_NONE)
		return true;
	if (!utf8_valid(raw) || memchr(raw.p, '\0', raw.n)) {
		if (target != TITLE_FIRST && target != TITLE_LAST && target != TITLE_FIELD)
			return refuse(row, IMPORT_BAD_ENCODING, i, raw);
		leave_out(row, IMPORT_BAD_ENCODING, i, raw);
		return true;
	}
	if (target == TITLE_FIELD)
		put_field(row, i, text);
	else if (target == TITLE_FIRST)
		put_name(row, i, text, &p->first);
	else if (target == TITLE_LAST)
		put_name(row, i, text, &p->last);
	else if (target != TITLE_EMAIL)
		return put_standing(row, i, text);
	else
		p->email = text, p->email_column = i;
	return true;
}

static bool pick(struct import_row *row, const struct sheet_record *r, struct picked *p)
{
	const struct import_map *m = row->map;

	buf_clear(&row->fields);
	buf_put(&row->fields, SLICE("{"));
	row->n_notes = row->n_notes_seen = 0;
	row->status = 0;
	for (unsigned i = 0; i < r->n && i < m->n; i++)
		if (!take_cell(row, i, r->fields[i], p))
			return false;
	for (unsigned i = m->n; i < r->n; i++) /* separators at the end say nothing */
		if (blanks_trim(r->fields[i]).n)
			leave_out(row, IMPORT_TOO_MANY_FIELDS, i, r->fields[i]);
	if (r->n_seen > SHEET_FIELDS_MAX)
		leave_out(row, IMPORT_TOO_MANY_FIELDS, SHEET_FIELDS_MAX, SLICE(""));
	buf_put(&row->fields, SLICE("}"));
	return true;
}

/* ---- the address ------------------------------------------------------------------------- */

/* Google puts several into one cell: "a@x.test ::: b@x.test". */
static struct slice first_address(struct import_row *row, const struct picked *p)
{
	const char *mark = memmem(p->email.p, p->email.n, " ::: ", 5);
	size_t n = mark ? (size_t)(mark - p->email.p) : p->email.n;

	if (mark)
		leave_out(row, IMPORT_MORE_ADDRESSES, p->email_column, slice_skip(p->email, n + 5));
	return slice_of(p->email.p, n);
}

/* "Ann Lee <ann@x.test>", "<ann@x.test>" and "mailto:ann@x.test" */
static struct slice bare_address(struct slice text)
{
	struct slice name, inner;

	if (text.n && text.p[text.n - 1] == '>' && slice_cut_last(text, '<', &name, &inner))
		text = slice_of(inner.p, inner.n - 1);
	if (slice_starts_nocase(text, SLICE("mailto:")))
		text = slice_skip(text, 7);
	return blanks_trim(text);
}

static bool read_address(struct import_row *row, const struct picked *p,
			 struct suppress_address *ret)
{
	struct slice text = bare_address(first_address(row, p));

	if (!text.n)
		return refuse(row, IMPORT_NO_EMAIL, p->email_column, p->email);
	buf_clear(&row->address);
	if (blanks_drop_marks(text, &row->address) < 0)
		abort(); /* it has no cap */
	if (suppress_address_parse(buf_data(&row->address), ret) < 0)
		return refuse(row, IMPORT_BAD_EMAIL, p->email_column, p->email);
	return true;
}

/* ---- the row ----------------------------------------------------------------------------- */

static void put_cell(struct buf *out, struct slice value)
{
	int r = db_copy_escape(out, value);

	assert(r >= 0); /* NUL was refused by take_cell(), and out has no cap */
	(void)r;
	buf_put(out, SLICE("\t"));
}

/* Names go into headers and texts, so they are what plain_line() takes: a control or a separator is
 * a space, and a control of direction is left out, since it has no width. */
static void put_plain(struct buf *out, struct slice value)
{
	char plain[NAME_TEXT_MAX * 4];
	size_t n, end = 0;

	for (; value.n; value = slice_skip(value, n)) {
		n = MAX_OF(utf8_length(value), (size_t)1);
		if (plain_line(slice_of(value.p, n))) {
			memcpy(plain + end, value.p, n);
			end += n;
		} else if (!blanks_is_mark(slice_of(value.p, n))) {
			plain[end++] = ' ';
		}
	}
	put_cell(out, slice_of(plain, end));
}

bool import_row_put(struct import_row *row, const struct sheet_record *r, struct slice prefix,
		    struct buf *out)
{
	struct picked p = { .email = SLICE(""), .first = SLICE(""), .last = SLICE("") };
	struct suppress_address a;

	if (!pick(row, r, &p) || !read_address(row, &p, &a))
		return false;
	buf_put(out, prefix);
	buf_putf(out, "%" PRIu64 "\t", r->line);
	put_cell(out, mailbox_text(&a.box));
	put_cell(out, a.normal);
	buf_put(out, SLICE("\\\\x"));
	if (hex_encode(out, slice_of(a.hash, sizeof(a.hash))) < 0)
		abort(); /* out has no cap */
	buf_put(out, SLICE("\t"));
	put_plain(out, p.first);
	put_plain(out, p.last);
	put_cell(out, buf_data(&row->fields));
	buf_putf(out, "%d\n", row->status);
	return true;
}
