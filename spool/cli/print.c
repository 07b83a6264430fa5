/* spool/cli/print.c - reports for people.  Texts that peers wrote are made harmless for a
 * terminal. */
#include <stdio.h>

#include "base/clock.h"
#include "base/encode.h"
#include "base/json.h"
#include "spool/cli/cli.h"

enum { CELL_MAX = 512, COLUMNS_MAX = 16 };

void print_json(const struct value *v)
{
	struct buf out = { 0 };

	if (json_put(&out, v) == 0 && buf_append_byte(&out, '\n') == 0)
		(void)!fwrite(out.p + out.start, 1, buf_len(&out), stdout);
	buf_free(&out);
}

struct slice member_text(const struct value *map, const char *name)
{
	const struct value *v = value_member(map, slice_str(name));

	return v && v->type == VALUE_STRING ? v->s : slice_of("", 0);
}

int64_t member_int(const struct value *map, const char *name)
{
	const struct value *v = value_member(map, slice_str(name));

	return v && v->type == VALUE_INT ? v->i : 0;
}

void print_safe(struct buf *out, struct slice s)
{
	while (s.n) {
		size_t n = utf8_length(s);
		unsigned char c = (unsigned char)s.p[0];
		bool harmless = n > 0 && c >= 0x20 && c != 0x7f &&
				!(n == 2 && c == 0xc2 && (unsigned char)s.p[1] < 0xa0);

		buf_put(out, harmless ? slice_of(s.p, n) : SLICE("?"));
		n = MAX_OF(n, (size_t)1);
		s = slice_skip(s, n);
	}
}

static void put_duration(struct buf *out, int64_t ms)
{
	int64_t s = ms / 1000;

	if (s < 0)
		s = 0;
	if (s < 120)
		buf_putf(out, "%llds", (long long)s);
	else if (s < 7200)
		buf_putf(out, "%lldm", (long long)(s / 60));
	else if (s < 172800)
		buf_putf(out, "%lldh", (long long)(s / 3600));
	else
		buf_putf(out, "%lldd", (long long)(s / 86400));
}

static void put_scalar(struct buf *out, const struct value *v)
{
	switch (v->type) {
	case VALUE_STRING:
		print_safe(out, v->s);
		return;
	case VALUE_INT:
		buf_putf(out, "%lld", (long long)v->i);
		return;
	case VALUE_BOOL:
		buf_putf(out, "%s", v->b ? "yes" : "no");
		return;
	case VALUE_REAL:
		buf_putf(out, "%g", v->d);
		return;
	default:
		buf_putf(out, "-");
		return;
	}
}

static bool is_time(struct slice name)
{
	return name.n > 3 && memcmp(name.p + name.n - 3, "_ms", 3) == 0;
}

static void put_time(struct buf *out, int64_t ms)
{
	char text[RFC3339_MAX];

	buf_putf(out, "%s", ms ? clock_rfc3339(ms, text) : "-");
}

static void print_pairs_at(const struct value *map, int indent)
{
	struct buf line = { 0 };

	for (uint32_t i = 0; i < map->count; i++) {
		const struct value_member *m = &map->members[i];
		if (m->value.type == VALUE_LIST)
			continue;
		buf_clear(&line);
		if (m->value.type == VALUE_INT && is_time(m->name))
			put_time(&line, m->value.i);
		else if (m->value.type != VALUE_MAP)
			put_scalar(&line, &m->value);
		printf("%*s%-*.*s %.*s\n", indent, "", 20 - indent, (int)m->name.n, m->name.p,
		       (int)buf_len(&line), buf_len(&line) ? line.p + line.start : "");
		if (m->value.type == VALUE_MAP)
			print_pairs_at(&m->value, indent + 2);
	}
	buf_free(&line);
}

void print_pairs(const struct value *map)
{
	if (map->type == VALUE_MAP)
		print_pairs_at(map, 0);
}

void print_more(const char *what, uint64_t shown, const char *how)
{
	(void)fflush(stdout);
	(void)fprintf(stderr, "postern: only %llu %s are shown; %s\n", (unsigned long long)shown,
		      what, how);
}

static void put_cell(struct buf *out, const struct value *row, const struct print_column *col)
{
	const struct value *v = value_member(row, slice_str(col->key));

	buf_clear(out);
	if (!v)
		return;
	if (v->type == VALUE_INT && col->kind == COLUMN_TIME)
		put_time(out, v->i);
	else if (v->type == VALUE_INT && col->kind == COLUMN_AGE && v->i)
		put_duration(out, clock_wall_ms() - v->i);
	else if (v->type == VALUE_INT && col->kind == COLUMN_AGE)
		buf_putf(out, "-");
	else
		put_scalar(out, v);
}

static void print_row(const struct value *row, const struct print_column *columns, size_t n,
		      const size_t *widths)
{
	struct buf cell = { 0 };

	for (size_t i = 0; i < n; i++) {
		int width = (int)widths[i];
		if (row)
			put_cell(&cell, row, &columns[i]);
		else
			buf_clear(&cell), buf_putf(&cell, "%s", columns[i].heading);
		if (i + 1 == n && columns[i].kind != COLUMN_NUMBER)
			width = 0; /* nothing follows the last column */
		else if (columns[i].kind == COLUMN_TEXT || columns[i].kind == COLUMN_TIME)
			width = -width;
		printf("%s%*.*s", i ? "  " : "", width, (int)buf_len(&cell),
		       buf_len(&cell) ? cell.p + cell.start : "");
	}
	printf("\n");
	buf_free(&cell);
}

void print_table(const struct value *rows, const struct print_column *columns, size_t n)
{
	size_t widths[COLUMNS_MAX];
	struct buf cell = { 0 };

	assert(n <= COLUMNS_MAX);
	for (size_t i = 0; i < n; i++)
		widths[i] = strlen(columns[i].heading);
	for (uint32_t k = 0; k < rows->count; k++) {
		for (size_t i = 0; i < n; i++) {
			put_cell(&cell, &rows->items[k], &columns[i]);
			widths[i] = MAX_OF(widths[i], MIN_OF(buf_len(&cell), (size_t)CELL_MAX));
		}
	}
	buf_free(&cell);
	print_row(NULL, columns, n, widths);
	for (uint32_t k = 0; k < rows->count; k++)
		print_row(&rows->items[k], columns, n, widths);
}
