/* control/contacts/import_look.c - the front of a file, and what its columns seem to hold. */
#include "control/contacts/import_look.h"

#include <stdio.h>

#include "base/encode.h"
#include "base/blanks.h"
#include "control/contacts/import_read.h"
#include "control/contacts/standing.h"
#include "control/suppression/address.h"

enum { RECORDS_LOOKED_AT = 1000, UNKNOWN_KEPT = 60 };

struct column_look {
	unsigned filled, addresses, standings, against; /* cells */
	enum title_target hint; /* what the title seems to ask, of a column that nobody reads */
	bool refuses;           /* a cell answers that with no mail */
	char unknown[UNKNOWN_KEPT + 1]; /* first cell of a status column that no one knows */
};
struct look_state {
	struct import_reader *reader;
	struct column_look *columns; /* as many as the map has */
	unsigned records;
};

static void look_at_cell(struct column_look *l, const struct import_column *c, struct slice raw)
{
	struct slice text = title_cell(raw);
	struct suppress_address a;
	int standing = standing_of_word(text);
	bool status = c->target >= TITLE_STATUS && c->target <= TITLE_OPT_IN;

	if (!text.n)
		return;
	l->filled++;
	l->addresses += suppress_address_parse(text, &a) >= 0;
	l->standings += standing > 0;
	l->against += standing > CONTACT_SUBSCRIBED;
	l->refuses |= l->hint && standing_of_cell(l->hint, text) > CONTACT_SUBSCRIBED;
	if (status && !l->unknown[0] && !standing_of_cell(c->target, text))
		slice_copy(l->unknown, sizeof(l->unknown), text);
}

static struct column_look *begin_columns(const struct import_map *m)
{
	struct column_look *columns = must_alloc(m->n * sizeof(*columns));

	for (unsigned i = 0; i < m->n; i++)
		if (m->columns[i].target == TITLE_NONE && !m->columns[i].given)
			columns[i].hint = title_hint(slice_str(m->columns[i].title));
	return columns;
}

static int look_at_record(void *arg, const struct sheet_record *r)
{
	struct look_state *l = arg;
	const struct import_map *m = l->reader->map;

	if (!l->columns)
		l->columns = begin_columns(m);
	for (unsigned i = 0; i < r->n && i < m->n; i++)
		look_at_cell(&l->columns[i], &m->columns[i], r->fields[i]);
	return ++l->records < RECORDS_LOOKED_AT ? 0 : E_EOF;
}

/* ---- what is wrong ----------------------------------------------------------------------- */

static void PRINTF(3, 4) fail(struct import_fault *f, const char *code, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(f->text, sizeof(f->text), format, ap);
	va_end(ap);
	slice_copy(f->code, sizeof(f->code), slice_str(code));
}

/* A column that nobody reads, and whose cells all say whether people want mail: who said no would
 * be written to. */
static bool is_hidden_status(const struct import_column *c, const struct column_look *l)
{
	return c->target == TITLE_NONE && !c->given && l->against && l->standings == l->filled;
}

/* What such a column should be mapped to; NULL: it hides nothing. */
static const char *hidden_target(const struct import_column *c, const struct column_look *l)
{
	if (is_hidden_status(c, l))
		return "status";
	if (!l->refuses)
		return NULL;
	return l->hint == TITLE_OPT_OUT ? "unsubscribed" : "subscribed";
}

static void check_standings(const struct look_state *l, struct import_fault *f)
{
	const struct import_map *m = l->reader->map;

	for (unsigned i = 0; l->columns && i < m->n && !f->code[0]; i++) {
		const char *unknown = l->columns[i].unknown;
		const char *hidden = hidden_target(&m->columns[i], &l->columns[i]);

		if (unknown[0])
			fail(f, "unknown_status",
			     "\"%s\" in the column \"%.60s\" says neither that mail is wanted nor "
			     "that "
			     "it is not; a mapping of the column to \"\" or to another field "
			     "leaves it "
			     "out",
			     utf8_valid(slice_str(unknown)) ? unknown : "a value",
			     m->columns[i].title);
		else if (hidden)
			fail(f, "status_column",
			     "the column \"%.60s\" seems to say who wants no mail; a mapping to "
			     "\"%s\" has it read, one to \"\" leaves it out",
			     m->columns[i].title, hidden);
	}
}

/* ---- the suggestion ---------------------------------------------------------------------- */

/* The column of which most cells are addresses; -1: none has any. */
static int address_column(const struct look_state *l)
{
	const struct import_map *m = l->reader->map;
	unsigned most = 0;
	int best = -1;

	for (unsigned i = 0; i < m->n; i++) {
		unsigned n = l->columns ? l->columns[i].addresses : 0;
		bool wanted = m->columns[i].target == TITLE_EMAIL;

		if (2 * n + wanted > most) {
			most = 2 * n + wanted;
			best = (int)i;
		}
	}
	return best;
}

