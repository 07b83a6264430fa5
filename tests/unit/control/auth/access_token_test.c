/* control/auth/access_token: a token is what was signed, for one secret of one key. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
/* cmocka needs the headers above */
#include <cmocka.h>

#include "control/auth/access_token.h"
#include "control/http/ids.h"

static const uint8_t ours[ACCESS_TOKEN_KEY_LEN] = { 1 }, theirs[ACCESS_TOKEN_KEY_LEN] = { 2 };
static const struct access_token one = {
	.org = 7, .key = 12, .expires_s = 1900000000, .scopes = 0x81, .chance = 99
};
#define SECRET SLICE("01234567890123456789012345678901")

static void a_token_says_what_it_was_made_of(void **state UNUSED)
{
	char text[ACCESS_TOKEN_MAX];
	struct access_token t;

	(void)access_token_format(ours, &one, SECRET, text);
	assert_int_equal(access_token_parse(slice_str(text), &t), 0);
	assert_true(t.org == 7 && t.key == 12 && t.expires_s == 1900000000 && t.scopes == 0x81);
	assert_true(access_token_right(ours, &t, SECRET));
}

static void it_is_good_for_one_secret_of_one_instance(void **state UNUSED)
{
	char text[ACCESS_TOKEN_MAX];
	struct access_token t;

	(void)access_token_format(ours, &one, SECRET, text);
	assert_int_equal(access_token_parse(slice_str(text), &t), 0);
	assert_false(access_token_right(theirs, &t, SECRET));
	assert_false(access_token_right(ours, &t, SLICE("x1234567890123456789012345678901")));
	assert_false(access_token_right(ours, &t, SLICE("")));
}

static void no_letter_of_it_can_be_changed(void **state UNUSED)
{
	char text[ACCESS_TOKEN_MAX];
	struct access_token t;
	size_t n;

	n = strlen(access_token_format(ours, &one, SECRET, text));
	for (size_t i = 0; i < n; i++) {
		char was = text[i];

		text[i] = was == 'A' ? 'b' : 'A';
		assert_true(access_token_parse(slice_str(text), &t) < 0 ||
			    !access_token_right(ours, &t, SECRET));
		text[i] = was;
	}
	assert_true(access_token_parse(slice_of(text, n - 1), &t) < 0);
	assert_true(access_token_parse(SLICE(""), &t) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_token_says_what_it_was_made_of),
		cmocka_unit_test(it_is_good_for_one_secret_of_one_instance),
		cmocka_unit_test(no_letter_of_it_can_be_changed),
	};
	static const uint8_t ids[IDS_KEY_LEN] = { 3 };

	ids_init(ids);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
