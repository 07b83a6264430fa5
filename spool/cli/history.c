/* spool/cli/history.c - what failed sessions said and heard; the message as it would be sent. */
#include <stdio.h>

#include "base/clock.h"
#include "spool/cli/cli.h"
#include "spool/cli/style.h"

static void print_lines(const struct value *lines)
{
	struct buf out = { 0 };

	for (uint32_t i = 0; i < lines->count; i++) {
		const struct value *line = &lines->items[i];
		struct slice who = member_text(line, "who");
		const char *mark = slice_eq(who, SLICE("we"))     ? ">"
				   : slice_eq(who, SLICE("they")) ? "<"
								  : "*";
		struct slice text = member_text(line, "text"), part;

		while ((part = slice_take(&text, '\n')).n || text.n) {
			part.n -= part.n && part.p[part.n - 1] == '\r';
			buf_putf(&out, "%8.3f %s ", (double)member_int(line, "ms") / 1000, mark);
			print_safe(&out, part);
			buf_put(&out, SLICE("\n"));
		}
	}
	(void)fwrite(buf_data(&out).p, 1, buf_len(&out), stdout);
	buf_free(&out);
}

static void print_transcripts(const struct value *v)
{
	const struct value *all = member_list(v, "transcripts");

	for (uint32_t i = 0; i < all->count; i++) {
		const struct value *x = &all->items[i];
		struct buf out = { 0 };
		char text[RFC3339_MAX];

		buf_putf(&out, "%s%s  ", i ? "\n" : "",
			 clock_rfc3339(member_int(x, "at_ms"), text));
		print_safe(&out, member_text(x, "host"));
		buf_putf(&out, " [");
		print_safe(&out, member_text(x, "ip"));
		buf_putf(&out, "] from ");
		print_safe(&out, member_text(x, "source"));
		buf_putf(&out, "  ");
		print_safe(&out, member_text(x, "tls"));
		(void)printf("%s%s\n", buf_cstr(&out),
			     member_true(x, "cut") ? "  (earlier lines are not kept)" : "");
		buf_free(&out);
		print_lines(member_list(x, "lines"));
	}
}

int history_transcript(struct cli *c)
{
	struct value v;
	int r;

	if (!c->bounded)
		c->max = 5;
	r = cli_ask_engine(c, "transcript", &v);
	if (r < 0)
		return cli_complain(c, r);
	if (c->json)
		print_json(&v);
	else
		print_transcripts(&v);
	return EXIT_DONE;
}

/* Up to the empty line. */
static struct slice header_of(struct slice message)
{
	struct slice rest = message, line;

	while (rest.n) {
		const char *end = memchr(rest.p, '\n', rest.n);
		size_t n = end ? (size_t)(end - rest.p) + 1 : rest.n;
		line = slice_of(rest.p, n);
		if (slice_eq(line, SLICE("\r\n")) || slice_eq(line, SLICE("\n")))
			return slice_of(message.p, (size_t)(rest.p - message.p));
		rest = slice_skip(rest, n);
	}
	return message;
}

/* Safe for a terminal, line by line. */
static void print_message(struct slice text)
{
	struct buf out = { 0 };

	while (text.n) {
		struct slice line = slice_take(&text, '\n');
		line.n -= line.n && line.p[line.n - 1] == '\r';
		print_safe(&out, line);
		buf_put(&out, SLICE("\n"));
	}
	(void)fwrite(buf_data(&out).p, 1, buf_len(&out), stdout);
	buf_free(&out);
}

int history_message(struct cli *c)
{
	struct value v;
	const struct value *m;
	struct slice text;
	int r = cli_ask_engine(c, "content", &v);

	c->json = c->json && style.chosen; /* it is a text of its own */
	if (r < 0)
		return cli_complain(c, r);
	m = member_list(&v, "messages")->items;
	text = member_text(m, "message");
	if (member_text(m, "why").n) {
		(void)fprintf(stderr, "postern: the message cannot be made: %.*s\n",
			      (int)member_text(m, "why").n, member_text(m, "why").p);
		return EXIT_NO;
	}
	if (c->json)
		print_json(&v);
	else
		print_message(c->content ? text : header_of(text));
	if (member_int(m, "size") > (int64_t)text.n)
		print_more("bytes", text.n, "the rest is not shown");
	return EXIT_DONE;
}