static bool is_first_of_target(const struct import_map *m, unsigned i)
{
	char name[FIELD_NAME_MAX + 8], other[FIELD_NAME_MAX + 8];

	import_map_target_name(&m->columns[i], name);
	for (unsigned k = 0; k < i; k++) {
		import_map_target_name(&m->columns[k], other);
		if (strcmp(name, other) == 0)
			return false;
	}
	return true;
}

static const char *suggest(const struct look_state *l, unsigned i, int address,
			   char name[FIELD_NAME_MAX + 8])
{
	const struct import_map *m = l->reader->map;

	if ((int)i == address)
		return "email";
	if (l->columns && hidden_target(&m->columns[i], &l->columns[i]))
		return hidden_target(&m->columns[i], &l->columns[i]);
	if (m->columns[i].target == TITLE_EMAIL || !is_first_of_target(m, i) ||
	    (l->columns && l->columns[i].unknown[0]))
		return "";
	import_map_target_name(&m->columns[i], name);
	return name;
}

/* Every column that can be named once, so that the mapping can be sent as it is. */
static json_t *suggestion(const struct look_state *l)
{
	const struct import_map *m = l->reader->map;
	json_t *mapping = json_object();
	char name[FIELD_NAME_MAX + 8];
	int address = address_column(l);

	for (unsigned i = 0; i < m->n; i++)
		if (m->columns[i].title[0] && m->columns[i].sound)
			(void)json_object_set_new_nocheck(
			    mapping, m->columns[i].title,
			    json_string(suggest(l, i, address, name)));
	return mapping;
}

/* ---- the report -------------------------------------------------------------------------- */

static json_t *titles_of(const struct import_map *m, bool unused_only)
{
	json_t *titles = json_array();

	for (unsigned i = 0; i < m->n; i++)
		if (!unused_only || m->columns[i].target == TITLE_NONE)
			(void)json_array_append_new(titles, import_map_title(m, i));
	return titles;
}

static json_t *used_of(const struct import_map *m)
{
	json_t *used = json_array();
	char name[FIELD_NAME_MAX + 8];

	for (unsigned i = 0; i < m->n; i++) {
		import_map_target_name(&m->columns[i], name);
		if (name[0])
			(void)json_array_append_new(
			    used,
			    json_pack("{so ss}", "column", import_map_title(m, i), "field", name));
	}
	return used;
}

static json_t *report_of(const struct import_reader *r)
{
	return json_pack("{ss so so so}", "encoding", charset_name(import_file_charset(r->file)),
			 "separator", json_stringn(&r->separator.sign, 1), "columns",
			 used_of(r->map), "unused_columns", titles_of(r->map, true));
}

/* ---- the whole --------------------------------------------------------------------------- */

static int look_on(const struct look_state *l, int r, struct import_look *ret)
{
	const struct import_map *m = l->reader->map;

	if (r == E_SYNTAX || r == E_LIMIT)
		fail(&ret->fault, "unreadable", "line %llu: %s",
		     (unsigned long long)sheet_line(l->reader->sheet),
		     r == E_LIMIT ? "the record is longer than 64 KiB; is a quote left open?"
				  : "the file ends inside quotes");
	else if (!m)
		fail(&ret->fault, "no_records", "the file holds no line with anything in it");
	else if (r < 0 && r != E_EOF)
		return r;
	if (!m)
		return 0;
	if (m->fault.code[0])
		ret->fault = m->fault;
	if (!ret->fault.code[0])
		check_standings(l, &ret->fault);
	ret->titles = titles_of(m, false);
	ret->mapping = suggestion(l);
	ret->report = report_of(l->reader);
	return 0;
}

int import_look(const char *path, const struct import_rules *rules, struct import_look *ret)
{
	OWNED(import_reader) reader = NULL;
	struct look_state l = { 0 };
	int r = import_reader_open(&reader, path, rules);

	*ret = (struct import_look){ 0 };
	if (r == E_SYNTAX)
		fail(&ret->fault, "not_text",
		     "the file is no text in UTF-8 or UTF-16: save it as \"CSV UTF-8\"");
	else if (r == E_UNKNOWN)
		fail(&ret->fault, "unknown_encoding",
		     "the file is neither UTF-8 nor UTF-16, and does not read as windows-1252: "
		     "save it as \"CSV UTF-8\"");
	else if (r == E_EOF)
		fail(&ret->fault, "no_records", "the file is empty");
	if (r < 0)
		return ret->fault.code[0] ? 0 : r;
	l.reader = reader;
	r = import_reader_run(reader, look_at_record, NULL, &l);
	r = look_on(&l, r, ret);
	free(l.columns);
	return r;
}

void import_look_clear(struct import_look *l)
{
	json_decref(l->titles);
	json_decref(l->mapping);
	json_decref(l->report);
}
