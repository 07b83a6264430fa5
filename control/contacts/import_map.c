/* control/contacts/import_map.c - a header line, a mapping and the tables of titles. */
#include "control/contacts/import_map.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/encode.h"
#include "base/blanks.h"
#include "control/suppression/address.h"

struct import_map *import_map_free(struct import_map *m)
{
	if (!m)
		return NULL;
	for (unsigned i = 0; i < m->n; i++)
		free(m->columns[i].title);
	free(m->columns);
	free(m);
	return NULL;
}

/* ---- faults ------------------------------------------------------------------------------ */

/* The text up to where it was cut within a character. */
static void cut_at_character(char *text)
{
	struct slice rest = slice_str(text);
	size_t n;

	while ((n = utf8_length(rest)))
		rest = slice_skip(rest, n);
	text[rest.p - text] = '\0';
}

/* The first fault counts. */
static void PRINTF(3, 4) fail(struct import_map *m, const char *code, const char *format, ...)
{
	struct import_fault *f = &m->fault;
	va_list ap;

	if (f->code[0])
		return;
	va_start(ap, format);
	(void)vsnprintf(f->text, sizeof(f->text), format, ap);
	va_end(ap);
	cut_at_character(f->text);
	slice_copy(f->code, sizeof(f->code), slice_str(code));
}

static const char *list_titles(const struct import_map *m, struct buf *out)
{
	for (unsigned i = 0; i < m->n && buf_len(out) < 300; i++)
		if (m->columns[i].title[0])
			buf_putf(out, "%s\"%.60s\"", buf_len(out) ? ", " : "", m->columns[i].title);
	return buf_cstr(out);
}

/* ---- where a name leads ------------------------------------------------------------------ */

static bool to_field(struct import_column *c, struct slice name,
		     const struct contact_field_types *types)
{
	c->type = types ? contact_field_types_find(types, name) : 0;
	if (!c->type)
		return false;
	c->target = TITLE_FIELD;
	slice_copy(c->name, sizeof(c->name), name);
	return true;
}

static bool lead(struct import_column *c, struct slice name,
		 const struct contact_field_types *types)
{
	char folded[TITLE_FOLDED_MAX];

	if (slice_strip(&name, SLICE("fields.")))
		return to_field(c, name, types);
	title_fold(name, folded);
	c->target = title_find_member(folded);
	if (c->target || to_field(c, slice_str(folded), types))
		return true;
	c->target = title_find(folded);
	return c->target != TITLE_NONE;
}

bool import_map_target_known(struct slice name, const struct contact_field_types *types)
{
	struct import_column c = { 0 };

	return lead(&c, name, types);
}

bool import_map_title_known(void *arg, struct slice title)
{
	const struct import_rules *rules = arg;
	struct import_column c = { 0 };
	const char *key;
	const json_t *value;

	if (lead(&c, title, rules->types))
		return true;
	json_object_foreach((json_t *)rules->mapping, key,
			    value) if (slice_eq(blanks_trim(slice_str(key)), title)) return true;
	return false;
}

void import_map_target_name(const struct import_column *c, char out[FIELD_NAME_MAX + 8])
{
	static const char *const names[] = {
		[TITLE_EMAIL] = "email",          [TITLE_FIRST] = "first_name",
		[TITLE_LAST] = "last_name",       [TITLE_STATUS] = "status",
		[TITLE_OPT_OUT] = "unsubscribed", [TITLE_BOUNCED] = "bounced",
		[TITLE_OPT_IN] = "subscribed",
	};

	if (c->target == TITLE_FIELD)
		(void)snprintf(out, FIELD_NAME_MAX + 8, "fields.%s", c->name);
	else
		(void)snprintf(out, FIELD_NAME_MAX + 8, "%s",
			       c->target != TITLE_NONE ? names[c->target] : "");
}

json_t *import_map_title(const struct import_map *m, unsigned i)
{
	const struct import_column *c = &m->columns[i];

	return c->sound && c->title[0] ? json_string(c->title) : json_sprintf("column %u", i + 1);
}

/* ---- the mapping ------------------------------------------------------------------------- */

static void give(struct import_map *m, struct import_column *c, const json_t *value,
		 const struct contact_field_types *types)
{
	struct slice name = slice_of(json_string_value(value), json_string_length(value));

	c->given = true;
	c->target = TITLE_NONE;
	if (name.n && !lead(c, name, types))
		fail(m, "unknown_field", "the mapping of \"%.60s\" names no field", c->title);
}

static unsigned give_equal(struct import_map *m, struct slice key, const json_t *value,
			   const struct contact_field_types *types)
{
	unsigned hits = 0;

	for (unsigned i = 0; i < m->n; i++) {
		if (m->columns[i].given || !slice_eq(slice_str(m->columns[i].title), key))
			continue;
		give(m, &m->columns[i], value, types);
		hits++;
	}
	return hits;
}

