/* control/http/etag: what If-Match and If-None-Match name (RFC 9110, 13.1). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* cmocka needs the headers above */
#include <cmocka.h>

#include "control/http/etag.h"

static bool strong(const char *field)
{
	return etag_matches(slice_str(field), 3, false);
}

static bool weak(const char *field)
{
	return etag_matches(slice_str(field), 3, true);
}

static void a_list_names_each_of_its_tags(void **state UNUSED)
{
	static const char *const lists[] = {
		"\"3\"",           "\"1\", \"3\"",      "\"1\",\"2\",\"3\"", "\"3\", \"4\"",
		" \"1\" , \"3\" ", ", ,\"1\",,\"3\",,", "\"a,b\", \"3\"",    "W/\"1\", \"3\"",
		"\"\", \"3\"",     "W/\"3\", \"3\"",    "\t\"3\"",
	};

	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		assert_true(strong(lists[i]) && weak(lists[i]));
}

static void other_tags_do_not_match(void **state UNUSED)
{
	static const char *const lists[] = {
		"",          "\"1\"", "\"1\", \"2\"", "\"33\"", "\"3 \"",   "3",
		"1, 2, 3",   "\"3",   "3\"",          "'3'",    "w/\"3\"",  "\"1\" \"3\"",
		"\"1\" * 3", ",",     "\"1,3\"",      "** ",    "*, \"1\"",
	};

	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		assert_true(!strong(lists[i]) && !weak(lists[i]));
}

static void a_star_matches_every_version(void **state UNUSED)
{
	assert_true(strong("*") && weak("*") && strong(" * ") && strong(",*"));
}

static void a_weak_tag_matches_only_where_weak_is_enough(void **state UNUSED)
{
	assert_false(strong("W/\"3\""));
	assert_true(weak("W/\"3\""));
	assert_true(weak("\"1\", W/\"3\""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_list_names_each_of_its_tags),
		cmocka_unit_test(other_tags_do_not_match),
		cmocka_unit_test(a_star_matches_every_version),
		cmocka_unit_test(a_weak_tag_matches_only_where_weak_is_enough),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
