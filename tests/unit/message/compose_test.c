/* tests/unit/message/compose_test.c - what a composed message looks like. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>

#include "tests/unit/message/composed.h"

static void a_campaign_expands_to_the_whole_message(void **state)
{
	struct compose_in in = composed_campaign();
	struct value fields[8];
	struct program *p;
	struct buf bytes, out;
	(void)state;

	in.source.subject = SLICE("News for {{name}}");
	in.source.text = SLICE("Hello {{name}}!\n{{email}}\n");
	in.source.html = SLICE("<p>Hello {{name}}!</p>");
	p = composed_compose(&in, &bytes);
	assert_int_equal(program_field_count(p), 2);
	assert_true(slice_eq(program_field_name(p, 0), SLICE("name")));
	assert_true(slice_eq(program_field_name(p, 1), SLICE("unsubscribe_url")));
	fields[0] = composed_string(SLICE("Zo\xc3\xab & Co"));
	fields[1] = composed_string(SLICE("https://u.example/u/abc"));
	composed_expand(p, fields, 2, &out);
	assert_string_equal(
	    buf_cstr(&out),
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

static void a_bad_unsubscribe_url_leaves_both_fields_out(void **state)
{
	static const struct {
		struct slice url;
		const char *line; /* NULL: no field */
	} rows[] = {
		{ SLICE("https://u.example/a"), "List-Unsubscribe: <https://u.example/a>\r\n" },
		{ SLICE(" https://u.example/a b\n"),
		  "List-Unsubscribe: <https://u.example/a%20b>\r\n" },
		{ SLICE("https://u.example/?a=1&b=%20"),
		  "List-Unsubscribe: <https://u.example/?a=1&b=%20>\r\n" },
		{ SLICE("mailto:u@x.example"), "List-Unsubscribe: <mailto:u@x.example>\r\n" },
		{ SLICE(""), NULL },
		{ SLICE("ftp://u.example"), NULL },
		{ SLICE("https://"), NULL },
	};
	struct compose_in in = composed_campaign();
	struct program *p;
	struct buf bytes, out;
	(void)state;

	in.source = (struct template_source){ SLICE("x"), SLICE(""), SLICE("y") };
	p = composed_compose(&in, &bytes);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct value v = composed_string(rows[i].url);
		composed_expand(p, &v, 1, &out);
		assert_int_equal(composed_count(buf_data(&out), "List-Unsubscribe"),
				 rows[i].line ? 3 : 0);
		if (rows[i].line)
			assert_int_equal(composed_count(buf_data(&out), rows[i].line), 1);
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
	struct compose_in in = composed_campaign();
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
			p = composed_compose(&in, &bytes);
			for (size_t v = 0; v < 170; v += 17) {
				struct value field = composed_string(slice_of(value, v / k * k));
				size_t vn = field.s.n;
				for (size_t i = 0; i < vn; i++)
					value[i] = fills[fill][i % k];
				memcpy(want, source, n);
				memcpy(want + n, value, vn);
				memcpy(want + n + vn, "tail ", 5);
				memcpy(want + n + vn + 5, value, vn);
				memcpy(want + n + 2 * vn + 5, "\nend\n", 5);
				m = n + 2 * vn + 10;
				composed_expand(p, &field, 1, &out);
				composed_check_lines(buf_data(&out));
				composed_body_is(buf_data(&out), slice_of(want, m));
				buf_free(&out);
			}
			buf_free(&bytes);
			p = program_free(p);
		}
}

