/* tests/unit/message/header_test.c - headers, trace lines, words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "message/header.h"
#include "message/received.h"
#include "message/word.h"

#define EIGHT "0123456789abcde "
#define MESSAGE                                                                                    \
	"Received: from x\r\n\tby y; date\r\nFrom: A <a@b.example>\r\nsubject: one\r\n two\r\n"    \
	"FROM: second\r\nAuto-Submitted: auto-replied\r\n\r\nFrom: body\r\n"

static void fields_are_walked_with_their_folds_until_the_empty_line(void **state)
{
	static const char *const names[] = { "Received", "From", "subject", "FROM",
					     "Auto-Submitted" };
	struct slice m = SLICE(MESSAGE);
	struct header_field f;
	size_t pos = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		assert_int_equal(header_next(m, &pos, &f), 1);
		assert_true(slice_eq(f.name, slice_str(names[i])));
		if (i == 2)
			assert_true(slice_eq(f.value, SLICE(" one\r\n two")));
	}
	assert_int_equal(header_next(m, &pos, &f), 0);
	assert_true(slice_eq(slice_skip(m, pos), SLICE("From: body\r\n")));
}

static void a_scan_counts_what_a_submission_needs(void **state)
{
	struct slice m = SLICE(MESSAGE);
	struct header_scan scan;

	(void)state;
	assert_int_equal(header_scan(m, &scan), 0);
	assert_int_equal(scan.from, 2);
	assert_int_equal(scan.received, 1);
	assert_int_equal(scan.date + scan.message_id, 0);
	assert_true(scan.auto_submitted);
	assert_true(slice_eq(scan.from_field.value, SLICE(" A <a@b.example>")));
	assert_int_equal(m.n - scan.body, 12);
	assert_false(scan.eight_bit);
	assert_int_equal(header_scan(SLICE("A: \xc3\xb6\r\nAuto-Submitted: no\r\n\r\n"), &scan), 0);
	assert_true(scan.eight_bit);
	assert_false(scan.auto_submitted);
}

static void a_header_without_body_ends_with_the_message(void **state)
{
	struct header_scan scan;

	(void)state;
	assert_int_equal(header_scan(SLICE("A: b\r\nB: c"), &scan), 0);
	assert_int_equal(scan.body, 10);
	assert_int_equal(header_scan(SLICE(""), &scan), 0);
	assert_int_equal(header_scan(SLICE("\r\nA: b"), &scan), 0);
	assert_int_equal(scan.body, 2);
}

static void lines_that_are_no_field_are_refused(void **state)
{
	static const char *const bad[] = { "hello\r\n",      " A: b\r\n",    "A : b\r\n",
					   ": b\r\n",        "A\x80: b\r\n", "A: b\r\n\x01: c\r\n",
					   "A: b\r\r\nc\r\n" };
	struct header_scan scan;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(header_scan(slice_str(bad[i]), &scan), E_SYNTAX);
}

static void too_many_fields_are_a_limit(void **state)
{
	struct header_scan scan;
	struct buf b;

	(void)state;
	buf_init(&b, 0);
	for (unsigned i = 0; i <= HEADER_FIELDS_MAX; i++)
		buf_put(&b, SLICE("A: b\r\n"));
	assert_int_equal(header_scan(buf_data(&b), &scan), E_LIMIT);
	buf_free(&b);
}

static void a_peers_words_cannot_leave_the_trace_line(void **state)
{
	struct received r = {
		.helo = SLICE("x\r\nBcc: y (z) \"\\;\0\x80<>"),
		.by = SLICE("mx.example"),
		.protocol = SLICE("ESMTPS"),
		.id = SLICE("0.a1"),
		.tls = SLICE("TLSv1.3 A)\r\nB"),
		.rcpt = SLICE("a@b.example>\r\n"),
	};
	struct header_field f;
	size_t pos = 0;
	struct buf b;

	(void)state;
	buf_init(&b, 0);
	assert_int_equal(ip_parse(SLICE("2001:db8::1"), &r.ip), 0);
	assert_int_equal(received_line(&r, &b), 0);
	assert_string_equal(
	    buf_cstr(&b), "Received: from x?\?Bcc:?y?\?z?\?\?\?\?\?\?\?\? ([IPv6:2001:db8::1])\r\n"
			  "\tby mx.example with ESMTPS id 0.a1\r\n\t(using TLSv1.3 A?\?\?B)\r\n"
			  "\tfor <a@b.example?\?\?>;\r\n\tThu, 01 Jan 1970 00:00:00 +0000\r\n");
	assert_int_equal(header_next(buf_data(&b), &pos, &f), 1);
	assert_int_equal(header_next(buf_data(&b), &pos, &f), 0);
	buf_free(&b);
}

static void only_missing_fields_are_added(void **state)
{
	struct header_scan scan = { .date = 1 };
	struct buf b;

	(void)state;
	buf_init(&b, 0);
	assert_int_equal(header_complete(&scan, 0, SLICE("1.2"), SLICE("mx.example"), &b), 0);
	assert_string_equal(buf_cstr(&b), "Message-ID: <1.2@mx.example>\r\n");
	buf_clear(&b);
	scan = (struct header_scan){ .message_id = 1 };
	assert_int_equal(header_complete(&scan, 0, SLICE("1.2"), SLICE("mx.example"), &b), 0);
	assert_string_equal(buf_cstr(&b), "Date: Thu, 01 Jan 1970 00:00:00 +0000\r\n");
	buf_free(&b);
}

static void word(struct slice text, const char *want)
{
	struct buf b;

	buf_init(&b, 0);
	assert_int_equal(word_put(text, 9, &b), 0);
	assert_string_equal(buf_cstr(&b), want);
	buf_free(&b);
}

static void header_text_is_plain_folded_or_encoded(void **state)
{
	(void)state;
	word(SLICE("plain text"), "plain text");
	word(SLICE("  trimmed  "), "trimmed");
	word(SLICE(""), "");
	word(SLICE("a\r\nBcc: b\tc\x01\x7f\0d"), "a  Bcc: b cd");
	word(SLICE("gr\xc3\xbc\xc3\x9f"), "=?UTF-8?b?Z3LDvMOf?=");
	word(SLICE("Hello dear J\xc3\xb6rg"), "=?UTF-8?q?Hello_dear_J=C3=B6rg?=");
	word(SLICE("\xff"), "=?UTF-8?b?77+9?=");
	word(SLICE("=?UTF-8?q?x?="), "=?UTF-8?q?=3D=3FUTF-8=3Fq=3Fx=3F=3D?=");
	word(SLICE(EIGHT EIGHT EIGHT EIGHT EIGHT "end"),
	     EIGHT EIGHT EIGHT "0123456789abcde\r\n " EIGHT "end");
}

static void header_lines_stay_within_their_width(void **state)
{
	char text[600], dst[WORD_BOUND(600)];

	(void)state;
	for (unsigned kind = 0; kind < 4; kind++)
		for (size_t n = 0; n < sizeof(text); n += 7) {
			static const char *const unit[] = { "x", "ab ", "\xc3\xb6",
							    "a\xe2\x82\xac  " };
			size_t col = 9, k;
			for (size_t i = 0; i < n; i++)
				text[i] = unit[kind][i % strlen(unit[kind])];
			k = word_write(dst, slice_of(text, n), 9);
			assert_true(k <= WORD_BOUND(n));
			for (size_t i = 0; i < k; i++) {
				assert_true(dst[i] == '\r' || dst[i] == '\n' ||
					    (dst[i] >= 32 && dst[i] < 127));
				col = dst[i] == '\n' ? 0 : col + (dst[i] != '\r');
				assert_true(col <= 78);
				if (dst[i] == '\n')
					assert_true(i + 2 < k && dst[i + 1] == ' ');
			}
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_are_walked_with_their_folds_until_the_empty_line),
		cmocka_unit_test(a_scan_counts_what_a_submission_needs),
		cmocka_unit_test(a_header_without_body_ends_with_the_message),
		cmocka_unit_test(lines_that_are_no_field_are_refused),
		cmocka_unit_test(too_many_fields_are_a_limit),
		cmocka_unit_test(a_peers_words_cannot_leave_the_trace_line),
		cmocka_unit_test(only_missing_fields_are_added),
		cmocka_unit_test(header_text_is_plain_folded_or_encoded),
		cmocka_unit_test(header_lines_stay_within_their_width),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
