/* control/contacts/import_row.c - maps columns to fields, and records to rows for COPY. */
#include "control/contacts/import_row.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/encode.h"
#include "control/suppression/address.h"

enum { TITLE_MAX = 64, NAME_TEXT_MAX = 200 };
enum target { T_NONE, T_EMAIL, T_FIRST, T_LAST, T_FIELD };

struct import_map {
	unsigned n;
	struct {
		uint8_t target; /* enum target */
		uint8_t type;   /* enum contact_field_type, for T_FIELD */
		char name[TITLE_MAX];
	} columns[SHEET_FIELDS_MAX];
	struct buf fields; /* JSON of the record at hand */
};

static const char *const problem_names[] = {
	[IMPORT_OK] = "",
	[IMPORT_NO_EMAIL] = "no_email",
	[IMPORT_BAD_EMAIL] = "invalid_email",
	[IMPORT_BAD_ENCODING] = "invalid_encoding",
	[IMPORT_TOO_MANY_FIELDS] = "too_many_fields",
	[IMPORT_WRONG_TYPE] = "wrong_type",
	[IMPORT_TOO_LONG] = "too_long",
};

const char *import_problem_name(int problem)
{
	return problem > 0 && problem < (int)ARRAY_LEN(problem_names) ? problem_names[problem] : "";
}

/* What columns are called in files people have: compared after fold(). */
static const struct {
	const char *title;
	enum target target;
} titles[] = {
	{ "email", T_EMAIL },      { "e_mail", T_EMAIL },     { "email_address", T_EMAIL },
	{ "mail", T_EMAIL },       { "first_name", T_FIRST }, { "firstname", T_FIRST },
	{ "given_name", T_FIRST }, { "last_name", T_LAST },   { "lastname", T_LAST },
	{ "surname", T_LAST },     { "family_name", T_LAST },
};

/* Lower case, every run of other signs one "_", none at the ends. */
static void fold(struct slice title, char out[TITLE_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < title.n && n + 1 < TITLE_MAX; i++) {
		char c = ascii_lower(title.p[i]);

		if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
			out[n++] = c;
		else if (n && out[n - 1] != '_')
			out[n++] = '_';
	}
	while (n && out[n - 1] == '_')
		n--;
	out[n] = '\0';
}

static enum target target_of(struct slice name, const struct contact_field_types *types,
			     uint8_t *ret_type)
{
	for (size_t i = 0; i < ARRAY_LEN(titles); i++)
		if (slice_eq(name, slice_str(titles[i].title)))
			return titles[i].target;
	*ret_type = types ? (uint8_t)contact_field_types_find(types, name) : 0;
	return *ret_type ? T_FIELD : T_NONE;
}

bool import_target_known(struct slice name, const struct contact_field_types *types)
{
	uint8_t type;

	return target_of(name, types, &type) != T_NONE;
}

struct import_map *import_map_free(struct import_map *m)
{
	if (!m)
		return NULL;
	buf_free(&m->fields);
	free(m);
	return NULL;
}

static int map_column(struct import_map *m, struct slice title, const json_t *mapping,
		      const struct contact_field_types *types, char *error)
{
	char key[TITLE_MAX * 4], *name = m->columns[m->n].name;
	const json_t *given;

	slice_copy(key, sizeof(key), title);
	given = json_object_get(mapping, key);
	if (given && !json_string_length(given)) {
		m->n++; /* named, and left out */
		return 0;
	}
	fold(given ? slice_str(json_string_value(given)) : title, name);
	m->columns[m->n].target =
	    (uint8_t)target_of(slice_str(name), types, &m->columns[m->n].type);
	if (given && m->columns[m->n].target == T_NONE) {
		(void)snprintf(error, 200,
			       "the column \"%.60s\" is mapped to a field that does not exist",
			       key);
		return E_UNKNOWN;
	}
	m->n++;
	return 0;
}

