/* control/http/route, api: finding routes in the daemon's own table; times. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
/* cmocka needs the headers above */
#include <cmocka.h>

#include "control/contract/rfc3339.h"
#include "control/http/api.h"
#include "control/http/call.h"

static int find(enum http_route_listener listener, const char *method, const char *path,
		struct http_route_match *m)
{
	return http_route_find(listener, slice_str(method), slice_str(path), m);
}

static void a_path_finds_its_row_and_its_parameters(void **state)
{
	struct http_route_match m;

	(void)state;
	assert_int_equal(find(LISTEN_API, "GET", "/v1/domains/dom_x/records", &m), 0);
	assert_string_equal(m.route->path, "/v1/domains/{domain_id}/records");
	assert_true(slice_eq(m.params[0], SLICE("dom_x")));
}

static void a_literal_segment_wins_over_a_parameter(void **state)
{
	struct http_route_match m;

	(void)state;
	assert_int_equal(find(LISTEN_API, "DELETE", "/v1/me/sessions", &m), 0);
	assert_string_equal(m.route->path, "/v1/me/sessions");
}

static void a_path_that_is_almost_one_is_none(void **state)
{
	static const char *const bad[] = { "",
					   "/",
					   "/v1",
					   "/v1/",
					   "/v1/domains/",
					   "/v1/domains//",
					   "//v1/domains",
					   "/v1/domains/x/",
					   "/v1/domains/x/records/y",
					   "v1/domains",
					   "/v1/domainsx",
					   "/V1/domains",
					   "/health/" };
	struct http_route_match m;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(find(LISTEN_API, "GET", bad[i], &m), E_UNKNOWN);
}

static void a_known_path_with_another_method_says_which_it_takes(void **state)
{
	struct http_route_match m;

	(void)state;
	assert_int_equal(find(LISTEN_API, "PUT", "/v1/keys/key_x", &m), E_DENIED);
	assert_int_equal(m.allowed, 1U << 0 | 1U << 3 | 1U << 4); /* GET, PATCH, DELETE */
	assert_int_equal(find(LISTEN_API, "get", "/health", &m), E_DENIED);
}

static void the_platforms_routes_are_on_the_admin_listener_only(void **state)
{
	struct http_route_match m;

	(void)state;
	assert_int_equal(find(LISTEN_ADMIN, "GET", "/v1/admin/orgs", &m), 0);
	assert_int_equal(find(LISTEN_API, "GET", "/v1/admin/orgs", &m), E_UNKNOWN);
	assert_int_equal(find(LISTEN_PUBLIC, "GET", "/v1/domains", &m), E_UNKNOWN);
}

static void every_row_is_found_by_its_own_pattern(void **state)
{
	struct http_route_match m;
	unsigned listeners;

	(void)state;
	for (unsigned i = 0; i < http_route_count(); i++) {
		const struct http_route *row = http_route_at(i, &listeners);
		enum http_route_listener any = listeners & LISTEN_API     ? LISTEN_API
					       : listeners & LISTEN_ADMIN ? LISTEN_ADMIN
									  : LISTEN_PUBLIC;

		assert_int_equal(find(any, row->method, row->path, &m), 0);
		assert_ptr_equal(m.route, row); /* and so no two rows are the same */
		assert_int_equal(http_route_number(row), i);
	}
}

static void every_change_needs_a_credential_or_is_braked(void **state)
{
	unsigned listeners;

	(void)state;
	for (unsigned i = 0; i < http_route_count(); i++) {
		const struct http_route *row = http_route_at(i, &listeners);

		if (row->auth == AUTH_NONE && strcmp(row->method, "GET") &&
		    !(listeners & LISTEN_PUBLIC))
			assert_true(row->flags & ROUTE_BRAKED);
		if (row->auth == AUTH_MEMBER)
			assert_true(row->permit != 0);
		if (row->auth == AUTH_PLATFORM)
			assert_int_equal(listeners, LISTEN_ADMIN);
	}
}

static void times_are_read_in_any_offset(void **state)
{
	static const struct {
		const char *text;
		int64_t ms;
	} good[] = {
		{ "1970-01-01T00:00:00Z", 0 },
		{ "2026-11-20T16:32:38.123Z", 1795192358123 },
		{ "2026-11-20T17:32:38.1239+01:00", 1795192358123 },
		{ "2026-11-20t16:02:38.123-00:30", 1795192358123 },
		{ "2024-02-29T00:00:00Z", 1709164800000 },
		{ "2016-12-31T23:59:60Z", 1483228800000 },
	};
	int64_t ms;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		assert_int_equal(rfc3339_parse(slice_str(good[i].text), &ms), 0);
		assert_true(ms == good[i].ms);
	}
}

static void what_is_no_time_is_refused(void **state)
{
	static const char *const bad[] = { "",
					   "2026-11-20",
					   "2026-11-20T16:32:38",
					   "2026-11-31T00:00:00Z",
					   "2025-02-29T00:00:00Z",
					   "2026-11-31T00:00:60Z",
					   "2026-13-01T00:00:00Z",
					   "2026-11-20T24:00:00Z",
					   "2026-11-20T16:32:38.Z",
					   "2026-11-20T16:32:38Zx",
					   "2026-11-20T16:32:38+0100",
					   "1969-12-31T23:59:59Z",
					   "2026-1-20T16:32:38Z",
					   "2026-11-20T16:32:38+24:00" };
	int64_t ms;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(rfc3339_parse(slice_str(bad[i]), &ms), E_SYNTAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_path_finds_its_row_and_its_parameters),
		cmocka_unit_test(a_literal_segment_wins_over_a_parameter),
		cmocka_unit_test(a_path_that_is_almost_one_is_none),
		cmocka_unit_test(a_known_path_with_another_method_says_which_it_takes),
		cmocka_unit_test(the_platforms_routes_are_on_the_admin_listener_only),
		cmocka_unit_test(every_row_is_found_by_its_own_pattern),
		cmocka_unit_test(every_change_needs_a_credential_or_is_braked),
		cmocka_unit_test(times_are_read_in_any_offset),
		cmocka_unit_test(what_is_no_time_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
