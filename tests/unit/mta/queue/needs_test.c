/* What a message needs of a host, by its bytes. */
#include <stdarg.h>
#include <stddef.h>

#include <setjmp.h>
#include <cmocka.h>

#include "mta/queue/needs.h"

static struct wire_content_meta asked_for_all(const char *message)
{
	struct wire_content_meta m = { .body_8bit = true, .utf8 = true };

	needs_trim(&m, slice_str(message));
	return m;
}

#define HEAD "From: a@b.test\r\nSubject: x\r\n"
#define MIXED "Content-Type: multipart/mixed; boundary=b\r\n"

static void ascii_needs_nothing(void **state)
{
	(void)state;
	assert_false(asked_for_all(HEAD "\r\ntext\r\n").body_8bit);
	assert_false(asked_for_all(HEAD "\r\ntext\r\n").utf8);
	assert_false(asked_for_all("").body_8bit);
	assert_false(asked_for_all(HEAD MIXED "\r\n--b\r\n\r\ntext\r\n--b--\r\n").utf8);
}

static void a_body_beyond_ascii_needs_8bitmime_alone(void **state)
{
	static const char *const bodies[] = {
		HEAD "\r\ngr\xc3\xbc\xc3\x9f\r\n",
		HEAD "\r\ntext\r\n--b\r\ngr\xc3\xbc\xc3\x9f\r\n",
		HEAD MIXED "\r\n--b\r\nContent-Type: text/plain\r\n\r\ngr\xc3\xbc\r\n-- \r\n"
			   "J\xc3\xbcrgen\r\n--b--\r\n",
		"Subject: lines of LF\n\n\xc3\xbc\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		assert_true(asked_for_all(bodies[i]).body_8bit);
		assert_false(asked_for_all(bodies[i]).utf8);
	}
}

static void a_header_beyond_ascii_needs_smtputf8(void **state)
{
	static const char *const messages[] = {
		"Subject: gr\xc3\xbc\xc3\x9f\r\n\r\ntext\r\n",
		HEAD "X: y\r\n \xc3\xbc\r\n\r\n",
		HEAD MIXED "\r\n--b\r\nContent-Disposition: attachment; filename=\xc3\xbc\r\n\r\n",
		HEAD "Content-Type:\r\n multipart/mixed; boundary=b\r\n\r\n--b\r\nX: \xc3\xbc\r\n",
		HEAD MIXED "\r\n--b\r\ncontent-type: MESSAGE/global\r\n\r\nSubject: \xc3\xbc\r\n",
		HEAD "Content-Type: message/rfc822\r\n\r\nSubject: \xc3\xbc\r\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(messages); i++) {
		assert_true(asked_for_all(messages[i]).body_8bit);
		assert_true(asked_for_all(messages[i]).utf8);
	}
}

static void nothing_is_asked_for_that_was_not(void **state)
{
	struct wire_content_meta m = { .body_8bit = false };

	(void)state;
	needs_trim(&m, SLICE("Subject: \xc3\xbc\r\n\r\n\xc3\xbc\r\n"));
	assert_false(m.body_8bit || m.utf8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ascii_needs_nothing),
		cmocka_unit_test(a_body_beyond_ascii_needs_8bitmime_alone),
		cmocka_unit_test(a_header_beyond_ascii_needs_smtputf8),
		cmocka_unit_test(nothing_is_asked_for_that_was_not),
	};

	return cmocka_run_group_tests_name("mta_queue_needs", tests, NULL, NULL);
}
