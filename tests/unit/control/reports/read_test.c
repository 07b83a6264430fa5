/* control/reports/read: from the engine's JSON to columns. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "control/reports/read.h"

static void a_dmarc_report_becomes_rows(void **state UNUSED)
{
	struct domain_report r;

	assert_int_equal(
	    domain_report_read(
		SLICE(
		    "{\"org\":\"o\",\"email\":\"e\",\"id\":\"7\",\"domain\":\"sender.test\","
		    "\"begin\":1770000000,\"end\":1770086399,\"policy\":{\"p\":\"none\",\"pct\":9,"
		    "\"adkim\":\"s\"},\"rows\":[{\"ip\":\"192.0.2.1\",\"count\":3,"
		    "\"disposition\":\"none\",\"dkim\":\"pass\",\"auth\":[{\"by\":\"dkim\","
		    "\"domain\":\"sender.test\",\"selector\":\"p1\",\"result\":\"pass\"},"
		    "{\"by\":\"spf\",\"domain\":\"x\",\"result\":\"pass\"}]},"
		    "{\"ip\":\"2001:DB8:0::1\",\"count\":4}],\"more\":true}"),
		false, &r),
	    0);
	assert_string_equal(r.policy, "p=none adkim=s");
	assert_true(r.partial);
	assert_int_equal(r.begin_ms, 1770000000000);
	assert_string_equal(db_column_array(&r.rows[ROW_IP]), "{\"192.0.2.1\",\"2001:db8::1\"}");
	assert_string_equal(db_column_array(&r.rows[ROW_COUNT]), "{3,4}");
	assert_string_equal(db_column_array(&r.rows[ROW_SIGNERS]),
			    "{\"sender.test p1 pass\",\"\"}");
	assert_string_equal(db_column_array(&r.auths[AUTH_ROW]), "{1}"); /* SPF is none */
	assert_string_equal(db_column_array(&r.auths[AUTH_SELECTOR]), "{\"p1\"}");
	domain_report_free(&r);
}

static void what_the_database_would_refuse_is_left_out(void **state UNUSED)
{
	struct domain_report r;

	assert_int_equal(
	    domain_report_read(
		SLICE("{\"domain\":\"sender.test\",\"begin\":99999999999999,\"end\":-3,"
		      "\"policy\":5,\"rows\":[{\"ip\":\"1.2.3\",\"count\":-9},7,"
		      "{\"count\":9223372036854775807,\"header_from\":\"a\\\"},{\"}]}"),
		false, &r),
	    0);
	assert_int_equal(r.begin_ms, 0);
	assert_int_equal(r.end_ms, 0);
	assert_string_equal(db_column_array(&r.rows[ROW_IP]), "{NULL,NULL,NULL}");
	assert_string_equal(db_column_array(&r.rows[ROW_COUNT]), "{0,0,1099511627776}");
	assert_string_equal(db_column_array(&r.rows[ROW_HEADER_FROM]), "{\"\",\"\",\"a\\\"},{\"}");
	domain_report_free(&r);
}

static void what_is_no_report_is_refused(void **state UNUSED)
{
	static const char *const texts[] = { "",
					     "[]",
					     "{}",
					     "{\"rows\":[]}",
					     "{\"domain\":\"a\\u0000b\",\"rows\":[{}]}",
					     "{\"domain\":\"a\"" };
	struct domain_report r;

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		assert_int_equal(domain_report_read(slice_str(texts[i]), false, &r), E_SYNTAX);
		assert_int_equal(domain_report_read(slice_str(texts[i]), true, &r), E_SYNTAX);
	}
}

static void a_tls_report_becomes_policies_and_failures(void **state UNUSED)
{
	struct domain_report r;

	assert_int_equal(
	    domain_report_read(
		SLICE("{\"org\":\"o\",\"contact\":\"c\",\"id\":\"1\","
		      "\"begin\":\"2026-02-02T00:00:00Z\",\"end\":\"never\","
		      "\"policies\":[{\"type\":\"tlsa\",\"domain\":\"a.test\"},"
		      "{\"type\":\"sts\",\"domain\":\"b.test\",\"success\":2,\"failure\":1,"
		      "\"failures\":[{\"result\":\"x\",\"sessions\":1,\"from\":\"::1\","
		      "\"to\":\"zz\"}]}]}"),
		true, &r),
	    0);
	assert_true(slice_eq(r.email, SLICE("c")));
	assert_int_equal(r.begin_ms, 1769990400000);
	assert_int_equal(r.end_ms, 0);
	assert_string_equal(db_column_array(&r.policies[POLICY_DOMAIN]), "{\"a.test\",\"b.test\"}");
	assert_string_equal(db_column_array(&r.failures[FAILURE_POLICY]), "{2}");
	assert_string_equal(db_column_array(&r.failures[FAILURE_IP]), "{\"::1\"}");
	assert_string_equal(db_column_array(&r.failures[FAILURE_HOST_IP]), "{NULL}");
	domain_report_free(&r);
}

static void a_name_given_by_its_maker_makes_it_the_same(void **state UNUSED)
{
	static const char *const texts[] = { "{\"org\":\"a\",\"id\":\"1\",\"domain\":\"x\"}",
					     "{\"org\":\"a\",\"id\":\"1\",\"domain\":\"y\"}",
					     "{\"org\":\"a1\",\"id\":\"\",\"domain\":\"x\"}",
					     "{\"org\":\"b\",\"id\":\"1\",\"domain\":\"x\"}" };
	uint8_t first[REPORT_IDENTITY];
	struct domain_report r;

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		assert_int_equal(domain_report_read(slice_str(texts[i]), false, &r), 0);
		if (i == 0)
			memcpy(first, r.identity, sizeof(first));
		assert_int_equal(memcmp(first, r.identity, sizeof(first)) == 0, i < 2);
		domain_report_free(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_dmarc_report_becomes_rows),
		cmocka_unit_test(what_the_database_would_refuse_is_left_out),
		cmocka_unit_test(what_is_no_report_is_refused),
		cmocka_unit_test(a_tls_report_becomes_policies_and_failures),
		cmocka_unit_test(a_name_given_by_its_maker_makes_it_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
