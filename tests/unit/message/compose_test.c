#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>

#include "message/compose.h"
#include "message/program.h"

#define HTML                                                                                       \
	"<html><head><title>{{subject_line}}</title></head><body>\n"                              \
	"<p>Hello {{#first_name}}{{first_name}}{{/first_name}}{{^first_name}}there{{/first_name}},</p>\n" \
	"<a href=\"{{link}}\" title=\"{{title}}\" style=\"color: {{color}}\">go</a>\n"             \
	"<a href=\"https://shop.example/?who={{first_name}}&amp;x=1\">shop</a> {{{raw}}}\n"         \
	"<p>{{email}}</p><a href='{{unsubscribe_url}}'>leave</a></body></html>\n"
#define TEXT "Hello {{first_name}},\n\n{{title}} {{link}}\n.\nFrom here: {{email}}\n-- \n{{unsubscribe_url}}\n"

static struct compose_in campaign(void)
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

static struct program *compose(const struct compose_in *in, struct buf *bytes)
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

static struct value string(struct slice s)
{
	return (struct value){ .type = VALUE_STRING, .s = s };
}

static void expand(const struct program *p, const struct value *fields, unsigned n, struct buf *out)
{
	const struct expand_input in = { fields, n, SLICE("rcpt@b.example"), SLICE("1f.a3@sender.example"),
					 1700000000000 };

	buf_init(out, 0);
	assert_int_equal(program_expand(p, &in, out), 0);
}

/* --- what every message must be --- */

static size_t header_end(struct slice m)
{
	const char *at = memmem(m.p, m.n, "\r\n\r\n", 4);

	assert_non_null(at);
	return (size_t)(at - m.p) + 2;
}

