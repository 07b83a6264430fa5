/* spool/cli/trace.c - live sessions, line by line, until the time is over. */
#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "base/options.h"
#include "spool/cli/cli.h"
#include "spool/cli/style.h"

enum { ASK_EVERY_MS = 200, FOR_MS = 60000 };

static int ask(struct cli *c, const char *key, struct value *ret)
{
	OWNED(tree) args = cli_arguments(c);

	branch_str(tree_map(args), "key", key);
	return cli_ask(c, "trace", args, ret);
}

static void print_line(const struct value *row)
{
	static const char *const marks[] = { ">", "<", "*" };
	const struct value *line = member_list(row, "lines")->items;
	struct slice text = member_text(line, "text"), who = member_text(line, "who"), part;
	const char *mark = marks[slice_eq(who, SLICE("we"))     ? 0
				 : slice_eq(who, SLICE("they")) ? 1
								: 2];
	char at[RFC3339_MAX];
	struct buf out = { 0 };

	(void)clock_rfc3339(member_int(row, "at_ms"), at);
	while ((part = slice_take(&text, '\n')).n || text.n) {
		part.n -= part.n && part.p[part.n - 1] == '\r';
		buf_putf(&out, "%.12s #%lld ", at + 11, (long long)member_int(row, "session"));
		print_safe(&out, member_text(row, "ip"));
		buf_putf(&out, " %s ", mark);
		print_safe(&out, part);
		buf_put(&out, SLICE("\n"));
	}
	(void)fwrite(buf_data(&out).p, 1, buf_len(&out), stdout);
	buf_free(&out);
}

/* False: as many lines as were asked for. */
static bool print_lines(const struct cli *c, const struct value *v, uint64_t *shown)
{
	const struct value *rows = member_list(v, "lines");

	for (uint32_t i = 0; i < rows->count && *shown < c->max; i++, ++*shown) {
		if (c->json)
			print_json(&rows->items[i]);
		else
			print_line(&rows->items[i]);
	}
	if (member_int(v, "lost"))
		(void)fprintf(stderr, "postern: %lld lines came too fast and are not shown\n",
			      (long long)member_int(v, "lost"));
	(void)fflush(stdout);
	return *shown < c->max;
}

int cmd_trace(struct cli *c)
{
	struct timespec wait = { 0, ASK_EVERY_MS * 1000000L };
	int64_t for_ms = FOR_MS, end;
	uint64_t shown = 0;
	struct value v;
	int r;

	if (c->duration && option_number(T_DURATION, slice_str(c->duration), &for_ms) < 0) {
		(void)fprintf(stderr, "postern: --for takes a time such as 60s\n");
		return EXIT_BAD_USAGE;
	}
	style.format = c->json ? FORMAT_NDJSON : style.format;
	end = clock_mono_ms() + for_ms;
	c->from = (uint64_t)for_ms; /* ... milliseconds it lasts */
	for (r = ask(c, "begin", &v); r == 0; r = ask(c, "", &v)) {
		if (!print_lines(c, &v, &shown) || clock_mono_ms() >= end)
			break;
		(void)nanosleep(&wait, NULL);
	}
	if (r == 0)
		r = ask(c, "end", &v);
	return r < 0 ? cli_complain(c, r) : EXIT_DONE;
}