static unsigned give_alike(struct import_map *m, struct slice key, const json_t *value,
			   const struct contact_field_types *types)
{
	char squeezed[TITLE_FOLDED_MAX];
	unsigned hits = 0;

	title_squeeze(key, squeezed);
	for (unsigned i = 0; i < m->n && squeezed[0]; i++) {
		if (m->columns[i].given || strcmp(m->columns[i].squeezed, squeezed) != 0)
			continue;
		give(m, &m->columns[i], value, types);
		hits++;
	}
	return hits;
}

static bool has_title(const struct import_map *m, struct slice title)
{
	for (unsigned i = 0; i < m->n; i++)
		if (slice_eq(slice_str(m->columns[i].title), title))
			return true;
	return false;
}

/* Titles that are equal go first, so that one that is only alike does not take their place. */
static void apply_mapping(struct import_map *m, const struct import_rules *rules)
{
	const char *key;
	json_t *value;
	struct buf titles;

	buf_init(&titles, 0);
	json_object_foreach((json_t *)rules->mapping, key, value)(void)
	    give_equal(m, blanks_trim(slice_str(key)), value, rules->types);
	json_object_foreach((json_t *)rules->mapping, key, value)
	{
		struct slice title = blanks_trim(slice_str(key));

		if (!has_title(m, title) && !give_alike(m, title, value, rules->types)) {
			buf_clear(&titles);
			fail(m, "unknown_column",
			     "the mapping names \"%.60s\", and the file has no such column; it has "
			     "%s",
			     key, list_titles(m, &titles));
		}
	}
	buf_free(&titles);
}

/* ---- columns that want the same ----------------------------------------------------------- */

static bool is_single(enum title_target t)
{
	return t == TITLE_EMAIL || t == TITLE_FIRST || t == TITLE_LAST || t == TITLE_FIELD;
}

static bool is_same(const struct import_column *a, const struct import_column *b)
{
	return is_single(a->target) && a->target == b->target &&
	       (a->target != TITLE_FIELD || strcmp(a->name, b->name) == 0);
}

/* What the mapping says goes before titles. */
static void settle(struct import_map *m, unsigned i)
{
	struct import_column *a = &m->columns[i];

	for (unsigned k = 0; k < i && is_single(a->target); k++) {
		struct import_column *b = &m->columns[k];
		char name[FIELD_NAME_MAX + 8];

		if (!is_same(a, b))
			continue;
		import_map_target_name(a, name);
		if (a->given != b->given)
			(a->given ? b : a)->target = TITLE_NONE;
		else if (strcmp(a->title, b->title) == 0)
			fail(m, "repeated_title", "the title \"%.60s\" is there twice", a->title);
		else
			fail(m, "ambiguous_columns",
			     "\"%.60s\" and \"%.60s\" would both be %s; a mapping says which",
			     b->title, a->title, name);
	}
}

static void need_address(struct import_map *m)
{
	struct suppress_address a;
	struct buf titles;
	bool address = false;

	for (unsigned i = 0; i < m->n; i++) {
		if (m->columns[i].target == TITLE_EMAIL)
			return;
		address |= suppress_address_parse(slice_str(m->columns[i].title), &a) >= 0;
	}
	buf_init(&titles, 0);
	if (address)
		fail(m, "no_titles",
		     "the first line holds an address where titles are expected: %s",
		     list_titles(m, &titles));
	else
		fail(m, "no_address_column",
		     "no column is known to be the address; a mapping says which: %s",
		     list_titles(m, &titles));
	buf_free(&titles);
}

static void name_column(struct import_column *c, struct slice field)
{
	struct slice title = title_cell(field);

	c->title = must_copy(title);
	c->sound = utf8_valid(title) && !memchr(title.p, '\0', title.n);
	title_squeeze(title, c->squeezed);
}

struct import_map *import_map_new(const struct sheet_record *header,
				  const struct import_rules *rules)
{
	struct import_map *m = must_alloc(sizeof(*m));

	m->n = header->n;
	m->columns = must_alloc(m->n * sizeof(*m->columns) + 1);
	for (unsigned i = 0; i < m->n; i++)
		name_column(&m->columns[i], header->fields[i]);
	if (header->n_seen > SHEET_FIELDS_MAX)
		fail(m, "too_many_columns", "a file has %d columns at most", SHEET_FIELDS_MAX);
	apply_mapping(m, rules);
	for (unsigned i = 0; i < m->n; i++)
		if (!m->columns[i].given)
			(void)lead(&m->columns[i], slice_str(m->columns[i].title), rules->types);
	for (unsigned i = 0; i < m->n; i++)
		settle(m, i);
	need_address(m);
	return m;
}