static void check_lines(struct slice m)
{
	size_t start = 0, body = header_end(m);

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
static void header_names(struct slice m, struct buf *names)
{
	size_t end = header_end(m);

	buf_init(names, 0);
	for (size_t i = 0; i < end;) {
		const char *eol = memchr(m.p + i, '\n', end - i), *colon = memchr(m.p + i, ':', end - i);
		if (m.p[i] != ' ' && m.p[i] != '\t') {
			assert_true(colon && colon < eol);
			buf_putf(names, " %.*s", (int)(colon - m.p - (ptrdiff_t)i), m.p + i);
		}
		i = (size_t)(eol - m.p) + 1;
	}
}

static unsigned count(struct slice m, const char *needle)
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
static bool qp_decode(struct slice s, struct buf *out)
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

static void body_is(struct slice m, struct slice want)
{
	size_t body = header_end(m) + 2;
	struct buf got;

	assert_true(qp_decode(slice_of(m.p + body, m.n - body), &got));
	if (!slice_eq(buf_data(&got), want))
		fail_msg("want \"%.*s\" got \"%s\"", (int)want.n, want.p, buf_cstr(&got));
	buf_free(&got);
}

/* --- tests --- */

static void a_campaign_expands_to_the_whole_message(void **state)
{
	struct compose_in in = campaign();
	struct value fields[8];
	struct program *p;
	struct buf bytes, out;
	(void)state;

	in.source.subject = SLICE("News for {{name}}");
	in.source.text = SLICE("Hello {{name}}!\n{{email}}\n");
	in.source.html = SLICE("<p>Hello {{name}}!</p>");
	p = compose(&in, &bytes);
	assert_int_equal(program_field_count(p), 2);
	assert_true(slice_eq(program_field_name(p, 0), SLICE("name")));
	assert_true(slice_eq(program_field_name(p, 1), SLICE("unsubscribe_url")));
	fields[0] = string(SLICE("Zo\xc3\xab & Co"));
	fields[1] = string(SLICE("https://u.example/u/abc"));
	expand(p, fields, 2, &out);
	assert_string_equal(buf_cstr(&out),
		"Date: Tue, 14 Nov 2023 22:13:20 +0000\r\n"
		"From: =?UTF-8?q?J=C3=B6rg_Example?= <news@sender.example>\r\n"
		"Reply-To: Help <help@sender.example>\r\n"
		"To: rcpt@b.example\r\n"
		"Subject: =?UTF-8?q?News_for_Zo=C3=AB_=26_Co?=\r\n"
		"Message-ID: <1f.a3@sender.example>\r\n"
		"MIME-Version: 1.0\r\n"
		"List-Unsubscribe: <https://u.example/u/abc>\r\n"
		"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
		"Content-Type: multipart/alternative;\r\n boundary=\"=_postern_part\"\r\n"
		"\r\n"
		"--=_postern_part\r\n"
		"Content-Type: text/plain; charset=utf-8\r\n"
		"Content-Transfer-Encoding: quoted-printable\r\n"
		"\r\n"
		"Hello=20Zo=C3=AB & Co!\r\nrcpt@b.example\r\n"
		"\r\n--=_postern_part\r\n"
		"Content-Type: text/html; charset=utf-8\r\n"
		"Content-Transfer-Encoding: quoted-printable\r\n"
		"\r\n"
		"<p>Hello=20Zo=C3=AB=20&amp; Co!</p>"
		"\r\n--=_postern_part--\r\n");
	buf_free(&out);
	buf_free(&bytes);
	p = program_free(p);
}

static const struct slice hostile[] = {
	SLICE(""),
	SLICE("\r\nBcc: victim@b.example\r\n"),
	SLICE("\nBcc: victim@b.example\n\n<script>"),
	SLICE("\rBcc: x"),
	SLICE("a\0b\0"),
	SLICE("\r\n--=_postern_part--\r\n"),
	SLICE("\r\n--=_postern_part\r\nContent-Type: text/html\r\n\r\n"),
	SLICE("\r\n.\r\nMAIL FROM:<>\r\n"),
	SLICE("=?UTF-8?q?=0D=0ABcc:_x?="),
	SLICE("\">'><img src=x onerror=alert(1)>"),
	SLICE("javascript:alert(1)"),
	SLICE("https://x.example/>\r\nBcc: x"),
	SLICE("https://x.example/\"onclick=\"alert(1)"),
	SLICE(" \t \r\n \t"),
	SLICE("\xff\xfe\x80"),
	SLICE("\xe2\x80\xa8\xc2\x85"),
	SLICE("\x1b[31m\x7f"),
	SLICE("{{email}}{{{raw}}}"),
	SLICE("=3D=0D=0A=\r\n"),
	SLICE("-->]]><!--"),
	SLICE("r\xc3\xa9sum\xc3\xa9 \xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e \xf0\x9f\x98\x80"),
};

static void check_hostile(const struct program *p, const struct value *fields, unsigned n)
{
	struct buf out, names;

	expand(p, fields, n, &out);
	check_lines(buf_data(&out));
	header_names(buf_data(&out), &names);
	if (strcmp(buf_cstr(&names), " Date From Reply-To To Subject Message-ID MIME-Version "
				     "List-Unsubscribe List-Unsubscribe-Post Content-Type") != 0 &&
	    strcmp(buf_cstr(&names), " Date From Reply-To To Subject Message-ID MIME-Version "
				     "Content-Type") != 0)
		fail_msg("header: %s", buf_cstr(&names));
	buf_consume(&out, header_end(buf_data(&out)));
	assert_int_equal(count(buf_data(&out), "--=_postern_part"), 3);
	buf_free(&names);
	buf_free(&out);
}

static void no_value_adds_a_header_or_ends_a_part(void **state)
{
	struct compose_in in = campaign();
	struct value fields[16];
	struct program *p;
	struct buf bytes;
	char *big = malloc(60000);
	unsigned n;
	(void)state;

	p = compose(&in, &bytes);
	n = program_field_count(p);
	assert_int_equal(n, 7);
	for (unsigned at = 0; at <= n; at++)
		for (size_t h = 0; h <= ARRAY_LEN(hostile); h++) {
			for (unsigned i = 0; i < n; i++)
				fields[i] = string(SLICE("https://x.example/"));
			for (unsigned i = 0; i < n; i++)
				if (i == at || at == n) {
					memset(big, 'a', 60000);
					fields[i] = string(h < ARRAY_LEN(hostile) ? hostile[h]
										  : slice_of(big, 60000));
				}
			check_hostile(p, fields, n);
		}
	free(big);
	buf_free(&bytes);
	p = program_free(p);
}

/* "Message-ID: <" and then no angle bracket but the one that ends it. */
static void id_is_whole(struct slice m)
{
	const char *at = memmem(m.p, m.n, "\r\nMessage-ID: <", 15), *end;

	assert_non_null(at);
	end = strpbrk(at + 15, "<>\r ");
	assert_true(end && memcmp(end, ">\r\n", 3) == 0);
}

static void engine_values_cannot_leave_their_headers(void **state)
{
	struct compose_in in = campaign();
	struct value fields[16] = { 0 };
	struct program *p;
	struct buf bytes, out, names;
	(void)state;

	p = compose(&in, &bytes);
	for (size_t h = 0; h < ARRAY_LEN(hostile); h++) {
		const struct expand_input x = { fields, 3, hostile[h], hostile[h], INT64_C(-1) };
		buf_init(&out, 0);
		assert_int_equal(program_expand(p, &x, &out), 0);
		check_lines(buf_data(&out));
		header_names(buf_data(&out), &names);
		assert_string_equal(buf_cstr(&names), " Date From Reply-To To Subject Message-ID "
						      "MIME-Version Content-Type");
		id_is_whole(buf_data(&out));
		buf_free(&names);
		buf_free(&out);
	}
	buf_free(&bytes);
	p = program_free(p);
}

static void a_bad_unsubscribe_url_leaves_both_fields_out(void **state)
{
	static const struct {
		struct slice url;
		const char *line; /* NULL: no field */
	} rows[] = {
		{ SLICE("https://u.example/a"), "List-Unsubscribe: <https://u.example/a>\r\n" },
		{ SLICE(" https://u.example/a b\n"), "List-Unsubscribe: <https://u.example/a%20b>\r\n" },
		{ SLICE("https://u.example/?a=1&b=%20"), "List-Unsubscribe: <https://u.example/?a=1&b=%20>\r\n" },
		{ SLICE("mailto:u@x.example"), "List-Unsubscribe: <mailto:u@x.example>\r\n" },
		{ SLICE(""), NULL },
		{ SLICE("ftp://u.example"), NULL },
		{ SLICE("https://"), NULL },
	};
	struct compose_in in = campaign();
	struct program *p;
	struct buf bytes, out;
	(void)state;

	in.source = (struct template_source){ SLICE("x"), SLICE(""), SLICE("y") };
	p = compose(&in, &bytes);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct value v = string(rows[i].url);
		expand(p, &v, 1, &out);
		assert_int_equal(count(buf_data(&out), "List-Unsubscribe"), rows[i].line ? 3 : 0);
		if (rows[i].line)
			assert_int_equal(count(buf_data(&out), rows[i].line), 1);
		buf_free(&out);
	}
	buf_free(&bytes);
	p = program_free(p);
}

