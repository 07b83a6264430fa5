/* base/options.c - the grammar of a configuration file, read by a table of options. */
#include "base/options.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/file.h"

enum { FILE_MAX = 1024 * 1024, LINE_MAX_BYTES = 64 * 1024, STR_MAX_DEFAULT = 4096 };

struct options_reader {
	const struct option *table;
	size_t n;
	void *config;
	const char *where;
	unsigned line;
	char *error;
};

static int PRINTF(2, 3) fail(struct options_reader *rd, const char *format, ...)
{
	va_list ap;
	int at = snprintf(rd->error, OPTION_ERROR_MAX, "%s:%u: ", rd->where, rd->line);

	va_start(ap, format);
	if (at >= 0 && at < OPTION_ERROR_MAX)
		(void)vsnprintf(rd->error + at, OPTION_ERROR_MAX - (size_t)at, format, ap);
	va_end(ap);
	return E_SYNTAX;
}

#define BLANKS " \t\r"

static const struct {
	const char *suffix;
	enum option_type type;
	int64_t factor;
} units[] = {
	{ "ms", T_DURATION, 1 },
	{ "s", T_DURATION, 1000 },
	{ "m", T_DURATION, 60000 },
	{ "h", T_DURATION, 3600000 },
	{ "d", T_DURATION, 86400000 },
	{ "", T_DURATION, 1000 },
	{ "K", T_SIZE, 1024 },
	{ "M", T_SIZE, 1024 * 1024 },
	{ "G", T_SIZE, 1024 * 1024 * 1024 },
	{ "", T_SIZE, 1 },
	{ "/d", T_RATE, 1 },
	{ "/h", T_RATE, 24 },
	{ "/m", T_RATE, 24 * 60 },
	{ "/s", T_RATE, 24 * 60 * 60 },
	{ "", T_INT, 1 },
};

int option_number(enum option_type type, struct slice s, int64_t *ret)
{
	bool negative = type == T_INT && s.n > 1 && s.p[0] == '-';
	size_t digits = 0;
	uint64_t v;

	if (negative)
		s = slice_skip(s, 1);
	while (digits < s.n && s.p[digits] >= '0' && s.p[digits] <= '9')
		digits++;
	if (slice_u64(slice_of(s.p, digits), INT64_MAX, &v) < 0)
		return E_SYNTAX;
	struct slice unit = slice_skip(s, digits);
	for (unsigned i = 0; i < ARRAY_LEN(units); i++) {
		if (units[i].type != type || !slice_eq(unit, slice_str(units[i].suffix)))
			continue;
		if (v > (uint64_t)(INT64_MAX / units[i].factor))
			return E_SYNTAX;
		*ret = (negative ? -1 : 1) * (int64_t)v * units[i].factor;
		return 0;
	}
	return E_SYNTAX;
}

/* "name = #x", as it would be shown, is a comment. */
static int refuse_mark(struct options_reader *rd, const struct option *row, struct slice text)
{
	if (!text.n || text.p[0] != '#')
		return 0;
	return fail(rd, "%s: \"%.*s\" begins with #, which starts a comment there", row->name,
		    (int)MIN_OF(text.n, (size_t)60), text.p);
}

/* Lines add up to one list, which is shown in one line: "name = a, b". */
static int refuse_long_list(struct options_reader *rd, const struct option *row, const char *list)
{
	size_t n = strlen(row->name) + strlen(" = ");
	struct slice entry;

	for (size_t pos = 0; option_list_next(list, &pos, &entry);)
		n += entry.n + strlen(", ");
	if (n <= LINE_MAX_BYTES)
		return 0;
	return fail(rd, "%s: all entries together are longer than 64 KiB", row->name);
}

static int set_list(struct options_reader *rd, const struct option *row, struct slice value,
		    bool add)
{
	char **place = (char **)(void *)((char *)rd->config + row->offset);
	struct buf joined;
	int r = 0;

	buf_init(&joined, 0);
	if (add && *place && **place) {
		buf_put(&joined, slice_str(*place));
		buf_put(&joined, SLICE("\n"));
	}
	while (value.n && r == 0) {
		struct slice entry = slice_trim_set(slice_take(&value, ','), BLANKS);
		r = refuse_mark(rd, row, entry);
		if (entry.n) {
			buf_put(&joined, entry);
			buf_put(&joined, SLICE("\n"));
		}
	}
	if (buf_len(&joined))
		joined.end--; /* the last separator */
	free(*place);
	*place = must_copy(buf_data(&joined));
	buf_free(&joined);
	return r < 0 ? r : refuse_long_list(rd, row, *place);
}

