/* spool/cli/past.c - what became of a job, event by event: when and what, the way it went, what was
 * said, and how long each step took. */
#include <stdio.h>

#include "base/clock.h"
#include "spool/cli/cli.h"
#include "spool/cli/style.h"

enum { INDENT = 4 };

static void print_wrapped(struct slice text)
{
	const unsigned width = style.width ? style.width - INDENT : UINT16_MAX;

	while (text.n) {
		struct slice part = style_next_line(&text, width);
		printf("%*s%.*s\n", INDENT, "", (int)part.n, part.p);
	}
}

static void print_line(struct buf *line)
{
	print_wrapped(buf_data(line));
	buf_clear(line);
}

/* Nothing for a text that is empty. */
static void put_text(struct buf *out, const char *before, struct slice text, const char *after)
{
	if (!text.n)
		return;
	buf_putf(out, "%s", before);
	print_safe(out, text);
	buf_putf(out, "%s", after);
}

/* Of an event among those of other jobs: when by the clock, and whose. */
static void put_whose(const struct value *e, struct buf *line)
{
	char text[RFC3339_MAX];

	buf_putf(line, "%s", clock_rfc3339(member_int(e, "at_ms"), text));
	put_text(line, "  ", member_text(e, "job"), "");
}

static void print_head(const struct value *e, struct buf *line, bool among_others)
{
	struct slice kind = member_text(e, "kind"), part, rest;
	const char *colour = style_of_word(kind);
	const bool many = value_member(e, SLICE("rows")) != NULL;

	if (among_others)
		put_whose(e, line);
	else
		print_when(line, member_int(e, "at_ms"));
	buf_putf(line, "  %s%.*s%s", colour, (int)kind.n, kind.p, *colour ? style_plain() : "");
	buf_putf(line, "  %s %lld", many ? "recipients" : "row",
		 (long long)member_int(e, many ? "rows" : "row"));
	put_text(line, "  ", member_text(e, many ? "sender" : "rcpt"), "");
	if (member_int(e, "attempt"))
		buf_putf(line, "  attempt %lld", (long long)member_int(e, "attempt"));
	rest = buf_data(line);
	part =
	    style.width ? style_next_line(&rest, style.width + (unsigned)(*colour ? 9 : 0)) : rest;
	printf("%.*s\n", (int)part.n, part.p);
	if (style.width)
		print_wrapped(rest);
	buf_clear(line);
}

static void print_way(const struct value *e, struct buf *line)
{
	put_text(line, "from ", member_text(e, "source"), " ");
	put_text(line, "to ", member_text(e, "host"), " ");
	put_text(line, "[", member_text(e, "ip"), "]");
	print_line(line);
	if (!member_text(e, "tls_policy").n)
		return;
	put_text(line, "", member_text(e, "tls_version"), " ");
	put_text(line, "", member_text(e, "tls_cipher"), "");
	buf_putf(line, "%s", buf_len(line) ? "" : "without TLS");
	put_text(line, ", policy ", member_text(e, "tls_policy"), "");
	put_text(line, ", verified by ", member_text(e, "tls_verified_by"), "");
	print_line(line);
}

static void print_reply(const struct value *e, struct buf *line)
{
	if (member_int(e, "code"))
		buf_putf(line, "%lld ", (long long)member_int(e, "code"));
	if (!slice_eq(member_text(e, "dsn"), SLICE("0.0.0")))
		put_text(line, "", member_text(e, "dsn"), " ");
	print_safe(line, member_text(e, "text"));
	print_line(line);
	put_text(line, "class ", member_text(e, "class"), member_true(e, "hard") ? ", hard" : "");
	put_text(line, ", rule ", member_text(e, "rule"), "");
	if (member_int(e, "next_ms")) {
		buf_putf(line, "%snext try ", buf_len(line) ? ", " : "");
		print_when(line, member_int(e, "next_ms"));
	}
	print_line(line);
}

static void print_took(const struct value *e, struct buf *line)
{
	static const struct {
		const char *member, *name;
	} steps[] = {
		{ "dns_took_ms", "DNS" },
		{ "connect_took_ms", "connect" },
		{ "tls_took_ms", "TLS" },
		{ "transaction_took_ms", "transaction" },
	};

	if (!value_member(e, SLICE("transaction_took_ms")))
		return;
	for (size_t i = 0; i < ARRAY_LEN(steps); i++)
		buf_putf(line, "%s%s %lld ms", i ? ", " : "", steps[i].name,
			 (long long)member_int(e, steps[i].member));
	if (member_true(e, "reused"))
		buf_putf(line, "; the connection had carried mail before");
	print_line(line);
}

static void print_event(const struct value *e, bool among_others)
{
	struct buf line = { 0 };

	print_head(e, &line, among_others);
	if (!value_member(e, SLICE("rows"))) {
		print_way(e, &line);
		print_reply(e, &line);
		print_took(e, &line);
	}
	buf_free(&line);
}

void history_events(const struct value *events)
{
	static const struct print_column columns[] = {
		{ "at_ms", "TIME", COLUMN_TIME },
		{ "kind", "WHAT", COLUMN_TEXT },
		{ "row", "ROW", COLUMN_NUMBER },
		{ "rcpt", "ADDRESS", COLUMN_NAME },
		{ "attempt", "TRY", COLUMN_NUMBER },
		{ "source", "SOURCE", COLUMN_TEXT },
		{ "host", "HOST", COLUMN_TEXT },
		{ "class", "CLASS", COLUMN_TEXT },
		{ "dns_took_ms", "DNS MS", COLUMN_NUMBER },
		{ "connect_took_ms", "CONNECT MS", COLUMN_NUMBER },
		{ "tls_took_ms", "TLS MS", COLUMN_NUMBER },
		{ "transaction_took_ms", "TRANSACTION MS", COLUMN_NUMBER },
		{ "text", "REPLY", COLUMN_LONG },
	};

	if (style.n_fields) {
		print_table(events, columns, ARRAY_LEN(columns));
		return;
	}
	for (uint32_t i = 0; i < events->count; i++)
		print_event(&events->items[i], false);
}

void history_event(const struct value *event)
{
	print_event(event, true);
}