/* Law: whatever the columns, decoding gives back exactly what was meant. */
static void quoted_printable_holds_at_every_column(void **state)
{
	static const char *const fills[] = { "x", "= ", "\xc3\xb6 ", "ab\n", " \t", "a \n" };
	char source[400], value[200], want[700];
	struct compose_in in = campaign();
	(void)state;

	in.list_unsubscribe = in.source.subject = in.source.html = SLICE("");
	for (size_t fill = 0; fill < ARRAY_LEN(fills); fill++)
		for (size_t before = 0; before < 160; before += 3) {
			size_t k = strlen(fills[fill]), n = before / k * k, m = 0;
			struct program *p;
			struct buf bytes, out;
			for (size_t i = 0; i < n; i++)
				source[i] = fills[fill][i % k];
			memcpy(source + n, "{{a}}tail {{a}}\nend\n", 20);
			in.source.text = slice_of(source, n + 20);
			p = compose(&in, &bytes);
			for (size_t v = 0; v < 170; v += 17) {
				struct value field = string(slice_of(value, v / k * k));
				size_t vn = field.s.n;
				for (size_t i = 0; i < vn; i++)
					value[i] = fills[fill][i % k];
				memcpy(want, source, n);
				memcpy(want + n, value, vn);
				memcpy(want + n + vn, "tail ", 5);
				memcpy(want + n + vn + 5, value, vn);
				memcpy(want + n + 2 * vn + 5, "\nend\n", 5);
				m = n + 2 * vn + 10;
				expand(p, &field, 1, &out);
				check_lines(buf_data(&out));
				body_is(buf_data(&out), slice_of(want, m));
				buf_free(&out);
			}
			buf_free(&bytes);
			p = program_free(p);
		}
}

