/* Unit test of message/mend.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>

#include "message/mend.h"

#define OURS "Received: by us\r\n"
#define BODY "\r\nBcc: body\r\n"

/* What becomes of a message behind our own line. */
static void mends(struct slice came, const char *want)
{
	struct buf b;

	buf_init(&b, 0);
	buf_put(&b, SLICE(OURS));
	buf_put(&b, came);
	(void)mend_header(&b, strlen(OURS));
	assert_int_equal(strncmp(buf_cstr(&b), OURS, strlen(OURS)), 0);
	assert_string_equal(buf_cstr(&b) + strlen(OURS), want);
	buf_free(&b);
}
#define MENDS(came, want) mends(SLICE(came), want)

static void blind_copies_and_return_paths_leave_with_their_folds(void **state)
{
	(void)state;
	MENDS("From: a\r\nBcc: x@y\r\nTo: b\r\n" BODY, "From: a\r\nTo: b\r\n" BODY);
	MENDS("BCC: x@y,\r\n\tz@y\r\nFrom: a\r\nbcc:\r\n" BODY, "From: a\r\n" BODY);
	MENDS("Resent-Bcc: x\r\nFrom: a\r\nReturn-Path: <x@y>\r\nResent-bcc: z\r\n" BODY,
	      "From: a\r\n" BODY);
	MENDS("From: a\r\nBcc : x\r\nrEturn-path\t : <y>\r\n" BODY, "From: a\r\n" BODY);
	MENDS("From: a\r\nBcc: last", "From: a\r\n");
	MENDS("Bcc: only\r\n" BODY, BODY);
}

static void other_fields_and_the_body_keep_their_bytes(void **state)
{
	static const char *const same[] = {
		"From: a\r\nX-Bcc: b\r\nBcc-To: c\r\nSubject: Bcc: d\r\n" BODY,
		"From: a\r\nSubject:  b\r\n\tBcc: c\r\n" BODY,
		BODY,
		"",
		"hello\r\nBcc: x\r\n",
		"From: a\r\nno field\r\nBcc: c\r\n",
		"From here to eternity\r\nit is far\r\n",
		"From x\r\n\r\nFrom: body\r\n",
		"\xef\xbb\xbfhello\r\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(same); i++)
		mends(slice_str(same[i]), same[i]);
}

static void what_stands_before_the_first_field_leaves(void **state)
{
	static const char *const before[] = {
		"From ann@sender.test Thu Nov 26 10:00:00 2026\r\n",
		">From ann@sender.test Thu Nov 26 10:00:00 2026\r\n",
		">>From ann\r\n",
		"From a\r\n>From b\r\n",
		"\xef\xbb\xbf",
		("\xef\xbb\xbf"
		 "From ann\r\n"),
		"From ann\r\n\xef\xbb\xbf",
		"\xef\xbb\xbf\xef\xbb\xbf",
	};
	char came[200];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(before); i++) {
		(void)snprintf(came, sizeof(came), "%sFrom: a\r\nBcc: b\r\n%s", before[i], BODY);
		mends(slice_str(came), "From: a\r\n" BODY);
	}
}

static void white_space_before_a_colon_leaves(void **state)
{
	(void)state;
	MENDS("From : a\r\nTo\t \t: b : c\r\n d : e\r\nSubject: f : g\r\n" BODY,
	      "From: a\r\nTo: b : c\r\n d : e\r\nSubject: f : g\r\n" BODY);
}

static void a_header_counts_also_when_all_of_it_left(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 0);
	buf_put(&b, SLICE("Bcc: a\r\nFrom b\r\nTo: c\r\n"));
	assert_true(mend_header(&b, 0));
	assert_string_equal(buf_cstr(&b), "From b\r\nTo: c\r\n");
	buf_clear(&b);
	buf_put(&b, SLICE("\r\nTo: c\r\n"));
	assert_false(mend_header(&b, 0));
	buf_free(&b);
}

static void a_header_behind_something_else_is_seen(void **state)
{
	static const char *const hidden[] = {
		"hello\r\nFrom: a\r\n\r\n",
		" From: a\r\nTo: b\r\n\r\n",
		" hello\r\nSubject: a\r\nBcc: b\r\n\r\n",
		" hello\r\nResent-Bcc : b\r\n\r\n",
		"\r\nFrom: a\r\nTo: b\r\n\r\n",
		"\r\n \r\n\r\nFrom: a\r\n",
		"From a b\r\nhello\r\nFROM : a\r\n",
		("\xc2\xa0"
		 "From: a\r\n\r\n"),
		"\xe2\x80\x8bSubject: a\r\nTo: b\r\n\r\n",
		"hello\r\nDate: a\r\nMIME-Version: 1.0\r\n\r\n",
	};
	static const char *const plain[] = {
		"",
		"hello\r\n",
		"hello\r\n\r\nFrom: a\r\nTo: b\r\n",
		"The meeting\r\nDate: Friday\r\nDate: or Saturday\r\nPlace: here\r\n",
		"\r\nhello\r\n\r\nFrom: a\r\n",
		"Dear all, from: me\r\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(hidden); i++)
		if (!mend_hidden_header(slice_str(hidden[i])))
			fail_msg("not seen: %s", hidden[i]);
	for (size_t i = 0; i < ARRAY_LEN(plain); i++)
		if (mend_hidden_header(slice_str(plain[i])))
			fail_msg("taken for a header: %s", plain[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blind_copies_and_return_paths_leave_with_their_folds),
		cmocka_unit_test(other_fields_and_the_body_keep_their_bytes),
		cmocka_unit_test(what_stands_before_the_first_field_leaves),
		cmocka_unit_test(white_space_before_a_colon_leaves),
		cmocka_unit_test(a_header_counts_also_when_all_of_it_left),
		cmocka_unit_test(a_header_behind_something_else_is_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
