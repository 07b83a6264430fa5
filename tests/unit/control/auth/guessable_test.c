/* control/auth/guessable: what is tried first is refused, what was thought of is taken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
/* cmocka needs the headers above */
#include <cmocka.h>

#include "control/auth/guessable.h"

static void refuse(const char *password)
{
	int cost = guessable_cost(slice_str(password), NULL, 0);

	if (cost >= GUESSABLE_BITS * 10)
		print_error("%s costs %d\n", password, cost);
	assert_true(guessable_password(slice_str(password), NULL, 0));
}

static void take(const char *password)
{
	int cost = guessable_cost(slice_str(password), NULL, 0);

	if (cost < GUESSABLE_BITS * 10)
		print_error("%s costs %d\n", password, cost);
	assert_false(guessable_password(slice_str(password), NULL, 0));
}

static void common_passwords_are_refused(void **state)
{
	static const char *const bad[] = {
		"1234567890",       "0123456789",   "0987654321",       "12345678910",
		"1111111111",       "0000000000",   "123123123123",     "1212121212",
		"qwertyuiop",       "qwertzuiop",   "asdfghjkl;",       "zxcvbnm,./",
		"1q2w3e4r5t",       "1qaz2wsx3edc", "q1w2e3r4t5y6",     "zaq12wsxcde3",
		"qwerty12345",      "abcdefghij",   "abcdefghijklmnop", "zyxwvutsrq",
		"aaaaaaaaaa",       "password123",  "Password123!",     "P@ssw0rd123",
		"passwordpassword", "PASSWORD2024", "Password1!",       "p455w0rd1!",
		"iloveyou123",      "letmein123",   "welcome123",       "Welcome2024!",
		"sunshine123",      "football123",  "princess123",      "charlie123",
		"administrator",    "admin12345",   "changeme123",      "computer123",
		"Summer2024!",      "Winter2023!",  "monkeymonkey",     "basketball",
		"manchester",       "1029384756",   "147258369a",       "qazwsxedcrfv",
		"michael1985",      "jennifer1990", "dragon2020!",      "superman123",
		"newsletter1",      "Postern2024!", "marketing2025",    "abc123abc123",
		"1234567890abc",    "qwerty!@#$",   "asdfasdfasdf",     "iloveyou!!!!",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		refuse(bad[i]);
}

static void passwords_that_were_thought_of_are_taken(void **state)
{
	static const char *const good[] = {
		"correct horse battery", "correct horse battery staple",
		"another long one",      "a third long one",
		"guess guess guess two", "xK9#mQ2vLp",
		"tr0ub4dor&3x",          "8f14e45fce",
		"gurkensalat mit dill",  "blauer Zug 7 faehrt",
		"j7Hq-2mNw-9",           "uv3kq9zp1x",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		take(good[i]);
}

static void what_the_person_is_called_is_no_secret(void **state)
{
	static const struct slice about[] = { { "zenobia.quark@kxylo.example", 27 },
					      { "Zenobia Quark", 13 },
					      { "Kxylophon Werke", 15 } };
	static const char *const bad[] = { "zenobia.quark", "Zenobia123",    "Quark2024!!",
					   "kxylophon1",    "kxylo.example", "ZenobiaQuark1" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_true(guessable_password(slice_str(bad[i]), about, ARRAY_LEN(about)));
	assert_false(guessable_password(SLICE("kxylophonwerke"), NULL, 0));
	assert_false(guessable_password(SLICE("xK9#mQ2vLp"), about, ARRAY_LEN(about)));
}

static void any_bytes_and_lengths_have_a_cost(void **state)
{
	char long_one[1000];

	(void)state;
	assert_int_equal(guessable_cost(SLICE(""), NULL, 0), 0);
	memset(long_one, 'x', sizeof(long_one));
	assert_true(guessable_password(slice_of(long_one, sizeof(long_one)), NULL, 0));
	for (size_t i = 0; i < sizeof(long_one); i++)
		long_one[i] = (char)(i * 151 + i / 7);
	assert_false(guessable_password(slice_of(long_one, sizeof(long_one)), NULL, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(common_passwords_are_refused),
		cmocka_unit_test(passwords_that_were_thought_of_are_taken),
		cmocka_unit_test(what_the_person_is_called_is_no_secret),
		cmocka_unit_test(any_bytes_and_lengths_have_a_cost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