static void numbers_and_absent_values_are_written_as_one_expects(void **state)
{
	const struct value fields[] = {
		{ .type = VALUE_INT, .i = INT64_MIN }, { .type = VALUE_REAL, .d = 0.1 },
		{ .type = VALUE_BOOL, .b = true },     { .type = VALUE_NULL },
		{ .type = VALUE_LIST },		       { .type = VALUE_MAP },
	};
	struct compose_in in = campaign();
	struct program *p;
	struct buf bytes, out;
	(void)state;

	in.list_unsubscribe = in.source.html = in.source.subject = SLICE("");
	in.source.text = SLICE("{{a}},{{b}},{{c}},{{d}},{{e}},{{f}},{{missing}}");
	p = compose(&in, &bytes);
	expand(p, fields, 6, &out);
	body_is(buf_data(&out), SLICE("-9223372036854775808,0.1,true,,,,\n"));
	buf_free(&out);
	buf_free(&bytes);
	p = program_free(p);
}

static void refused(struct compose_in in, enum compose_where where, const char *text)
{
	struct compose_error e;
	struct buf bytes;

	buf_init(&bytes, 0);
	assert_true(compose_campaign(&in, &bytes, &e) < 0);
	assert_int_equal(e.where, where);
	if (!strstr(e.template.text, text))
		fail_msg("said \"%s\", not \"%s\"", e.template.text, text);
	assert_int_equal(buf_len(&bytes), 0);
	buf_free(&bytes);
}

static void what_cannot_be_sent_is_refused_with_its_place(void **state)
{
	static const struct compose_header bad[] = {
		{ SLICE("Bcc"), SLICE("x") },		   { SLICE("X-A"), SLICE("x\r\nBcc: y") },
		{ SLICE("X A"), SLICE("x") },		   { SLICE(""), SLICE("x") },
		{ SLICE("content-type"), SLICE("x") },	   { SLICE("DKIM-Signature"), SLICE("x") },
		{ SLICE("X-A:"), SLICE("x") },		   { SLICE("X-A"), SLICE("x\0") },
		{ SLICE("Resent-From"), SLICE("x") },	   { SLICE("X-\xc3\xb6"), SLICE("x") },
	};
	struct compose_in in = campaign();
	(void)state;

	in.from = SLICE("nobody");
	refused(in, COMPOSE_FROM, "no address");
	in = campaign();
	in.from = SLICE("A <a@b.example>\r\nBcc: c@d.example");
	refused(in, COMPOSE_FROM, "no address");
	in = campaign();
	in.reply_to = SLICE("x@");
	refused(in, COMPOSE_REPLY_TO, "no address");
	in = campaign();
	in.source.html = in.source.text = SLICE("");
	refused(in, COMPOSE_TEMPLATE, "html or text");
	in = campaign();
	in.source.subject = SLICE("a\nb");
	refused(in, COMPOSE_TEMPLATE, "one line");
	in = campaign();
	in.list_unsubscribe = SLICE("ftp://x/{{a}}");
	refused(in, COMPOSE_TEMPLATE, "URL begins");
	in.list_unsubscribe = SLICE("https://x.example/>{{a}}");
	refused(in, COMPOSE_TEMPLATE, "URL");
	in = campaign();
	in.env.any_field = false;
	refused(in, COMPOSE_TEMPLATE, "there is no field \"first_name\"");
	for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
		in = campaign();
		in.headers = &bad[i];
		in.n_headers = 1;
		refused(in, COMPOSE_HEADER, "header");
	}
}