static int set_number(struct options_reader *rd, const struct option *row, struct slice value,
		      int64_t *at)
{
	int64_t number;

	if (option_number(row->type, value, &number) < 0)
		return fail(rd, "%s: \"%.*s\" is not a %s", row->name,
			    (int)MIN_OF(value.n, (size_t)60), value.p,
			    row->type == T_INT    ? "number"
			    : row->type == T_SIZE ? "size such as 64M"
			    : row->type == T_RATE ? "rate such as 100/s"
						  : "duration such as 30s");
	if (number < row->min || number > row->max)
		return fail(rd, "%s: must lie between %" PRId64 " and %" PRId64 "%s", row->name,
			    row->min, row->max,
			    row->type == T_DURATION ? " milliseconds"
			    : row->type == T_SIZE   ? " bytes"
			    : row->type == T_RATE   ? " per day"
						    : "");
	*at = number;
	return 0;
}

static int set(struct options_reader *rd, const struct option *row, struct slice value, bool again)
{
	char *at = (char *)rd->config + row->offset;

	switch (row->type) {
	case T_BOOL:
		if (!slice_eq(value, SLICE("yes")) && !slice_eq(value, SLICE("no")))
			return fail(rd, "%s: expected yes or no", row->name);
		*(bool *)(void *)at = value.n == 3;
		return 0;
	case T_STR: {
		size_t max = row->max ? (size_t)row->max : STR_MAX_DEFAULT;
		if (value.n > max)
			return fail(rd, "%s: longer than %zu bytes", row->name, max);
		if (refuse_mark(rd, row, value) < 0)
			return E_SYNTAX;
		free(*(char **)(void *)at);
		*(char **)(void *)at = must_copy(value);
		return 0;
	}
	case T_LIST:
		return set_list(rd, row, value, again);
	case T_INT:
	case T_DURATION:
	case T_SIZE:
	case T_RATE:
		break;
	}
	return set_number(rd, row, value, (int64_t *)(void *)at);
}

static const struct option *find(const struct options_reader *rd, struct slice name)
{
	for (size_t i = 0; i < rd->n; i++)
		if (slice_eq(name, slice_str(rd->table[i].name)))
			return &rd->table[i];
	return NULL;
}

static struct slice without_comment(struct slice line)
{
	for (size_t i = 0; i < line.n; i++)
		if (line.p[i] == '#' && (i == 0 || strchr(BLANKS, line.p[i - 1])))
			return slice_of(line.p, i);
	return line;
}

static int read_line(struct options_reader *rd, struct slice line, bool *seen)
{
	const struct option *row;
	struct slice name, value;

	if (line.n > LINE_MAX_BYTES)
		return fail(rd, "the line is longer than 64 KiB");
	if (memchr(line.p, '\0', line.n))
		return fail(rd, "a NUL byte cannot stand here");
	line = slice_trim_set(without_comment(line), BLANKS);
	if (line.n == 0)
		return 0;
	if (!slice_cut(line, '=', &name, &value))
		return fail(rd, "expected \"name = value\"");
	name = slice_trim_set(name, BLANKS);
	value = slice_trim_set(value, BLANKS);
	row = find(rd, name);
	if (!row)
		return fail(rd, "unknown option \"%.*s\"", (int)MIN_OF(name.n, (size_t)60), name.p);
	size_t i = (size_t)(row - rd->table);
	if (seen[i] && row->type != T_LIST)
		return fail(rd, "%s is given twice", row->name);
	bool again = seen[i];
	seen[i] = true;
	return set(rd, row, value, again);
}

void options_defaults(const struct option *table, size_t n, void *config)
{
	char error[OPTION_ERROR_MAX];
	struct options_reader rd = { table, n, config, "default", 0, error };

	for (size_t i = 0; i < n; i++) {
		int r = set(&rd, &table[i], slice_str(table[i].def), false);
		assert(r == 0);
		(void)r;
	}
}

