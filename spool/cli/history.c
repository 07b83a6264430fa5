/* spool/cli/history.c - what failed sessions said and heard; the message as it would be sent. */
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "spool/cli/cli.h"
#include "spool/cli/style.h"

enum { MARGIN = 11 }; /* of the time and the mark */

/* A long one goes on below itself. */
static void put_line(struct buf *out, struct slice line)
{
	const unsigned room = style.width ? style.width - MARGIN : UINT16_MAX;
	struct buf safe = { 0 };
	struct slice rest, part;
	bool first = true;

	print_safe(&safe, line);
	rest = buf_data(&safe);
	do {
		part = style_next_line(&rest, room);
		buf_putf(out, "%*s%.*s\n", first ? 0 : MARGIN, "", (int)part.n, part.p);
		first = false;
	} while (rest.n);
	buf_free(&safe);
}

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
			put_line(&out, part);
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
		(void)printf("%s\n", buf_cstr(&out));
		if (member_true(x, "cut"))
			(void)printf("%*s(earlier lines are not kept)\n", MARGIN, "");
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

/* Tabs, which fold fields, do a terminal no harm. */
static void put_safe_line(struct buf *out, struct slice line)
{
	struct slice part;

	while (slice_cut(line, '\t', &part, &line)) {
		print_safe(out, part);
		buf_put(out, SLICE("\t"));
	}
	print_safe(out, line);
}

/* Line by line; safe on a terminal, byte by byte where it goes elsewhere. */
static void print_message(struct slice text)
{
	const bool terminal = isatty(STDOUT_FILENO) == 1;
	struct buf out = { 0 };

	while (text.n) {
		struct slice line = slice_take(&text, '\n');
		line.n -= line.n && line.p[line.n - 1] == '\r';
		if (terminal)
			put_safe_line(&out, line);
		else
			buf_put(&out, line);
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
