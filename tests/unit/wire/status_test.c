/* tests/unit/wire/status_test.c - enhanced status codes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "schema/wire/status.h"

static void a_status_is_written_as_three_numbers_and_none_as_nothing(void **state)
{
	char text[STATUS_TEXT_MAX];

	(void)state;
	assert_string_equal(status_format(STATUS(5, 7, 1), text), "5.7.1");
	assert_string_equal(status_format(STATUS(4, 999, 999), text), "4.999.999");
	assert_string_equal(status_format(STATUS(UINT16_MAX, UINT16_MAX, UINT16_MAX), text),
			    "65535.65535.65535");
	assert_string_equal(status_format(STATUS(0, 0, 0), text), "");
	assert_string_equal(status_format(STATUS(0, 7, 1), text), ""); /* without a class: none */
}

static void two_are_the_same_when_all_three_numbers_are(void **state)
{
	(void)state;
	assert_true(status_eq(STATUS(5, 7, 1), STATUS(5, 7, 1)));
	assert_false(status_eq(STATUS(5, 7, 1), STATUS(4, 7, 1)));
	assert_false(status_eq(STATUS(5, 7, 1), STATUS(5, 1, 1)));
	assert_false(status_eq(STATUS(5, 7, 1), STATUS(5, 7, 26)));
	assert_false(status_given(STATUS(0, 0, 0)));
	assert_true(status_given(STATUS(2, 0, 0)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_status_is_written_as_three_numbers_and_none_as_nothing),
		cmocka_unit_test(two_are_the_same_when_all_three_numbers_are),
	};

	return cmocka_run_group_tests_name("wire status", tests, NULL, NULL);
}