int import_map_new(struct import_map **ret, const struct sheet_record *header,
		   const json_t *mapping, const struct contact_field_types *types, char *error)
{
	OWNED(import_map) m = must_alloc(sizeof(*m));
	unsigned emails = 0;
	int r;

	buf_init(&m->fields, 0);
	for (unsigned i = 0; i < header->n; i++) {
		r = map_column(m, header->fields[i], mapping, types, error);
		if (r < 0)
			return r;
		emails += m->columns[i].target == T_EMAIL;
	}
	if (emails != 1) {
		(void)snprintf(error, 200,
			       "%s column of the first line is the email address: name one column "
			       "\"email\", or map one to it",
			       emails ? "more than one" : "no");
		return E_UNKNOWN;
	}
	*ret = TAKE(m);
	return 0;
}

/* ---- one record -------------------------------------------------------------------------- */

struct picked {
	struct slice email, first, last;
};

static enum import_problem put_field(struct import_map *m, unsigned i, struct slice text)
{
	int r;

	if (text.n == 0)
		return IMPORT_OK; /* an empty cell says nothing */
	buf_putf(&m->fields, "%s\"%s\":", buf_len(&m->fields) > 1 ? "," : "", m->columns[i].name);
	r = contact_field_value_from_text((enum contact_field_type)m->columns[i].type, text,
					  &m->fields);
	return r == E_LIMIT ? IMPORT_TOO_LONG : r < 0 ? IMPORT_WRONG_TYPE : IMPORT_OK;
}

static enum import_problem pick(struct import_map *m, const struct sheet_record *r,
				struct picked *p, struct slice *ret_value)
{
	enum import_problem bad = IMPORT_OK;

	buf_clear(&m->fields);
	buf_put(&m->fields, SLICE("{"));
	for (unsigned i = 0; i < r->n && i < m->n && !bad; i++) {
		*ret_value = r->fields[i];
		if (m->columns[i].target == T_NONE)
			continue;
		if (!utf8_valid(r->fields[i]) || memchr(r->fields[i].p, '\0', r->fields[i].n))
			bad = IMPORT_BAD_ENCODING;
		else if (m->columns[i].target == T_FIELD)
			bad = put_field(m, i, r->fields[i]);
		else if (m->columns[i].target == T_EMAIL)
			p->email = r->fields[i];
		else if (r->fields[i].n > NAME_TEXT_MAX)
			bad = IMPORT_TOO_LONG;
		else if (m->columns[i].target == T_FIRST)
			p->first = r->fields[i];
		else
			p->last = r->fields[i];
	}
	buf_put(&m->fields, SLICE("}"));
	return bad;
}

static void put_cell(struct buf *out, struct slice value)
{
	int r = db_copy_escape(out, value);

	assert(r >= 0); /* NUL was refused by pick(), and out has no cap */
	(void)r;
	buf_put(out, SLICE("\t"));
}

/* Names go into headers and texts: a control character is a space. */
static void put_name(struct buf *out, struct slice value)
{
	char plain[NAME_TEXT_MAX];

	for (size_t i = 0; i < value.n; i++)
		plain[i] = (unsigned char)value.p[i] < ' ' ? ' ' : value.p[i];
	put_cell(out, slice_of(plain, value.n));
}

enum import_problem import_row_put(struct import_map *m, const struct sheet_record *r,
				   struct slice prefix, struct buf *out, struct slice *ret_value)
{
	struct picked p = { { "", 0 }, { "", 0 }, { "", 0 } };
	struct suppress_address a;
	enum import_problem bad = pick(m, r, &p, ret_value);

	if (bad)
		return bad;
	*ret_value = p.email;
	if (r->n_seen > SHEET_FIELDS_MAX)
		return IMPORT_TOO_MANY_FIELDS;
	if (!slice_trim(p.email).n)
		return IMPORT_NO_EMAIL;
	if (suppress_address_parse(slice_trim(p.email), &a) < 0)
		return IMPORT_BAD_EMAIL;
	buf_put(out, prefix);
	buf_putf(out, "%" PRIu64 "\t", r->line);
	put_cell(out, mailbox_text(&a.box));
	put_cell(out, a.normal);
	buf_put(out, SLICE("\\\\x"));
	if (hex_encode(out, slice_of(a.hash, sizeof(a.hash))) < 0)
		abort(); /* out has no cap */
	buf_put(out, SLICE("\t"));
	put_name(out, p.first);
	put_name(out, p.last);
	put_cell(out, buf_data(&m->fields));
	out->p[out->end - 1] = '\n';
	return IMPORT_OK;
}