static void numbers_and_absent_values_are_written_as_one_expects(void **state)
{
	const struct value fields[] = {
		{ .type = VALUE_INT, .i = INT64_MIN },
		{ .type = VALUE_REAL, .d = 0.1 },
		{ .type = VALUE_BOOL, .b = true },
		{ .type = VALUE_NULL },
		{ .type = VALUE_LIST },
		{ .type = VALUE_MAP },
	};
	struct compose_in in = composed_campaign();
	struct program *p;
	struct buf bytes, out;
	(void)state;

	in.list_unsubscribe = in.source.html = in.source.subject = SLICE("");
	in.source.text = SLICE("{{a}},{{b}},{{c}},{{d}},{{e}},{{f}},{{missing}}");
	p = composed_compose(&in, &bytes);
	composed_expand(p, fields, 6, &out);
	composed_body_is(buf_data(&out), SLICE("-9223372036854775808,0.1,true,,,,\n"));
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
		{ SLICE("Bcc"), SLICE("x") },          { SLICE("X-A"), SLICE("x\r\nBcc: y") },
		{ SLICE("X A"), SLICE("x") },          { SLICE(""), SLICE("x") },
		{ SLICE("content-type"), SLICE("x") }, { SLICE("DKIM-Signature"), SLICE("x") },
		{ SLICE("X-A:"), SLICE("x") },         { SLICE("X-A"), SLICE("x\0") },
		{ SLICE("Resent-From"), SLICE("x") },  { SLICE("X-\xc3\xb6"), SLICE("x") },
	};
	struct compose_in in = composed_campaign();
	(void)state;

	in.from = SLICE("nobody");
	refused(in, COMPOSE_FROM, "not an address");
	in = composed_campaign();
	in.from = SLICE("A <a@b.example>\r\nBcc: c@d.example");
	refused(in, COMPOSE_FROM, "not an address");
	in = composed_campaign();
	in.reply_to = SLICE("x@");
	refused(in, COMPOSE_REPLY_TO, "not an address");
	in = composed_campaign();
	in.source.html = in.source.text = SLICE("");
	refused(in, COMPOSE_TEMPLATE, "html, text or both");
	in = composed_campaign();
	in.source.subject = SLICE("a\nb");
	refused(in, COMPOSE_TEMPLATE, "one line");
	in = composed_campaign();
	in.list_unsubscribe = SLICE("ftp://x/{{a}}");
	refused(in, COMPOSE_TEMPLATE, "URL begins");
	in.list_unsubscribe = SLICE("https://x.example/>{{a}}");
	refused(in, COMPOSE_TEMPLATE, "URL");
	in = composed_campaign();
	in.env.any_field = false;
	refused(in, COMPOSE_TEMPLATE, "there is no field \"first_name\"");
	for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
		in = composed_campaign();
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
	struct compose_in in = composed_campaign();
	struct program *p;
	struct buf bytes, out;
	(void)state;

	in.headers = extra;
	in.n_headers = 2;
	p = composed_compose(&in, &bytes);
	composed_expand(p, NULL, 0, &out);
	composed_check_lines(buf_data(&out));
	assert_int_equal(
	    composed_count(buf_data(&out),
			   "\r\nX-Tag: =?UTF-8?q?caf=C3=A9_au_lait=2C_s=27il_vous_pla=C3=AEt?=\r\n"
			   "List-Id: News <news.sender.example>\r\n"),
	    1);
	buf_free(&out);
	buf_free(&bytes);
	p = program_free(p);
}

static void a_subject_is_cut_between_characters(void **state)
{
	struct compose_in in = composed_campaign();
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
	p = composed_compose(&in, &bytes);
	field = composed_string(buf_data(&big));
	composed_expand(p, &field, 1, &out);
	composed_check_lines(buf_data(&out));
	at = memmem(buf_data(&out).p, buf_len(&out), "Subject:", 8);
	end = memmem(buf_data(&out).p, buf_len(&out), "\r\nMessage-ID", 12);
	assert_true(at && end && end - at > 2000 && end - at < 4000);
	assert_int_equal(composed_count(buf_data(&out), "77+9"),
			 0); /* no U+FFFD from half a character */
	buf_free(&big);
	buf_free(&out);
	buf_free(&bytes);
	p = program_free(p);
}

static void the_recipient_is_email_even_where_a_field_is_called_so(void **state)
{
	static const struct template_field known[] = { { .name = SLICE("email") } };
	struct compose_in in = composed_campaign();
	struct program *p;
	struct buf bytes, out;
	(void)state;

	in.source = (struct template_source){ SLICE(""), SLICE(""), SLICE("{{email}}") };
	in.list_unsubscribe = SLICE("");
	in.env = (struct template_env){ .fields = known, .n_fields = 1 };
	p = composed_compose(&in, &bytes);
	assert_int_equal(program_field_count(p), 0);
	composed_expand(p, NULL, 0, &out);
	composed_body_is(buf_data(&out), SLICE("rcpt@b.example\n"));
	buf_free(&out);
	buf_free(&bytes);
	p = program_free(p);
}

static void an_address_that_is_not_ascii_stays_out_of_the_header(void **state)
{
	struct compose_in in = composed_campaign();
	const struct expand_input x = { NULL, 0, SLICE("j\xc3\xb6@b.example"), SLICE("1@x"), 0 };
	struct program *p;
	struct buf bytes, out;
	(void)state;

	p = composed_compose(&in, &bytes);
	buf_init(&out, 0);
	assert_int_equal(program_expand(p, &x, &out), 0);
	composed_check_lines(buf_data(&out));
	assert_int_equal(composed_count(buf_data(&out), "\r\nTo: undisclosed-recipients:;\r\n"), 1);
	buf_free(&out);
	buf_free(&bytes);
	p = program_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_campaign_expands_to_the_whole_message),
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
