/* spool/cli/table.c - tables for people.  On a screen they fit it: columns of text give way to each
 * other, the widest first, and a column of long text goes on below itself. */
#include <stdio.h>

#include "base/clock.h"
#include "spool/cli/cli.h"
#include "spool/cli/style.h"

enum { CELL_MAX = 512, COLUMNS_MAX = 24, NARROW = 6, GAP = 2 };

struct shown {
	struct print_column columns[COLUMNS_MAX];
	char headings[COLUMNS_MAX][32];
	unsigned widths[COLUMNS_MAX];
	size_t n;
};

static bool is_text(const struct print_column *c)
{
	return c->kind == COLUMN_TEXT || c->kind == COLUMN_LONG;
}

static void put_cell(struct buf *out, const struct value *row, const struct print_column *col)
{
	const struct value *v = value_member(row, slice_str(col->key));

	buf_clear(out);
	if (!v)
		return;
	if (v->type == VALUE_INT && col->kind == COLUMN_TIME)
		print_when(out, v->i);
	else if (v->type == VALUE_INT && col->kind == COLUMN_AGE)
		print_age(out, v->i ? clock_wall_ms() - v->i : -1);
	else
		print_scalar(out, v);
}

/* ---- which columns ----------------------------------------------------------------------- */

static const struct print_column *column_of(const struct print_column *columns, size_t n,
					    struct slice key)
{
	for (size_t i = 0; i < n; i++)
		if (slice_eq(slice_str(columns[i].key), key))
			return &columns[i];
	return NULL;
}

static bool ends_with(struct slice s, struct slice end)
{
	return s.n >= end.n && memcmp(s.p + s.n - end.n, end.p, end.n) == 0;
}

/* A member without a column of its own: its name is the heading. */
static struct print_column own_column(struct shown *t, struct slice name)
{
	char *text = t->headings[t->n];
	bool time = ends_with(name, SLICE("_ms")) && !ends_with(name, SLICE("_took_ms"));

	(void)slice_copy(text, sizeof(t->headings[0]), name);
	return (struct print_column){ text, text, time ? COLUMN_TIME : COLUMN_TEXT };
}

static void choose_columns(struct shown *t, const struct print_column *columns, size_t n)
{
	t->n = 0;
	for (unsigned i = 0; i < style.n_fields && t->n < COLUMNS_MAX; i++) {
		const struct print_column *c = column_of(columns, n, style.fields[i]);
		t->columns[t->n] = c ? *c : own_column(t, style.fields[i]);
		t->n++;
	}
	for (size_t i = 0; !style.n_fields && i < n && i < COLUMNS_MAX; i++)
		t->columns[t->n++] = columns[i];
}

/* ---- how wide ---------------------------------------------------------------------------- */

static void measure(struct shown *t, const struct value *rows)
{
	struct buf cell = { 0 };

	for (size_t i = 0; i < t->n; i++)
		t->widths[i] = style_columns(slice_str(t->columns[i].heading));
	for (uint32_t k = 0; k < rows->count; k++) {
		for (size_t i = 0; i < t->n; i++) {
			put_cell(&cell, &rows->items[k], &t->columns[i]);
			t->widths[i] = MAX_OF(t->widths[i], MIN_OF(style_columns(buf_data(&cell)),
								   (unsigned)CELL_MAX));
		}
	}
	buf_free(&cell);
}

static unsigned total(const struct shown *t)
{
	unsigned sum = 0;

	for (size_t i = 0; i < t->n; i++)
		sum += t->widths[i] + (i ? GAP : 0);
	return sum;
}

static size_t widest_text(const struct shown *t)
{
	size_t widest = t->n;

	for (size_t i = 0; i < t->n; i++)
		if (is_text(&t->columns[i]) && t->widths[i] > NARROW &&
		    (widest == t->n || t->widths[i] > t->widths[widest]))
			widest = i;
	return widest;
}

/* Text gives way by a column at a time; then the last columns go. */
static void fit(struct shown *t)
{
	while (style.width && total(t) > style.width) {
		size_t i = widest_text(t);
		if (i < t->n)
			t->widths[i]--;
		else if (t->n > 1)
			t->n--;
		else
			return;
	}
}

/* ---- lines ------------------------------------------------------------------------------- */

static void put_fitted(struct slice text, const struct shown *t, size_t i, const char *colour)
{
	const unsigned width = t->widths[i];
	const bool cut = style_columns(text) > width;
	struct slice part = cut ? style_cut(text, width - 1) : text;
	const unsigned used = style_columns(part) + cut;
	const int blanks = (int)(width > used ? width - used : 0);
	const bool left = is_text(&t->columns[i]) || t->columns[i].kind == COLUMN_TIME;

	printf("%s%*s%s%.*s%s%s", i ? "  " : "", left ? 0 : blanks, "", colour, (int)part.n, part.p,
	       cut ? "…" : "", *colour ? style_plain() : "");
	if (left && i + 1 < t->n)
		printf("%*s", blanks, "");
}

static void print_headings(const struct shown *t)
{
	for (size_t i = 0; i < t->n; i++)
		put_fitted(slice_str(t->columns[i].heading), t, i, style_heading());
	printf("\n");
}

/* The last column, when it is long text and does not fit, goes on below itself. */
static void print_rest(struct slice rest, const struct shown *t)
{
	const int indent = (int)(total(t) - t->widths[t->n - 1]);

	while (rest.n) {
		struct slice part = style_next_line(&rest, t->widths[t->n - 1]);
		printf("%*s%.*s\n", indent, "", (int)part.n, part.p);
	}
}

static void print_row(const struct value *row, const struct shown *t)
{
	struct buf cell = { 0 };
	struct slice rest = { "", 0 };

	for (size_t i = 0; i < t->n; i++) {
		put_cell(&cell, row, &t->columns[i]);
		struct slice text = buf_data(&cell);
		if (i + 1 == t->n && t->columns[i].kind == COLUMN_LONG) {
			rest = text;
			text = style_next_line(&rest, t->widths[i]);
		}
		put_fitted(text, t, i, style_of_word(text));
	}
	printf("\n");
	print_rest(rest, t);
	buf_free(&cell);
}

void print_table(const struct value *rows, const struct print_column *columns, size_t n)
{
	struct shown t;

	choose_columns(&t, columns, n);
	measure(&t, rows);
	fit(&t);
	print_headings(&t);
	for (uint32_t k = 0; k < rows->count; k++)
		print_row(&rows->items[k], &t);
}
