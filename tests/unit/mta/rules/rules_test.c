/* Unit test of mta/rules: selectors, standing orders, suppressions. */
#include <stdarg.h>
#include <stdio.h>

#include <setjmp.h>
#include <cmocka.h>

#include "mta/rules/rules.h"

static void selectors_are_read_as_the_header_says(void **state)
{
	struct selector s;

	(void)state;
	assert_int_equal(selector_parse(SLICE("all"), &s), 0);
	assert_int_equal(s.kind, SELECT_ALL);
	assert_int_equal(selector_parse(SLICE("tenant/18446744073709551615"), &s), 0);
	assert_int_equal(s.number, UINT64_MAX);
	assert_int_equal(selector_parse(SLICE("campaign/7"), &s), 0);
	assert_int_equal(s.kind, SELECT_CAMPAIGN);
	assert_int_equal(selector_parse(SLICE("domain/a.test"), &s), 0);
	assert_true(slice_eq(s.domain, SLICE("a.test")));
	assert_int_equal(selector_parse(SLICE("job/1f.a3c"), &s), 0);
	assert_int_equal(s.job.hi, 0x1f);
	assert_int_equal(s.job.lo, 0xa3c);
	assert_int_equal(selector_parse(SLICE("rcpt/1f.a3c:65534"), &s), 0);
	assert_int_equal(s.row, 65534);
}

static void anything_else_is_no_selector(void **state)
{
	static const char *const bad[] = { "",
					   "al",
					   "allx",
					   "tenant/",
					   "tenant/-1",
					   "tenant/18446744073709551616",
					   "campaign/x",
					   "domain/",
					   "job/",
					   "job/xyz",
					   "rcpt/1.2",
					   "rcpt/1.2:",
					   "rcpt/1.2:-1",
					   "rcpt/1.2:4294967296",
					   "rcpt/:1",
					   "user/1",
					   "tenant" };
	struct selector s;

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(selector_parse(slice_str(bad[i]), &s), E_SYNTAX);
}

static bool held(struct rules *r, const struct rule_subject *s)
{
	return rules_match(r, RULE_HOLD, SELECTS_ALL, s, NULL, 0);
}

static void each_kind_of_selector_matches_its_subject_and_no_other(void **state)
{
	static const struct {
		const char *key;
		struct rule_subject yes, no;
	} cases[] = {
		{ "hold/tenant/4", { .tenant = 4 }, { .tenant = 5 } },
		{ "hold/campaign/4", { .campaign = 4 }, { .tenant = 4 } },
		{ "hold/domain/a.test",
		  { .domain = { "A.test", 6 } },
		  { .domain = { "b.test", 6 } } },
		{ "hold/job/1.2", { .job = { 1, 2 } }, { .job = { 2, 1 } } },
		{ "hold/rcpt/1.2:3", { .job = { 1, 2 }, .row = 3 }, { .job = { 1, 2 }, .row = 4 } },
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		OWNED(rules) r = rules_new();
		assert_false(held(r, &cases[i].yes));
		assert_true(rules_set(r, slice_str(cases[i].key), SLICE("why")));
		assert_true(held(r, &cases[i].yes));
		assert_false(held(r, &cases[i].no));
		assert_false(rules_match(r, RULE_CANCEL, SELECTS_ALL, &cases[i].yes, NULL, 0));
		assert_true(rules_set(r, slice_str(cases[i].key), SLICE("")));
		assert_false(held(r, &cases[i].yes));
		assert_int_equal(rules_selects(r, RULE_HOLD), 0);
	}
}

static void a_rule_says_why(void **state)
{
	OWNED(rules) r = rules_new();
	struct rule_subject s = { .campaign = 9 };
	char text[64];

	(void)state;
	(void)rules_set(r, SLICE("cancel/campaign/9"), SLICE("wrong price"));
	(void)rules_set(r, SLICE("cancel/campaign/9"),
			SLICE("wrong prices")); /* the later one counts */
	assert_true(rules_match(r, RULE_CANCEL, SELECTS_ALL, &s, text, sizeof(text)));
	assert_string_equal(text, "campaign/9: wrong prices");
}

static void a_rule_given_twice_is_gone_when_taken_back_once(void **state)
{
	OWNED(rules) r = rules_new();
	struct rule_subject s = { .campaign = 9 };

	(void)state;
	(void)rules_set(r, SLICE("hold/campaign/9"), SLICE("a"));
	(void)rules_set(r, SLICE("hold/campaign/9"), SLICE("b"));
	assert_true(rules_set(r, SLICE("hold/campaign/9"), SLICE("")));
	assert_false(held(r, &s));
	assert_false(rules_set(r, SLICE("hold/campaign/9"), SLICE("")));
}

static void a_life_is_that_of_its_campaign_until_it_is_taken_back(void **state)
{
	OWNED(rules) r = rules_new();
	int64_t until = 0;

	(void)state;
	assert_false(rules_life(r, 9, &until));
	assert_true(rules_set(r, SLICE("life/campaign/9"), SLICE("1700000000000")));
	assert_true(rules_life(r, 9, &until));
	assert_int_equal(until, 1700000000000);
	assert_false(rules_life(r, 8, &until));
	assert_true(rules_set(r, SLICE("life/campaign/9"), SLICE("1800000000000")));
	assert_true(rules_life(r, 9, &until));
	assert_int_equal(until, 1800000000000);
	assert_false(rules_set(r, SLICE("life/campaign/9"), SLICE("soon")));
	assert_false(rules_set(r, SLICE("life/campaign/9"), SLICE("99999999999999999999")));
	assert_true(rules_life(r, 9, &until));
	assert_true(rules_set(r, SLICE("life/campaign/9"), SLICE("")));
	assert_false(rules_life(r, 9, &until));
	assert_false(rules_have_lives(r));
	assert_false(rules_set(r, SLICE("life/campaign/9"), SLICE("")));
	assert_int_equal(rules_check_key(SLICE("life/campaign/9")), 0);
	assert_int_equal(rules_check_key(SLICE("life/tenant/9")), E_SYNTAX);
	assert_int_equal(rules_check_key(SLICE("life/campaign/")), E_SYNTAX);
}

static void keys_that_are_none_of_ours_change_nothing(void **state)
{
	static const char *const bad[] = { "",
					   "hold",
					   "hold/",
					   "hold/x",
					   "cancel/tenant/",
					   "suppress/1/d98fb7ed563d6a2727d2de61d3ec97db",
					   "life/campaign/",
					   "life/campaign/x",
					   "life/tenant/1",
					   "other/all" };
	OWNED(rules) r = rules_new();

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(rules_set(r, slice_str(bad[i]), SLICE("1")));
	assert_int_equal(rules_selects(r, RULE_HOLD) | rules_selects(r, RULE_CANCEL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(selectors_are_read_as_the_header_says),
		cmocka_unit_test(anything_else_is_no_selector),
		cmocka_unit_test(each_kind_of_selector_matches_its_subject_and_no_other),
		cmocka_unit_test(a_rule_says_why),
		cmocka_unit_test(a_rule_given_twice_is_gone_when_taken_back_once),
		cmocka_unit_test(a_life_is_that_of_its_campaign_until_it_is_taken_back),
		cmocka_unit_test(keys_that_are_none_of_ours_change_nothing),
	};

	return cmocka_run_group_tests_name("mta_rules", tests, NULL, NULL);
}
