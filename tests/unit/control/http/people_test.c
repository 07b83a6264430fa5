/* control/http/people: who gets a page instead of a problem, and in which language. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
/* cmocka needs the headers above */
#include <cmocka.h>

#include "control/http/accept.h"
#include "control/http/people.h"

static void people_get_a_page(void **state UNUSED)
{
	static const char *const accepts[] = {
		"",
		"text/html",
		"*/*",
		"text/*",
		"TEXT/HTML",
		"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
		"application/json;q=0.5, text/html",
		"text/html, application/json",
		"image/png, */*;q=0.1",
	};

	for (size_t i = 0; i < ARRAY_LEN(accepts); i++)
		assert_true(people_accept_html(slice_str(accepts[i])));
}

static void programs_get_the_problem(void **state UNUSED)
{
	static const char *const accepts[] = {
		"application/json",
		"application/problem+json",
		"application/*",
		"application/json, text/plain, */*",
		"application/problem+json, application/json;q=0.9",
		"text/html;q=0.2, application/json",
		"text/html;q=0, */*",
		"image/png",
	};

	for (size_t i = 0; i < ARRAY_LEN(accepts); i++)
		assert_false(people_accept_html(slice_str(accepts[i])));
}

static void the_language_asked_for_is_spoken(void **state UNUSED)
{
	static const char *const asked[][2] = {
		{ "", "en" },
		{ "de", "de" },
		{ "de-AT, en;q=0.5", "de" },
		{ "pt-BR, pt;q=0.9, es;q=0.8, en;q=0.7", "es" },
		{ "en;q=0.3, fr;q=0.7", "fr" },
		{ "nl", "nl" },
		{ "xx, *;q=0.5", "en" },
		{ "den", "en" },
		{ "DE-de", "de" },
	};

	for (size_t i = 0; i < ARRAY_LEN(asked); i++)
		assert_string_equal(people_language(slice_str(asked[i][0])), asked[i][1]);
}

static void gzip_is_taken_where_it_is_allowed(void **state UNUSED)
{
	static const struct {
		const char *field;
		bool taken;
	} rows[] = {
		{ "", false },
		{ "gzip", true },
		{ "GZIP;q=0.5", true },
		{ "deflate, gzip", true },
		{ "gzip;q=0", false },
		{ "gzip;q=0.000, *", false },
		{ "*", true },
		{ "*;q=0", false },
		{ "br, identity", false },
		{ "gzipped", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(accept_gzip(slice_str(rows[i].field)), rows[i].taken);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(people_get_a_page),
		cmocka_unit_test(gzip_is_taken_where_it_is_allowed),
		cmocka_unit_test(programs_get_the_problem),
		cmocka_unit_test(the_language_asked_for_is_spoken),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
