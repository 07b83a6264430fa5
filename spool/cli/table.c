/* spool/cli/table.c - tables for people.  On a screen they fit it: columns in which nothing stands
 * are left out, columns of text give way to each other, the widest first and names last, and a
 * column of long text goes on below itself. */
#include <stdio.h>

#include "base/clock.h"
#include "spool/cli/cli.h"
#include "spool/cli/style.h"

enum { CELL_MAX = 512, COLUMNS_MAX = 24, GAP = 2 };
enum { NARROW = 8, NARROW_LONG = 16, NARROW_NAME = 20 };

struct shown {
	struct print_column columns[COLUMNS_MAX];
	char headings[COLUMNS_MAX][32];
	unsigned widths[COLUMNS_MAX];
	bool says[COLUMNS_MAX]; /* something stands in it in some row */
	size_t n;
};

static bool is_text(const struct print_column *c)
{
	return c->kind == COLUMN_TEXT || c->kind == COLUMN_NAME || c->kind == COLUMN_LONG;
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

static bool says_nothing(struct slice cell)
{
	return !cell.n || slice_eq(cell, SLICE("0")) || slice_eq(cell, SLICE("-"));
}

static void measure(struct shown *t, const struct value *rows)
{
	struct buf cell = { 0 };

	for (size_t i = 0; i < t->n; i++) {
		t->widths[i] = style_columns(slice_str(t->columns[i].heading));
		t->says[i] = !rows->count || style.n_fields || !i;
	}
	for (uint32_t k = 0; k < rows->count; k++) {
		for (size_t i = 0; i < t->n; i++) {
			put_cell(&cell, &rows->items[k], &t->columns[i]);
			t->widths[i] = MAX_OF(t->widths[i], MIN_OF(style_columns(buf_data(&cell)),
								   (unsigned)CELL_MAX));
			t->says[i] = t->says[i] || !says_nothing(buf_data(&cell));
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

/* How narrow a column may become before others go. */
static unsigned floor_of(const struct shown *t, size_t i)
{
	const unsigned narrow = t->columns[i].kind == COLUMN_NAME   ? NARROW_NAME
				: t->columns[i].kind == COLUMN_LONG ? NARROW_LONG
								    : NARROW;

	return is_text(&t->columns[i]) ? MIN_OF(t->widths[i], narrow) : t->widths[i];
}

static unsigned least(const struct shown *t)
{
	unsigned sum = 0;

	for (size_t i = 0; i < t->n; i++)
		sum += floor_of(t, i) + (i ? GAP : 0);
	return sum;
}

static void leave_out(struct shown *t, size_t i)
{
	t->n--;
	memmove(&t->columns[i], &t->columns[i + 1], (t->n - i) * sizeof(t->columns[0]));
	memmove(&t->widths[i], &t->widths[i + 1], (t->n - i) * sizeof(t->widths[0]));
	memmove(&t->says[i], &t->says[i + 1], (t->n - i) * sizeof(t->says[0]));
}

static void leave_out_the_empty(struct shown *t)
{
	for (size_t i = t->n; i-- > 1 && total(t) > style.width;)
		if (!t->says[i])
			leave_out(t, i);
}

/* The last ones first; long text is worth more than what stands before it. */
static void leave_out_the_last(struct shown *t)
{
	for (size_t i = t->n; i-- > 1 && least(t) > style.width;)
		if (t->columns[i].kind != COLUMN_NAME && t->columns[i].kind != COLUMN_LONG)
			leave_out(t, i);
	while (t->n > 1 && least(t) > style.width)
		t->n--;
}

/* In which order text gives way, a column at a time. */
enum who_gives { GIVES_TEXT, GIVES_NAMES, GIVES_ALL, GIVES_UP };

static bool gives(const struct shown *t, size_t i, enum who_gives step)
{
	const bool name = t->columns[i].kind == COLUMN_NAME;

	if (!is_text(&t->columns[i]) || (name && step == GIVES_TEXT))
		return false;
	return t->widths[i] > (step == GIVES_ALL ? (unsigned)NARROW : floor_of(t, i));
}

static size_t widest(const struct shown *t, enum who_gives step)
{
	size_t found = t->n;

	for (size_t i = 0; i < t->n; i++)
		if (gives(t, i, step) && (found == t->n || t->widths[i] > t->widths[found]))
			found = i;
	return found;
}

static void fit(struct shown *t)
{
	enum who_gives step = GIVES_TEXT;

	if (!style.width)
		return;
	leave_out_the_empty(t);
	leave_out_the_last(t);
	while (total(t) > style.width && step != GIVES_UP) {
		size_t i = widest(t, step);
		if (i < t->n)
			t->widths[i]--;
		else
			step++;
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

	if (style.n_fields && rows->count && !fields_in(rows)) {
		fields_say_none(rows);
		return;
	}
	choose_columns(&t, columns, n);
	measure(&t, rows);
	fit(&t);
	print_headings(&t);
	for (uint32_t k = 0; k < rows->count; k++)
		print_row(&rows->items[k], &t);
}
