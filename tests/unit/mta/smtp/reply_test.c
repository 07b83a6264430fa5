/* Replies, EHLO and the verdicts made of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>

#include "base/buf.h"
#include "mta/smtp/ehlo.h"
#include "mta/smtp/reply.h"

static int parse(const char *text, struct reply *re)
{
	struct reply_scan scan = { 0 };

	return reply_next(&scan, slice_str(text), re);
}

static void one_line_is_a_reply(void **unused)
{
	struct reply re;
	struct slice text;
	size_t pos = 0;

	(void)unused;
	assert_int_equal(parse("250 2.1.0 Sender ok\r\n354 next", &re), 1);
	assert_int_equal(re.code, 250);
	assert_true(status_eq(re.status, STATUS(2, 1, 0)));
	assert_int_equal(re.raw.n, 21);
	assert_true(reply_line(&re, &pos, &text));
	assert_true(slice_eq(text, SLICE("2.1.0 Sender ok")));
	assert_false(reply_line(&re, &pos, &text));
}

static void a_reply_split_across_reads_is_one_reply(void **unused)
{
	const char *whole = "250-mx.test\r\n250-SIZE 100\r\n250 ok\r\n";
	struct reply_scan scan = { 0 };
	struct reply re;

	(void)unused;
	for (size_t n = 0; n < strlen(whole); n++)
		assert_int_equal(reply_next(&scan, slice_of(whole, n), &re), 0);
	assert_int_equal(reply_next(&scan, slice_str(whole), &re), 1);
	assert_int_equal(re.lines, 3);
	assert_int_equal(re.raw.n, strlen(whole));
	assert_int_equal(scan.off + scan.lines, 0);
}

static void what_is_no_reply_is_a_syntax_error(void **unused)
{
	static const char *const bad[] = {
		"\r\n",          "\n",
		"25\r\n",        "2a0 ok\r\n",
		"2/0 ok\r\n",    "25: ok\r\n",
		"2500 ok\r\n",   "abc def\r\n",
		"150 ok\r\n",    "650 ok\r\n",
		"999 x\r\n",     " 250 ok\r\n",
		"2 50 ok\r\n",   "250-a\r\n251 b\r\n",
		"250-a\r\n\r\n", "HTTP/1.1 400 Bad\r\n",
		"-50 x\r\n",
	};
	struct reply re;

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(parse(bad[i], &re), E_SYNTAX);
}

static void any_second_and_third_digit_is_a_code(void **unused)
{
	struct reply re;

	(void)unused;
	assert_int_equal(parse("571 5.7.1 no\r\n", &re), 1);
	assert_int_equal(re.code, 571);
	assert_int_equal(parse("299\n", &re), 1);
	assert_int_equal(re.code, 299);
}

/* A reply to be read in pieces: how much of it is used, and its first reply. */
static int read_all(struct slice all, size_t piece, struct reply *ret, size_t *ret_used)
{
	struct reply_scan scan = { 0 };
	size_t have = 0, used = 0, before = 1;
	unsigned replies = 0;

	while (have < all.n || used > before) {
		struct reply re;
		int n;

		have = MIN_OF(have + piece, all.n);
		before = used;
		n = reply_skip(&scan, slice_of(all.p + used, have - used));
		if (n < 0)
			return n;
		used += (size_t)n;
		n = reply_next(&scan, slice_of(all.p + used, have - used), &re);
		if (n < 0)
			return n;
		if (n && !replies++)
			*ret = re;
		used += n ? re.raw.n : 0;
	}
	*ret_used = used;
	return (int)replies;
}

static void a_reply_of_any_common_length_is_understood(void **unused)
{
	static const size_t lengths[] = { 513, 2049, 3000, 16384, 16385, 20000, 100000 };
	static char line[100002];
	struct reply re;
	struct verdict v;
	size_t used;

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(lengths) * 2; i++) {
		size_t n = lengths[i / 2];

		memset(line, 'x', sizeof(line));
		memcpy(line, "550 5.1.1 ", 10);
		line[n - 1] = '\n';
		assert_int_equal(read_all(slice_of(line, n), i % 2 ? 7 : n, &re, &used), 1);
		assert_int_equal(used, n);
		assert_int_equal(re.cut, n > REPLY_MAX);
		reply_verdict(&re, &v);
		assert_int_equal(v.kind, VERDICT_BOUNCED);
		assert_true(status_eq(v.status, STATUS(5, 1, 1)));
	}
}