static void extra_headers_are_encoded_and_folded(void **state)
{
	static const struct compose_header extra[] = {
		{ SLICE("X-Tag"), SLICE("caf\xc3\xa9 au lait, s'il vous pla\xc3\xaet") },
		{ SLICE("List-Id"), SLICE("News <news.sender.example>") },
	};
	struct compose_in in = campaign();
	struct program *p;
	struct buf bytes, out;
	(void)state;

	in.headers = extra;
	in.n_headers = 2;
	p = compose(&in, &bytes);
	expand(p, NULL, 0, &out);
	check_lines(buf_data(&out));
	assert_int_equal(count(buf_data(&out),
			       "\r\nX-Tag: =?UTF-8?q?caf=C3=A9_au_lait=2C_s=27il_vous_pla=C3=AEt?=\r\n"
			       "List-Id: News <news.sender.example>\r\n"), 1);
	buf_free(&out);
	buf_free(&bytes);
	p = program_free(p);
}

static void a_subject_is_cut_between_characters(void **state)
{
	struct compose_in in = campaign();
	struct value field;
	struct program *p;
	struct buf bytes, out, big;
	const char *at, *end;
	(void)state;

	buf_init(&big, 0);
	for (int i = 0; i < 1000; i++)
		buf_put(&big, SLICE("\xf0\x9f\x98\x80"));
	in.source.subject = SLICE("x{{a}}");
	in.source.text = in.list_unsubscribe = SLICE("");
	in.source.html = SLICE("y");
	p = compose(&in, &bytes);
	field = string(buf_data(&big));
	expand(p, &field, 1, &out);
	check_lines(buf_data(&out));
	at = memmem(buf_data(&out).p, buf_len(&out), "Subject:", 8);
	end = memmem(buf_data(&out).p, buf_len(&out), "\r\nMessage-ID", 12);
	assert_true(at && end && end - at > 2000 && end - at < 4000);
	assert_int_equal(count(buf_data(&out), "77+9"), 0); /* no U+FFFD from half a character */
	buf_free(&big);
	buf_free(&out);
	buf_free(&bytes);
	p = program_free(p);
}

static void the_recipient_is_email_even_where_a_field_is_called_so(void **state)
{
	static const struct template_field known[] = { { SLICE("email"), false } };
	struct compose_in in = campaign();
	struct program *p;
	struct buf bytes, out;
	(void)state;

	in.source = (struct template_source){ SLICE(""), SLICE(""), SLICE("{{email}}") };
	in.list_unsubscribe = SLICE("");
	in.env = (struct template_env){ .fields = known, .n_fields = 1 };
	p = compose(&in, &bytes);
	assert_int_equal(program_field_count(p), 0);
	expand(p, NULL, 0, &out);
	body_is(buf_data(&out), SLICE("rcpt@b.example\n"));
	buf_free(&out);
	buf_free(&bytes);
	p = program_free(p);
}

static void an_address_that_is_not_ascii_stays_out_of_the_header(void **state)
{
	struct compose_in in = campaign();
	const struct expand_input x = { NULL, 0, SLICE("j\xc3\xb6@b.example"), SLICE("1@x"), 0 };
	struct program *p;
	struct buf bytes, out;
	(void)state;

	p = compose(&in, &bytes);
	buf_init(&out, 0);
	assert_int_equal(program_expand(p, &x, &out), 0);
	check_lines(buf_data(&out));
	assert_int_equal(count(buf_data(&out), "\r\nTo: undisclosed-recipients:;\r\n"), 1);
	buf_free(&out);
	buf_free(&bytes);
	p = program_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_campaign_expands_to_the_whole_message),
		cmocka_unit_test(no_value_adds_a_header_or_ends_a_part),
		cmocka_unit_test(engine_values_cannot_leave_their_headers),
		cmocka_unit_test(a_bad_unsubscribe_url_leaves_both_fields_out),
		cmocka_unit_test(quoted_printable_holds_at_every_column),
		cmocka_unit_test(numbers_and_absent_values_are_written_as_one_expects),
		cmocka_unit_test(what_cannot_be_sent_is_refused_with_its_place),
		cmocka_unit_test(extra_headers_are_encoded_and_folded),
		cmocka_unit_test(a_subject_is_cut_between_characters),
		cmocka_unit_test(the_recipient_is_email_even_where_a_field_is_called_so),
		cmocka_unit_test(an_address_that_is_not_ascii_stays_out_of_the_header),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
