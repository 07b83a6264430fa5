/* spool/cli/document.c - answers for programs: JSON (RFC 8259), a line for each row, or YAML 1.2,
 * whose quoted strings are those of JSON. */
#include <stdio.h>

#include "base/json.h"
#include "spool/cli/cli.h"
#include "spool/cli/style.h"

static bool is_row(const struct value *v)
{
	return v->type == VALUE_MAP;
}

static bool is_rows(const struct value *v)
{
	return v->type == VALUE_LIST && v->count && is_row(&v->items[0]);
}

/* ---- fields ------------------------------------------------------------------------------ */

static bool has_any(const struct value *row)
{
	for (unsigned i = 0; row->type == VALUE_MAP && i < style.n_fields; i++)
		if (value_member(row, style.fields[i]))
			return true;
	return false;
}

bool fields_in(const struct value *rows)
{
	for (uint32_t k = 0; k < rows->count; k++)
		if (has_any(&rows->items[k]))
			return true;
	return false;
}

static void say_none(const struct value *row)
{
	(void)fflush(stdout);
	(void)fprintf(stderr, "postern: nothing has these fields; there are");
	for (uint32_t i = 0; i < row->count; i++)
		(void)fprintf(stderr, "%s %.*s", i ? "," : "", (int)row->members[i].name.n,
			      row->members[i].name.p);
	(void)fprintf(stderr, "\n");
}

void fields_say_none(const struct value *rows)
{
	say_none(&rows->items[0]);
}

/* The members of a row that --fields names, in its order. */
static void choose(struct branch *to, const struct value *row)
{
	char name[128];

	for (unsigned i = 0; i < style.n_fields; i++) {
		const struct value *v = value_member(row, style.fields[i]);
		if (!v)
			continue;
		(void)slice_copy(name, sizeof(name), style.fields[i]);
		branch_value(to, name, v);
	}
}

/* Of the lists of an answer none has them. */
static void note_unknown(const struct value *v)
{
	const struct value *first = NULL;

	for (uint32_t i = 0; i < v->count; i++) {
		const struct value *list = &v->members[i].value;
		if (!is_rows(list))
			continue;
		if (fields_in(list))
			return;
		first = first ? first : list;
	}
	if (first)
		fields_say_none(first);
}

/* Rows are cut to the fields that were asked for; an answer without rows is a row itself. */
static void choose_all(struct branch *to, const struct value *v)
{
	bool any = false;

	for (uint32_t i = 0; i < v->count; i++)
		any |= v->members[i].value.type == VALUE_LIST;
	if (!any) {
		if (!has_any(v))
			say_none(v);
		choose(to, v);
		return;
	}
	note_unknown(v);
	for (uint32_t i = 0; i < v->count; i++) {
		const struct value *list = &v->members[i].value;
		char name[128];
		(void)slice_copy(name, sizeof(name), v->members[i].name);
		if (!is_rows(list)) {
			branch_value(to, name, list);
			continue;
		}
		struct branch *rows = branch_list(to, name);
		for (uint32_t k = 0; k < list->count; k++)
			if (is_row(&list->items[k]))
				choose(branch_map(rows, NULL), &list->items[k]);
	}
}

/* ---- YAML -------------------------------------------------------------------------------- */

static void put_yaml(struct buf *out, const struct value *v, int indent);

static bool is_word(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!(s.p[i] == '_' || (s.p[i] >= 'a' && s.p[i] <= 'z')))
			return false;
	/* What YAML 1.1 takes for a truth value or for nothing is no plain word. */
	return s.n > 1 && !slice_eq(s, SLICE("yes")) && !slice_eq(s, SLICE("no")) &&
	       !slice_eq(s, SLICE("on")) && !slice_eq(s, SLICE("off")) &&
	       !slice_eq(s, SLICE("true")) && !slice_eq(s, SLICE("false")) &&
	       !slice_eq(s, SLICE("null"));
}

static void put_json(struct buf *out, const struct value *v)
{
	if (json_put(out, v) < 0)
		abort(); /* no memory for an answer that is here already */
}

static void put_quoted(struct buf *out, struct slice s)
{
	put_json(out, &(struct value){ .type = VALUE_STRING, .s = s });
}

static bool is_nested(const struct value *v)
{
	return (v->type == VALUE_MAP || v->type == VALUE_LIST) && v->count;
}

static void put_member(struct buf *out, const struct value_member *m, int indent)
{
	if (is_word(m->name))
		buf_put(out, m->name);
	else
		put_quoted(out, m->name);
	buf_put(out, SLICE(":"));
	if (is_nested(&m->value)) {
		buf_put(out, SLICE("\n"));
		put_yaml(out, &m->value, indent + 2);
		return;
	}
	buf_put(out, SLICE(" "));
	put_json(out, &m->value);
	buf_put(out, SLICE("\n"));
}

static void put_item(struct buf *out, const struct value *v, int indent)
{
	buf_put(out, SLICE("- "));
	if (v->type == VALUE_MAP && v->count) {
		for (uint32_t i = 0; i < v->count; i++) {
			if (i)
				buf_putf(out, "%*s", indent + 2, "");
			put_member(out, &v->members[i], indent + 2);
		}
		return;
	}
	if (is_nested(v)) {
		buf_put(out, SLICE("\n"));
		put_yaml(out, v, indent + 2);
		return;
	}
	put_json(out, v);
	buf_put(out, SLICE("\n"));
}

static void put_yaml(struct buf *out, const struct value *v, int indent)
{
	if (!is_nested(v)) {
		put_json(out, v);
		buf_put(out, SLICE("\n"));
		return;
	}
	for (uint32_t i = 0; i < v->count; i++) {
		buf_putf(out, "%*s", indent, "");
		if (v->type == VALUE_MAP)
			put_member(out, &v->members[i], indent);
		else
			put_item(out, &v->items[i], indent);
	}
}

/* ---- JSON -------------------------------------------------------------------------------- */

/* The one list of rows of an answer; NULL: it has none, or several. */
static const struct value *the_rows(const struct value *v)
{
	const struct value *found = NULL;

	for (uint32_t i = 0; v->type == VALUE_MAP && i < v->count; i++) {
		if (!is_rows(&v->members[i].value))
			continue;
		if (found)
			return NULL;
		found = &v->members[i].value;
	}
	return found;
}

static void put_line(struct buf *out, const struct value *v)
{
	put_json(out, v);
	buf_put(out, SLICE("\n"));
}

static void put_lines(struct buf *out, const struct value *v)
{
	const struct value *rows = the_rows(v);

	if (!rows)
		put_line(out, v);
	for (uint32_t i = 0; rows && i < rows->count; i++)
		put_line(out, &rows->items[i]);
}

void print_json(const struct value *v)
{
	OWNED(tree) chosen = NULL;
	struct buf out = { 0 };

	if (style.n_fields && v->type == VALUE_MAP) {
		chosen = tree_new();
		choose_all(tree_map(chosen), v);
		v = tree_value(chosen);
	}
	if (style.format == FORMAT_YAML)
		put_yaml(&out, v, 0);
	else if (style.format == FORMAT_NDJSON)
		put_lines(&out, v);
	else
		put_line(&out, v);
	(void)!fwrite(out.p + out.start, 1, buf_len(&out), stdout);
	buf_free(&out);
}
