/* control/contacts/sheet: the shapes of RFC 4180 and of files people really send. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "base/buf.h"
#include "control/contacts/sheet.h"

/* Every record as "line:field|field|...;" */
static int note(void *arg, const struct sheet_record *r)
{
	buf_putf(arg, "%d:", (int)r->line);
	for (unsigned i = 0; i < r->n; i++) {
		buf_put(arg, i ? SLICE("|") : SLICE(""));
		buf_put(arg, r->fields[i]);
	}
	buf_put(arg, SLICE(";"));
	return 0;
}

static char separator = ',';

static int feed_in_pieces(struct slice in, size_t piece, struct buf *out)
{
	OWNED(sheet) s = NULL;
	int r;

	assert_int_equal(sheet_open(&s, separator, note, out), 0);
	for (size_t at = 0; at < in.n; at += piece) {
		r = sheet_feed(s, slice_of(in.p + at, MIN_OF(piece, in.n - at)));
		if (r < 0)
			return r;
	}
	return sheet_end(s);
}

static void expect_cut(struct slice in, const char *want, int result)
{
	for (size_t piece = 1; piece <= MIN_OF(in.n + 1, (size_t)40); piece++) {
		struct buf out;

		buf_init(&out, 0);
		assert_int_equal(feed_in_pieces(in, piece, &out), result);
		assert_string_equal(buf_cstr(&out), want);
		buf_free(&out);
	}
}
#define expect(in, want) expect_cut(SLICE(in), want, 0)

static void records_end_at_crlf_lf_or_cr(void **state UNUSED)
{
	expect("a,b\r\n1,2\r\n", "1:a|b;2:1|2;");
	expect("a,b\n1,2\n", "1:a|b;2:1|2;");
	expect("a,b\r1,2\r", "1:a|b;2:1|2;");
}

static void the_last_line_needs_no_newline(void **state UNUSED)
{
	expect("a,b\n1,2", "1:a|b;2:1|2;");
}

static void quoted_commas_quotes_and_newlines_are_text(void **state UNUSED)
{
	expect("a,b\n1,\"x,y\"\n", "1:a|b;2:1|x,y;");
	expect("a,b\n1,\"ha \"\"ha\"\" ha\"\n", "1:a|b;2:1|ha \"ha\" ha;");
	expect("a,b\n1,\"{\"\"k\"\": 1}\"\n", "1:a|b;2:1|{\"k\": 1};");
	expect("a,b\n\"x\ny\",2\n3,4\n", "1:a|b;2:x\ny|2;4:3|4;");
	expect("a,b\r\n\"x\r\ny\",2\r\n3,4\r\n", "1:a|b;2:x\r\ny|2;4:3|4;");
}

static void empty_fields_stay_and_empty_lines_go(void **state UNUSED)
{
	expect("a,b,c\n1,,\n,\"\",3\n", "1:a|b|c;2:1||;3:||3;");
	expect("a\n\n\r\n1\n", "1:a;4:1;");
	expect("", "");
	expect("\n\n", "");
}

static void blanks_around_a_field_are_not_part_of_it(void **state UNUSED)
{
	expect(" a , b \n", "1:a|b;");
	expect("a, \"x, y\" ,\tz\n\"1\" ,2, 3\n", "1:a|x, y|z;2:1|2|3;");
	expect("a,\" b \"\n", "1:a| b ;");
	expect("a\n  \n \t\r\n  b\n", "1:a;4:b;");
}

static void the_separator_is_the_callers(void **state UNUSED)
{
	separator = ';';
	expect("a;b\n1,5;\"x;y\"\n", "1:a|b;2:1,5|x;y;");
	separator = '\t';
	expect("a\tb\n\t\n1\t\"x\ty\"\n \t2\n", "1:a|b;2:|;3:1|x\ty;4:|2;");
	separator = ',';
}

static void utf8_passes_and_its_mark_at_the_start_is_dropped(void **state UNUSED)
{
	expect("\xef\xbb\xbf"
	       "a,b\n\xc3\xa9,\xe4\xb8\xad\n",
	       "1:a|b;2:\xc3\xa9|\xe4\xb8\xad;");
	expect("\xef\xbb"
	       "a\n",
	       "1:\xef\xbb"
	       "a;");
	expect("\xef\xbb", "1:\xef\xbb;");
}

static void a_quote_inside_a_bare_field_is_itself(void **state UNUSED)
{
	expect("5\" pipe,x\n", "1:5\" pipe|x;");
}

static void quotes_that_never_close_are_an_error(void **state UNUSED)
{
	expect_cut(SLICE("a\n\"x\ny"), "1:a;", E_SYNTAX);
}

static void a_record_past_the_limit_is_an_error(void **state UNUSED)
{
	OWNED_MEM char *big = must_alloc(SHEET_RECORD_MAX + 16);
	struct buf out;

	memset(big, 'x', SHEET_RECORD_MAX + 16);
	buf_init(&out, 0);
	assert_int_equal(feed_in_pieces(slice_of(big, SHEET_RECORD_MAX), 1000, &out), 0);
	assert_int_equal(feed_in_pieces(slice_of(big, SHEET_RECORD_MAX + 1), 1000, &out), E_LIMIT);
	buf_free(&out);
}

static int count_fields(void *arg, const struct sheet_record *r)
{
	*(struct sheet_record *)arg = *r;
	return 0;
}

static void fields_past_the_limit_are_counted_not_given(void **state UNUSED)
{
	OWNED(sheet) s = NULL;
	struct sheet_record got = { 0 };
	char commas[SHEET_FIELDS_MAX + 44];

	memset(commas, ',', sizeof(commas));
	assert_int_equal(sheet_open(&s, ',', count_fields, &got), 0);
	assert_int_equal(sheet_feed(s, slice_of(commas, sizeof(commas))), 0);
	assert_int_equal(sheet_end(s), 0);
	assert_int_equal(got.n, SHEET_FIELDS_MAX);
	assert_int_equal(got.n_seen, SHEET_FIELDS_MAX + 45);
}

static int refuse(void *arg UNUSED, const struct sheet_record *r UNUSED)
{
	return -ECANCELED;
}

static void what_the_receiver_refuses_ends_the_feed(void **state UNUSED)
{
	OWNED(sheet) s = NULL;

	assert_int_equal(sheet_open(&s, ',', refuse, NULL), 0);
	assert_int_equal(sheet_feed(s, SLICE("a\nb\n")), -ECANCELED);
	assert_int_equal(sheet_feed(s, SLICE("c\n")), -ECANCELED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_end_at_crlf_lf_or_cr),
		cmocka_unit_test(the_last_line_needs_no_newline),
		cmocka_unit_test(quoted_commas_quotes_and_newlines_are_text),
		cmocka_unit_test(empty_fields_stay_and_empty_lines_go),
		cmocka_unit_test(blanks_around_a_field_are_not_part_of_it),
		cmocka_unit_test(the_separator_is_the_callers),
		cmocka_unit_test(utf8_passes_and_its_mark_at_the_start_is_dropped),
		cmocka_unit_test(a_quote_inside_a_bare_field_is_itself),
		cmocka_unit_test(quotes_that_never_close_are_an_error),
		cmocka_unit_test(a_record_past_the_limit_is_an_error),
		cmocka_unit_test(fields_past_the_limit_are_counted_not_given),
		cmocka_unit_test(what_the_receiver_refuses_ends_the_feed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
