/* tests/unit/message/composed.c - a campaign to compose, and checks of what comes out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>

#include "tests/unit/message/composed.h"

struct compose_in composed_campaign(void)
{
	return (struct compose_in){
		.from = SLICE("J\xc3\xb6rg Example <news@sender.example>"),
		.reply_to = SLICE("Help <help@sender.example>"),
		.source = { SLICE("News for {{first_name}}"), SLICE(HTML), SLICE(TEXT) },
		.list_unsubscribe = SLICE("{{unsubscribe_url}}"),
		.one_click = true,
		.env = { .any_field = true },
	};
}

struct program *composed_compose(const struct compose_in *in, struct buf *bytes)
{
	struct program *p = NULL;
	struct compose_error e;

	buf_init(bytes, 0);
	if (compose_campaign(in, bytes, &e) < 0)
		fail_msg("%s %u:%u %s", template_part_name(e.template.part), e.template.line,
			 e.template.column, e.template.text);
	assert_int_equal(program_load(&p, buf_data(bytes)), 0);
	return p;
}

struct value composed_string(struct slice s)
{
	return (struct value){ .type = VALUE_STRING, .s = s };
}

void composed_expand(const struct program *p, const struct value *fields, unsigned n,
		     struct buf *out)
{
	const struct expand_input in = { fields, n, SLICE("rcpt@b.example"),
					 SLICE("1f.a3@sender.example"), 1700000000000 };

	buf_init(out, 0);
	assert_int_equal(program_expand(p, &in, out), 0);
}

/* ---- what every message must be ---------------------------------------------------------- */

size_t composed_header_end(struct slice m)
{
	const char *at = memmem(m.p, m.n, "\r\n\r\n", 4);

	assert_non_null(at);
	return (size_t)(at - m.p) + 2;
}

void composed_check_lines(struct slice m)
{
	size_t start = 0, body = composed_header_end(m);

	for (size_t i = 0; i < m.n; i++) {
		assert_true(m.p[i] > 0);
		if (m.p[i] == '\r')
			assert_true(i + 1 < m.n && m.p[i + 1] == '\n');
		if (m.p[i] != '\n')
			continue;
		assert_true(i > 0 && m.p[i - 1] == '\r');
		assert_true(i - 1 - start <= (start < body ? 998u : 76u));
		start = i + 1;
	}
	assert_int_equal(start, m.n);
}

/* Names of the header's fields, each behind a space. */
void composed_header_names(struct slice m, struct buf *names)
{
	size_t end = composed_header_end(m);

	buf_init(names, 0);
	for (size_t i = 0; i < end;) {
		const char *eol = memchr(m.p + i, '\n', end - i),
			   *colon = memchr(m.p + i, ':', end - i);
		if (m.p[i] != ' ' && m.p[i] != '\t') {
			assert_true(colon && colon < eol);
			buf_putf(names, " %.*s", (int)(colon - m.p - (ptrdiff_t)i), m.p + i);
		}
		i = (size_t)(eol - m.p) + 1;
	}
}

unsigned composed_count(struct slice m, const char *needle)
{
	unsigned n = 0;
	const char *at = m.p;

	while ((at = memmem(at, m.n - (size_t)(at - m.p), needle, strlen(needle)))) {
		n++;
		at++;
	}
	return n;
}

/* Quoted-printable back to text with LF line ends; false when it is none (RFC 2045 section 6.7). */
bool composed_qp_decode(struct slice s, struct buf *out)
{
	static const char hex[] = "0123456789ABCDEF";

	buf_init(out, 0);
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\r') {
			if (i > 0 && (s.p[i - 1] == ' ' || s.p[i - 1] == '\t'))
				return false;
			continue;
		}
		if (s.p[i] != '=') {
			buf_put(out, slice_of(s.p + i, 1));
		} else if (i + 2 < s.n && s.p[i + 1] == '\r') {
			i += 2;
		} else {
			const char *a = i + 2 < s.n ? strchr(hex, s.p[i + 1]) : NULL;
			const char *b = i + 2 < s.n ? strchr(hex, s.p[i + 2]) : NULL;
			if (!a || !b)
				return false;
			char c = (char)((a - hex) << 4 | (b - hex));
			buf_put(out, slice_of(&c, 1));
			i += 2;
		}
	}
	return true;
}

void composed_body_is(struct slice m, struct slice want)
{
	size_t body = composed_header_end(m) + 2;
	struct buf got;

	assert_true(composed_qp_decode(slice_skip(m, body), &got));
	if (!slice_eq(buf_data(&got), want))
		fail_msg("want \"%.*s\" got \"%s\"", (int)want.n, want.p, buf_cstr(&got));
	buf_free(&got);
}