static void what_is_behind_a_cut_reply_is_the_next_reply(void **unused)
{
	struct reply_scan scan = { 0 };
	struct reply re;
	struct slice in;
	struct buf b = { 0 };
	int n;

	(void)unused;
	for (int i = 0; i < 500; i++)
		buf_put(&b, SLICE("250-one of many\r\n"));
	buf_put(&b, SLICE("250\r\n451 later\r\n"));
	in = buf_data(&b);
	assert_int_equal(reply_next(&scan, in, &re), 1);
	assert_true(re.cut);
	assert_int_equal(re.lines, REPLY_LINES_MAX);
	in = slice_skip(in, re.raw.n);
	n = reply_skip(&scan, in);
	assert_in_range(n, 1, in.n);
	in = slice_skip(in, (size_t)n);
	assert_int_equal(reply_skip(&scan, in), 0);
	assert_int_equal(reply_next(&scan, in, &re), 1);
	assert_int_equal(re.code, 451);
	assert_false(re.cut);
	buf_free(&b);
}

static void a_reply_without_end_is_given_up(void **unused)
{
	static char line[REPLY_MAX + REPLY_SKIP_MAX + 1];
	struct reply re;
	size_t used;

	(void)unused;
	memset(line, 'x', sizeof(line));
	memcpy(line, "250 ", 4);
	assert_int_equal(read_all(slice_of(line, sizeof(line)), 4096, &re, &used), E_LIMIT);
	assert_int_equal(read_all(slice_of(line, sizeof(line) - 1), 4096, &re, &used), 1);
}

static void the_rest_of_a_cut_reply_must_have_its_code(void **unused)
{
	struct reply_scan scan = { 0 };
	struct reply re;
	struct buf b = { 0 };

	(void)unused;
	for (int i = 0; i < REPLY_LINES_MAX; i++)
		buf_put(&b, SLICE("250-x\r\n"));
	assert_int_equal(reply_next(&scan, buf_data(&b), &re), 1);
	assert_true(re.cut);
	assert_int_equal(reply_skip(&scan, SLICE("251 x\r\n")), E_SYNTAX);
	buf_free(&b);
}

static void a_code_parted_from_its_text_by_any_byte_is_understood(void **unused)
{
	static const char *const good[] = {
		"250\tok\r\n", "250\t2.0.0\tok\r\n", "250-a\r\n250\tok\r\n",
		"250_ok\r\n",  "250ok\r\n",          "250:ok\r\n",
		"250\r\n",     "250 \r\n",           "250 \t ok\r\n"
	};
	struct reply re;
	struct verdict v;

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		assert_int_equal(parse(good[i], &re), 1);
		assert_int_equal(re.code, 250);
		reply_verdict(&re, &v);
		assert_int_equal(v.kind, VERDICT_DELIVERED);
	}
	assert_int_equal(parse("550\t5.1.1\tno such user\r\n", &re), 1);
	reply_verdict(&re, &v);
	assert_true(status_eq(v.status, STATUS(5, 1, 1)));
	assert_true(slice_eq(verdict_text(&v), SLICE("no such user")));
}

/* Long lines: the size is met before the number of lines is. */
static struct verdict verdict_from(const char *text)
{
	struct reply re;
	struct verdict v;

	assert_int_equal(parse(text, &re), 1);
	memset(&v, 0x5a, sizeof(v));
	reply_verdict(&re, &v);
	return v;
}

static void the_code_decides_and_the_status_follows(void **unused)
{
	static const struct {
		const char *reply;
		enum verdict_kind kind;
		struct status status;
		bool site;
		const char *text;
	} cases[] = {
		{ "250 ok\r\n", VERDICT_DELIVERED, { 2, 0, 0 }, false, "ok" },
		{ "250 2.6.0 ok\r\n", VERDICT_DELIVERED, { 2, 6, 0 }, false, "ok" },
		{ "550 5.1.1 no such user\r\n",
		  VERDICT_BOUNCED,
		  { 5, 1, 1 },
		  false,
		  "no such user" },
		{ "550 4.2.2 full\r\n", VERDICT_BOUNCED, { 5, 0, 0 }, false, "4.2.2 full" },
		{ "450 4.2.0 wait\r\n", VERDICT_DEFERRED, { 4, 2, 0 }, false, "wait" },
		{ "421 bye\r\n", VERDICT_DEFERRED, { 4, 3, 2 }, true, "bye" },
		{ "503 first MAIL\r\n", VERDICT_BOUNCED, { 5, 5, 1 }, false, "first MAIL" },
		{ "354 go\r\n", VERDICT_NONE, { 3, 0, 0 }, false, "go" },
		{ "550-5.7.26 one\r\n550-5.7.26  two\r\n550 5.7.26 three\r\n",
		  VERDICT_BOUNCED,
		  { 5, 7, 26 },
		  false,
		  "one two three" },
		{ "550 5.1.1234 x\r\n", VERDICT_BOUNCED, { 5, 0, 0 }, false, "5.1.1234 x" },
		{ "550 5.1.\r\n", VERDICT_BOUNCED, { 5, 0, 0 }, false, "5.1." },
		{ "550 5.1.1x y\r\n", VERDICT_BOUNCED, { 5, 0, 0 }, false, "5.1.1x y" },
		{ "550 5.1.1\r\n", VERDICT_BOUNCED, { 5, 1, 1 }, false, "" },
		{ "550 5x1.1 y\r\n", VERDICT_BOUNCED, { 5, 0, 0 }, false, "5x1.1 y" },
		{ "550 5..1 x\r\n", VERDICT_BOUNCED, { 5, 0, 0 }, false, "5..1 x" },
		{ "550 5.1x1 y\r\n", VERDICT_BOUNCED, { 5, 0, 0 }, false, "5.1x1 y" },
		{ "550 5.1. x\r\n", VERDICT_BOUNCED, { 5, 0, 0 }, false, "5.1. x" },
		{ "550 5.123\r\n", VERDICT_BOUNCED, { 5, 0, 0 }, false, "5.123" },
		{ "550-a\r\n550 \r\n", VERDICT_BOUNCED, { 5, 0, 0 }, false, "a" },
		{ "550\r\n", VERDICT_BOUNCED, { 5, 0, 0 }, false, "" },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct verdict v = verdict_from(cases[i].reply);

		assert_int_equal(v.kind, cases[i].kind);
		assert_true(status_eq(v.status, cases[i].status));
		assert_int_equal(v.site, cases[i].site);
		assert_true(slice_eq(verdict_text(&v), slice_str(cases[i].text)));
	}
}

