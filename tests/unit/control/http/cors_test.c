/* control/http/cors: which organisation lists which origin. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
/* cmocka needs the headers above */
#include <cmocka.h>

#include "control/http/cors.h"

static bool lists(uint32_t org, const char *origin)
{
	return http_cors_lists(org, slice_str(origin));
}

static void each_organisation_has_its_own(void **state UNUSED)
{
	struct http_cors_list *l = http_cors_list_new();

	http_cors_list_add(l, 7, SLICE("https://b.example"));
	http_cors_list_add(l, 3, SLICE("https://b.example"));
	http_cors_list_add(l, 3, SLICE("https://a.example"));
	http_cors_use(l);
	assert_true(lists(3, "https://a.example") && lists(3, "https://b.example"));
	assert_true(lists(7, "https://b.example") && !lists(7, "https://a.example"));
	assert_false(lists(5, "https://b.example") || lists(8, "https://b.example"));
	assert_true(lists(0, "https://a.example") && lists(0, "https://b.example"));
	assert_false(lists(0, "https://c.example") || lists(0, "https://a.exampl"));
	assert_false(lists(0, "https://a.example0") || lists(0, ""));
	assert_false(http_cors_lists(0, SLICE("https://a.example\0.evil.example")));
	http_cors_use(http_cors_list_new());
	assert_false(lists(3, "https://a.example") || lists(0, "https://a.example"));
}

static void all_of_many_are_found(void **state UNUSED)
{
	struct http_cors_list *l = http_cors_list_new();
	char origin[64];

	for (unsigned i = 0; i < 2000; i++) {
		(void)snprintf(origin, sizeof(origin), "https://a%u.example", i * 7919 % 500);
		http_cors_list_add(l, 1 + i % 41, slice_str(origin));
	}
	http_cors_use(l);
	for (unsigned i = 0; i < 2000; i++) {
		(void)snprintf(origin, sizeof(origin), "https://a%u.example", i * 7919 % 500);
		assert_true(lists(1 + i % 41, origin) && lists(0, origin));
		assert_false(lists(42, origin));
	}
	http_cors_use(NULL);
	assert_false(lists(0, "https://a1.example"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_organisation_has_its_own),
		cmocka_unit_test(all_of_many_are_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