static size_t width(enum option_type type)
{
	switch (type) {
	case T_BOOL:
		return sizeof(bool);
	case T_STR:
	case T_LIST:
		return sizeof(char *);
	default:
		return sizeof(int64_t);
	}
}

static size_t config_size(const struct option *table, size_t n)
{
	size_t size = 0;

	for (size_t i = 0; i < n; i++)
		size = MAX_OF(size, table[i].offset + width(table[i].type));
	return size;
}

int options_parse(const struct option *table, size_t n, void *config, struct slice text,
		  const char *name_for_errors, char *error)
{
	/* Parsed into a copy, so that an error leaves the caller's config alone. */
	OWNED_MEM char *fresh = must_alloc(config_size(table, n));
	OWNED_MEM bool *seen = must_alloc(n * sizeof(bool));
	struct options_reader rd = { table, n, fresh, name_for_errors, 0, error };
	int r = 0;

	options_defaults(table, n, fresh);
	while (text.n && r == 0) {
		rd.line++;
		r = read_line(&rd, slice_take(&text, '\n'), seen);
	}
	if (r < 0) {
		options_free(table, n, fresh);
		return r;
	}
	options_free(table, n, config);
	for (size_t i = 0; i < n; i++)
		memcpy((char *)config + table[i].offset, fresh + table[i].offset,
		       width(table[i].type));
	return 0;
}

int options_read(const struct option *table, size_t n, void *config, const char *path, char *error)
{
	struct buf text;
	int r;

	buf_init(&text, 0);
	r = file_read(path, FILE_MAX, &text);
	if (r < 0)
		(void)snprintf(error, OPTION_ERROR_MAX, "%s: %s", path, err_text(r));
	else
		r = options_parse(table, n, config, buf_data(&text), path, error);
	buf_free(&text);
	return r;
}

void options_free(const struct option *table, size_t n, void *config)
{
	for (size_t i = 0; i < n; i++)
		if (table[i].type == T_STR || table[i].type == T_LIST) {
			char **place = (char **)(void *)((char *)config + table[i].offset);
			free(*place);
			*place = NULL;
		}
}

void option_number_show(enum option_type type, int64_t v, struct buf *out)
{
	const char *suffix = type == T_DURATION ? "ms" : type == T_RATE ? "/d" : "";
	int64_t factor = 1;

	for (unsigned i = 0; i < ARRAY_LEN(units); i++)
		if (units[i].type == type && *units[i].suffix && v && v % units[i].factor == 0 &&
		    units[i].factor >= factor) {
			factor = units[i].factor;
			suffix = units[i].suffix;
		}
	buf_putf(out, "%" PRId64 "%s", v / factor, suffix);
}

void options_show(const struct option *row, const void *config, struct buf *out)
{
	const char *at = (const char *)config + row->offset;

	if (row->type == T_BOOL) {
		buf_put(out, *(const bool *)(const void *)at ? SLICE("yes") : SLICE("no"));
	} else if (row->type == T_STR) {
		buf_put(out, slice_str(*(char *const *)(const void *)at));
	} else if (row->type == T_LIST) {
		struct slice entry;
		for (size_t pos = 0, k = 0;
		     option_list_next(*(char *const *)(const void *)at, &pos, &entry); k++) {
			if (k)
				buf_put(out, SLICE(", "));
			buf_put(out, entry);
		}
	} else {
		option_number_show(row->type, *(const int64_t *)(const void *)at, out);
	}
}

void options_sample(const struct option *table, size_t n, struct buf *out)
{
	for (size_t i = 0; i < n; i++)
		buf_putf(out, "%s# %s%s\n#%s =%s%s\n", i ? "\n" : "", table[i].help,
			 table[i].reload ? " (taken up by a reload)" : "", table[i].name,
			 *table[i].def ? " " : "", table[i].def);
}

bool option_list_next(const char *list, size_t *pos, struct slice *ret)
{
	if (!list || !list[*pos])
		return false;
	const char *p = list + *pos;
	size_t n = strcspn(p, "\n");
	*ret = slice_of(p, n);
	*pos += n + (p[n] == '\n');
	return true;
}
