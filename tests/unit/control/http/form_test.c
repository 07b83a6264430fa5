/* control/http/form: what a form says, and what is no form. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
/* cmocka needs the headers above */
#include <cmocka.h>

#include "control/http/form.h"

static struct http_form form;

static bool says(const char *name, const char *value)
{
	return slice_eq(http_form_value(&form, name), slice_str(value));
}

static void fields_are_decoded(void **state UNUSED)
{
	assert_int_equal(http_form_read(&form, SLICE("a=1&b=x+y%2B%c3%a4&&c=&d")), 0);
	assert_true(form.n == 4 && says("a", "1") && says("b", "x y+\xc3\xa4") && says("c", "") &&
		    says("d", "") && says("e", ""));
	assert_int_equal(http_form_read(&form, SLICE("a=b=c")), 0);
	assert_true(says("a", "b=c"));
	assert_int_equal(http_form_read(&form, SLICE("")), 0);
	assert_int_equal(form.n, 0);
}

static void what_is_ambiguous_is_refused(void **state UNUSED)
{
	static const char *const bad[] = {
		"a=1&a=2", "a=1&%61=2", "a=%", "a=%zz", "a=%00", "a=%ff"
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(http_form_read(&form, slice_str(bad[i])), E_SYNTAX);
}

static void a_form_has_bounds(void **state UNUSED)
{
	static char large[FORM_BYTES_MAX + 8];
	struct slice most = SLICE("a&b&c&d&e&f&g&h&i&j&k&l&m&n&o&p");

	assert_int_equal(http_form_read(&form, most), 0);
	assert_int_equal(http_form_read(&form, SLICE("a&b&c&d&e&f&g&h&i&j&k&l&m&n&o&p&q")),
			 E_LIMIT);
	memset(large, 'a', sizeof(large));
	assert_int_equal(http_form_read(&form, slice_of(large, sizeof(large))), E_LIMIT);
	assert_int_equal(http_form_read(&form, slice_of(large, FORM_BYTES_MAX)), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_are_decoded),
		cmocka_unit_test(what_is_ambiguous_is_refused),
		cmocka_unit_test(a_form_has_bounds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