static void the_text_is_one_clean_line_whatever_came(void **unused)
{
	static const char raw[] = "550 a\x01\x1b[0m\x7f"
				  "b\xff\xc3\xa9\xc2\x85\xe2\x80\xa8z\r\n";
	struct reply_scan scan = { 0 };
	struct reply re;
	struct verdict v;

	(void)unused;
	assert_int_equal(reply_next(&scan, SLICE(raw), &re), 1);
	reply_verdict(&re, &v);
	assert_true(slice_eq(verdict_text(&v), SLICE("a??[0m?b?\xc3\xa9??\xe2\x80\xa8z")));
}

static void the_text_is_cut_between_characters(void **unused)
{
	struct verdict v = { .text_n = 0 };
	struct buf b = { 0 };

	(void)unused;
	buf_put(&b, SLICE("x"));
	for (int i = 0; i < VERDICT_TEXT_MAX; i++)
		buf_put(&b, SLICE("\xc3\xa9"));
	verdict_add_text(&v, buf_data(&b));
	assert_int_equal(v.text_n, VERDICT_TEXT_MAX - 1);
	verdict_add_text(&v, SLICE("y"));
	assert_int_equal(v.text_n, VERDICT_TEXT_MAX);
	buf_free(&b);
}

static void ehlo_takes_odd_case_spaces_and_repetition(void **unused)
{
	struct reply re;
	struct ehlo e;

	(void)unused;
	assert_int_equal(
	    parse("250-PIPELINING\r\n250- size \t100\r\n250-SIZE 5\r\n250-8BitMime x y\r\n"
		  "250-PIPELININGS\r\n250-X\r\n250-\r\n250 StartTLS\r\n",
		  &re),
	    1);
	ehlo_parse(&re, &e);
	/* The first line is a greeting, whatever it says. */
	assert_int_equal(e.can, EHLO_SIZE | EHLO_8BITMIME | EHLO_STARTTLS);
	assert_int_equal(e.size_max, 100);
}

static void a_size_that_is_no_number_is_no_limit(void **unused)
{
	static const char *const sizes[] = {
		"", " 0", " x", " -1", " 18446744073709551616", " 1e3"
	};
	char text[128];

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		struct reply re;
		struct ehlo e;

		(void)snprintf(text, sizeof(text), "250-mx\r\n250 SIZE%s\r\n", sizes[i]);
		assert_int_equal(parse(text, &re), 1);
		ehlo_parse(&re, &e);
		assert_int_equal(e.can, EHLO_SIZE);
		assert_int_equal(e.size_max, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_line_is_a_reply),
		cmocka_unit_test(a_reply_split_across_reads_is_one_reply),
		cmocka_unit_test(what_is_no_reply_is_a_syntax_error),
		cmocka_unit_test(any_second_and_third_digit_is_a_code),
		cmocka_unit_test(a_reply_of_any_common_length_is_understood),
		cmocka_unit_test(what_is_behind_a_cut_reply_is_the_next_reply),
		cmocka_unit_test(a_reply_without_end_is_given_up),
		cmocka_unit_test(the_rest_of_a_cut_reply_must_have_its_code),
		cmocka_unit_test(a_code_parted_from_its_text_by_any_byte_is_understood),
		cmocka_unit_test(the_code_decides_and_the_status_follows),
		cmocka_unit_test(the_text_is_one_clean_line_whatever_came),
		cmocka_unit_test(the_text_is_cut_between_characters),
		cmocka_unit_test(ehlo_takes_odd_case_spaces_and_repetition),
		cmocka_unit_test(a_size_that_is_no_number_is_no_limit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
