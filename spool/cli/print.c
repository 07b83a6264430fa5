/* spool/cli/print.c - values for people.  Texts that peers wrote are made harmless for a
 * terminal. */
#include <stdio.h>

#include "base/clock.h"
#include "base/encode.h"
#include "spool/cli/cli.h"
#include "spool/cli/style.h"

enum { NAMES = 20 };

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

bool member_true(const struct value *report, const char *name)
{
	const struct value *v = value_member(report, slice_str(name));

	return v && v->type == VALUE_BOOL && v->b;
}

const struct value *member_list(const struct value *report, const char *name)
{
	static const struct value none = { .type = VALUE_LIST };
	const struct value *v = value_member(report, slice_str(name));

	return v && v->type == VALUE_LIST ? v : &none;
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

void print_age(struct buf *out, int64_t ms)
{
	int64_t s = ms / 1000;

	if (ms < 0)
		buf_putf(out, "-");
	else if (s < 120)
		buf_putf(out, "%lld s", (long long)s);
	else if (s < 7200)
		buf_putf(out, "%lld m", (long long)(s / 60));
	else if (s < 172800)
		buf_putf(out, "%lld h", (long long)(s / 3600));
	else
		buf_putf(out, "%lld d", (long long)(s / 86400));
}

/* "3 m ago", "in 20 s". */
static void put_relative(struct buf *out, int64_t ms)
{
	int64_t away = ms - clock_wall_ms();

	if (away > 0)
		buf_putf(out, "in ");
	print_age(out, away > 0 ? away : -away);
	if (away <= 0)
		buf_putf(out, " ago");
}

void print_when(struct buf *out, int64_t ms)
{
	char text[RFC3339_MAX];

	if (!ms)
		buf_putf(out, "-");
	else if (style.format == FORMAT_WIDE)
		buf_putf(out, "%s", clock_rfc3339(ms, text));
	else
		put_relative(out, ms);
}

void print_scalar(struct buf *out, const struct value *v)
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

/* A moment by the clock, and how far away it is. */
static void put_time(struct buf *out, int64_t ms)
{
	char text[RFC3339_MAX];

	buf_putf(out, "%s", ms ? clock_rfc3339(ms, text) : "-");
	if (!ms)
		return;
	buf_putf(out, " (");
	put_relative(out, ms);
	buf_putf(out, ")");
}

/* Long texts go on below themselves. */
static void print_wrapped(struct slice text)
{
	const unsigned room = style.width ? style.width - NAMES - 1 : UINT32_MAX;
	int before = 0;

	do {
		struct slice part = style_next_line(&text, room);
		printf("%*s%.*s\n", before, "", (int)part.n, part.p);
		before = NAMES + 1;
	} while (text.n);
}

/* At the top, --fields says which. */
static bool is_wanted(struct slice name, int indent)
{
	for (unsigned i = 0; i < style.n_fields && !indent; i++)
		if (slice_eq(style.fields[i], name))
			return true;
	return indent || !style.n_fields;
}

static void print_pairs_at(const struct value *map, int indent)
{
	struct buf line = { 0 };

	for (uint32_t i = 0; i < map->count; i++) {
		const struct value_member *m = &map->members[i];
		if (m->value.type == VALUE_LIST || !is_wanted(m->name, indent))
			continue;
		buf_clear(&line);
		if (m->value.type == VALUE_INT && is_time(m->name))
			put_time(&line, m->value.i);
		else if (m->value.type != VALUE_MAP)
			print_scalar(&line, &m->value);
		printf("%*s%-*.*s ", indent, "", NAMES - indent, (int)m->name.n, m->name.p);
		print_wrapped(buf_data(&line));
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
