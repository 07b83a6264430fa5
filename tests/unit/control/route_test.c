/* tests/unit/control/route_test.c - finding routes in the daemon's own table; times; what DNS must
 * say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

#include "control/http/api.h"
#include "control/domains/private.h"
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
	assert_int_equal(m.allowed, 1U << 0 | 1U << 4); /* GET, DELETE */
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
	};
	int64_t ms;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		assert_int_equal(api_time_parse(slice_str(good[i].text), &ms), 0);
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
		assert_int_equal(api_time_parse(slice_str(bad[i]), &ms), E_SYNTAX);
}

/* One expected record against the texts that a name carries. */
static enum sender_record_state judged(const char *kind, const char *value,
				       const char *const *texts, unsigned n)
{
	struct dns_record records[4] = { 0 };
	struct dns_answer answer = { .n = n, .records = records };
	struct sender_record r = { .query = DNS_TXT, .type = "TXT" };

	slice_copy(r.kind, sizeof(r.kind), slice_str(kind));
	r.value = must_copy(slice_str(value));
	for (unsigned i = 0; i < n; i++)
		records[i].data = slice_str(texts[i]);
	sender_record_judge(&r, 0, &answer);
	free(r.value);
	return r.state;
}
#define JUDGED(kind, value, ...)                                                                   \
	judged(kind, value, (const char *const[]){ __VA_ARGS__ },                                  \
	       sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *))

static void a_dkim_record_counts_by_its_key_not_its_spelling(void **state)
{
	const char *want = "v=DKIM1; k=rsa; p=AbC+d/c=";

	(void)state;
	assert_int_equal(JUDGED("dkim-rsa", want, "v=DKIM1; k=rsa; p=AbC+d/c="), RECORD_OK);
	assert_int_equal(JUDGED("dkim-rsa", want, "k = rsa;p= AbC +d/\tc= ; t=s"), RECORD_OK);
	assert_int_equal(JUDGED("dkim-rsa", want, "v=DKIM1; p=AbC+d/c="),
			 RECORD_OK); /* k=rsa is the default */
	assert_int_equal(JUDGED("dkim-rsa", want, "v=DKIM1; k=rsa; p=aBC+d/c="), RECORD_WRONG);
	assert_int_equal(JUDGED("dkim-rsa", want, "v=DKIM1; k=rsa; p="), RECORD_WRONG);
	assert_int_equal(JUDGED("dkim-rsa", want, "v=DKIM1; k=ed25519; p=AbC+d/c="), RECORD_WRONG);
	/* Verifiers take no record that allows neither our hash nor mail, or that is none. */
	assert_int_equal(JUDGED("dkim-rsa", want, "h=sha1:sha256; s=email; p=AbC+d/c="), RECORD_OK);
	assert_int_equal(JUDGED("dkim-rsa", want, "h=sha1; p=AbC+d/c="), RECORD_WRONG);
	assert_int_equal(JUDGED("dkim-rsa", want, "s=other; p=AbC+d/c="), RECORD_WRONG);
	assert_int_equal(JUDGED("dkim-rsa", want, "p=AbC+d/c=; v=DKIM1"), RECORD_WRONG);
	assert_int_equal(JUDGED("dkim-ed25519", "v=DKIM1; k=ed25519; p=eA==", "v=DKIM1; p=eA=="),
			 RECORD_WRONG);
}

static void two_dkim_records_at_one_name_are_wrong(void **state)
{
	(void)state;
	assert_int_equal(JUDGED("dkim-rsa", "v=DKIM1; k=rsa; p=eA==", "v=DKIM1; k=rsa; p=eA==",
				"v=DKIM1; k=rsa; p=eQ=="),
			 RECORD_WRONG);
}

static void ownership_is_one_text_among_others(void **state)
{
	const char *want = "postern-verify=abc";

	(void)state;
	assert_int_equal(JUDGED("ownership", want, "hello", "postern-verify=abc"), RECORD_OK);
	assert_int_equal(JUDGED("ownership", want, "postern-verify=other", "postern-verify=abc"),
			 RECORD_OK);
	assert_int_equal(JUDGED("ownership", want, "postern-verify=abcd"), RECORD_WRONG);
	assert_int_equal(JUDGED("ownership", want, "hello"), RECORD_MISSING);
}

static void spf_needs_each_of_our_mechanisms_in_the_one_record(void **state)
{
	const char *want = "v=spf1 ip4:192.0.2.1 include:x.example ~all";

	(void)state;
	assert_int_equal(JUDGED("spf", want, "v=spf1 include:x.example a ip4:192.0.2.1 -all"),
			 RECORD_OK);
	assert_int_equal(JUDGED("spf", want, "v=spf1 include:x.example -all"), RECORD_WRONG);
	assert_int_equal(
	    JUDGED("spf", want, "v=spf1 ip4:192.0.2.1 -all", "v=spf1 include:x.example -all"),
	    RECORD_WRONG);
	assert_int_equal(JUDGED("spf", want, "v=spf10 ip4:192.0.2.1 include:x.example"),
			 RECORD_MISSING);
}

static void any_one_dmarc_record_will_do(void **state)
{
	(void)state;
	assert_int_equal(
	    JUDGED("dmarc", "v=DMARC1; p=none", "v=DMARC1; p=reject; rua=mailto:x@y.example"),
	    RECORD_OK);
	assert_int_equal(JUDGED("dmarc", "v=DMARC1; p=none", "v=DMARC1;p=none", "v=DMARC1;p=none"),
			 RECORD_WRONG);
}

static void no_answer_is_neither_right_nor_missing(void **state)
{
	struct sender_record r = { .query = DNS_TXT, .required = true };

	(void)state;
	sender_record_judge(&r, E_DNS_TEMP, NULL);
	assert_int_equal(r.state, RECORD_NO_ANSWER);
	assert_false(sender_records_fulfilled(&r, 1));
	assert_false(sender_records_refuted(&r, 1));
	sender_record_judge(&r, E_DNS_NXDOMAIN, NULL);
	assert_int_equal(r.state, RECORD_MISSING);
	assert_true(sender_records_refuted(&r, 1));
}

static void what_strangers_publish_is_kept_printable_and_short(void **state)
{
	char big[4 * SEEN_MAX];
	struct dns_record record = { 0 };
	struct dns_answer answer = { .n = 1, .records = &record };
	struct sender_record r = { .query = DNS_TXT, .value = big };

	(void)state;
	memset(big, '\x1b', sizeof(big));
	big[sizeof(big) - 1] = '\0';
	record.data = slice_str(big);
	sender_record_judge(&r, 0, &answer);
	assert_in_range(strlen(r.seen), 1, SEEN_MAX - 1);
	assert_null(strchr(r.seen, '\x1b'));
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
		cmocka_unit_test(a_dkim_record_counts_by_its_key_not_its_spelling),
		cmocka_unit_test(two_dkim_records_at_one_name_are_wrong),
		cmocka_unit_test(ownership_is_one_text_among_others),
		cmocka_unit_test(spf_needs_each_of_our_mechanisms_in_the_one_record),
		cmocka_unit_test(any_one_dmarc_record_will_do),
		cmocka_unit_test(no_answer_is_neither_right_nor_missing),
		cmocka_unit_test(what_strangers_publish_is_kept_printable_and_short),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
