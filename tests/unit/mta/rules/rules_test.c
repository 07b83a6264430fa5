/* Unit test of mta/rules: selectors, standing orders, suppressions. */
#include <stdarg.h>
#include <stdio.h>

#include <setjmp.h>
#include <cmocka.h>

#include "mta/rules/rules.h"

/* What the text becomes when it is printed; "" when it is no selector. */
static const char *again(const char *text)
{
	static char printed[SELECTOR_TEXT_MAX];
	struct selector s;

	*printed = '\0';
	if (selector_parse(slice_str(text), &s) == 0)
		assert_int_equal(selector_print(&s, printed, sizeof(printed)), 0);
	return printed;
}

static void selectors_are_printed_in_one_way(void **state)
{
	static const char *const same[][2] = {
		{ "all", "all" },
		{ "tenant/18446744073709551615", "tenant/18446744073709551615" },
		{ "tenant/03", "tenant/3" },
		{ "domain/A.Test", "domain/a.test" },
		{ "job/1f.a3c", "job/1f.a3c" },
		{ "message/1f.a3c", "job/1f.a3c" },
		{ "rcpt/1f.a3c:65534", "rcpt/1f.a3c:65534" },
		{ "  class/\"spam block\"  age>120m provider/microsoft tenant/7 ",
		  "tenant/7 provider/microsoft age>2h class/spam-block" },
		{ "age<90s age>1000ms", "age<90s age>1s" },
		{ "attempts=0", "attempts=0" },
		{ "reply/'try \"later\"'", "reply/'try \"later\"'" },
		{ "reply/\"it's full\"", "reply/\"it's full\"" },
		{ "sender/@from.test recipient/u@a.test", "sender/@from.test recipient/u@a.test" },
		{ "recipient/\"odd local\"@a.test age>1h",
		  "recipient/'\"odd local\"@a.test' age>1h" },
		{ "recipient/\"o'b \\\"c\"@a.test", "recipient/\"o'b \\\"c\"@a.test" },
		{ "sender/o'brien@a.test", "sender/\"o'brien@a.test\"" },
		{ "recipient/\"u@a.test\"", "recipient/u@a.test" },
		{ "source/127.0.0.2 pool/b stream/news site/mx.test",
		  "stream/news site/mx.test source/127.0.0.2 pool/b" },
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(same); i++) {
		assert_string_equal(again(same[i][0]), same[i][1]);
		assert_string_equal(again(same[i][1]), same[i][1]);
	}
}

static void anything_else_is_no_selector(void **state)
{
	static const char *const bad[] = {
		"",
		"al",
		"allx",
		"all tenant/1",
		"tenant/",
		"tenant/-1",
		"recipient/\"o\\\x1c\"@r",
		"tenant/x",
		"campaign/x",
		"domain/",
		"job/",
		"job/xyz",
		"rcpt/1.2",
		"rcpt/1.2:",
		"rcpt/1.2:-1",
		"rcpt/:1",
		"user/1",
		"tenant",
		"age>",
		"age=2h",
		"age>2x",
		"age/2h",
		"attempts>65536",
		"class/nosuch",
		"source/here",
		"reply/\"a",
		"reply/\"\"",
		"reply/\"a\"b",
		"reply/a\"b\"",
		"reply/it's",
		"recipient/\"a\"b@a.test",
		"recipient/\"a b@a.test",
		"tenant/1 tenant/2",
		"age>1h age>2h",
		"tenant/18446744073709551616",
		"rcpt/1.2:4294967296",
		"reply/a\nb",
	};
	struct selector s;
	char fault[SELECTOR_FAULT_MAX];

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(selector_read(slice_str(bad[i]), &s, fault), E_SYNTAX);
		assert_true(*fault);
	}
}

static bool leaves(const struct subject *s, const struct ip *source)
{
	(void)s;
	return source->family == AF_INET;
}

static const struct subject somebody = {
	.knows = SELECTS_ALL,
	.tenant = 7,
	.campaign = 4,
	.stream = { "news", 4 },
	.domain = { "a.test", 6 },
	.provider = { "big", 3 },
	.site = { "mx.a.test", 9 },
	.pool = { "warm", 4 },
	.sender = { "S@From.test", 11 },
	.recipient = { "u@a.test", 8 },
	.reply = { "421 Too Many messages", 21 },
	.job = { 1, 2 },
	.row = 3,
	.age_ms = 7200001,
	.attempts = 3,
	.class = 12,
	.leaves_from = leaves,
};

static enum selects holds(const char *text, unsigned knows)
{
	struct subject s = somebody;
	struct selector selector;

	s.knows = knows;
	assert_int_equal(selector_parse(slice_str(text), &selector), 0);
	return selector_holds(&selector, SELECTS_ALL, &s);
}

static void all_terms_must_hold(void **state)
{
	static const char *const yes[] = {
		"all",
		"tenant/7",
		"campaign/4",
		"stream/news",
		"domain/A.TEST",
		"provider/BIG",
		"site/mx.a.test",
		"source/127.0.0.1",
		"pool/warm",
		"sender/s@from.test",
		"sender/@FROM.test",
		"recipient/u@a.test",
		"job/1.2",
		"rcpt/1.2:3",
		"age>2h",
		"age<3h",
		"attempts=3",
		"attempts>2",
		"attempts<4",
		"class/rate-limited",
		"reply/\"too many\"",
		"tenant/7 age>2h class/rate-limited reply/421",
	};
	static const char *const no[] = {
		"tenant/8",
		"campaign/5",
		"stream/other",
		"domain/b.test",
		"provider/small",
		"site/mx.b.test",
		"source/::1",
		"pool/cold",
		"sender/<>",
		"sender/@other.test",
		"recipient/v@a.test",
		"job/1.3",
		"rcpt/1.2:4",
		"age<2h",
		"age>3h",
		"attempts=2",
		"class/quota",
		"reply/450",
		"tenant/7 attempts>3",
		"tenant/8 attempts=3",
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(yes); i++)
		assert_int_equal(holds(yes[i], SELECTS_ALL), SELECTS_YES);
	for (unsigned i = 0; i < ARRAY_LEN(no); i++)
		assert_int_equal(holds(no[i], SELECTS_ALL), SELECTS_NOT);
	assert_int_equal(holds("tenant/7 attempts=3", SELECTS(SELECT_TENANT)), SELECTS_MAYBE);
	assert_int_equal(holds("tenant/8 attempts=3", SELECTS(SELECT_TENANT)), SELECTS_NOT);
}

static bool held(struct rules *r, const struct subject *s)
{
	return rules_hold(r, s, NULL);
}

#define WHO(...)                                                                                   \
	{                                                                                          \
		.knows = SELECTS_FLOW | SELECTS(SELECT_DOMAIN) | SELECTS_JOB, __VA_ARGS__          \
	}

static void each_kind_of_selector_matches_its_subject_and_no_other(void **state)
{
	static const struct {
		const char *key;
		struct subject yes, no;
	} cases[] = {
		{ "hold/tenant/4", WHO(.tenant = 4), WHO(.tenant = 5) },
		{ "hold/campaign/4", WHO(.campaign = 4), WHO(.tenant = 4) },
		{ "hold/domain/a.test", WHO(.domain = { "A.test", 6 }),
		  WHO(.domain = { "b.test", 6 }) },
		{ "hold/job/1.2", WHO(.job = { 1, 2 }), WHO(.job = { 2, 1 }) },
		{ "hold/rcpt/1.2:3", WHO(.job = { 1, 2 }, .row = 3),
		  WHO(.job = { 1, 2 }, .row = 4) },
	};
	bool bounce;

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		OWNED(rules) r = rules_new();
		assert_false(held(r, &cases[i].yes));
		assert_true(rules_set(r, slice_str(cases[i].key), SLICE("why")));
		assert_true(held(r, &cases[i].yes));
		assert_false(held(r, &cases[i].no));
		assert_false(rules_end(r, &cases[i].yes, &bounce, NULL));
		assert_true(rules_set(r, slice_str(cases[i].key), SLICE("")));
		assert_false(held(r, &cases[i].yes));
		assert_int_equal(rules_keys(r, RULE_HOLD), 0);
	}
}

static void give(struct rules *r, unsigned id, const char *value)
{
	char key[ORDER_KEY_MAX];

	order_key(id, key);
	(void)rules_set(r, slice_str(key), slice_str(value));
}

static void of_orders_the_latest_counts_until_it_ends(void **state)
{
	struct subject s = WHO(.tenant = 7, .domain = { "a.test", 6 });
	OWNED(rules) r = rules_new();
	char text[RULE_TEXT_MAX];

	(void)state;
	give(r, 1, "kind hold\nwhat tenant/7\nreason first\n");
	give(r, 3, "kind hold\nwhat domain/a.test\nreason third\n");
	give(r, 2, "kind release\nwhat tenant/7\n"); /* whatever the order of reading */
	assert_true(rules_hold(r, &s, text));
	assert_string_equal(text, "domain/a.test: third");
	give(r, 3, "kind hold\nend undone\nwhat domain/a.test\n");
	assert_false(held(r, &s));
	give(r, 2, "");
	assert_true(rules_hold(r, &s, text));
	assert_string_equal(text, "tenant/7: first");
	give(r, 4, "kind suspend\nwhat domain/a.test\nreason fourth\n");
	assert_true(rules_hold(r, &s, text));
	assert_string_equal(text, "domain/a.test: fourth");
}

static void what_is_not_known_makes_no_hold_and_no_release(void **state)
{
	struct subject s = { .knows = SELECTS(SELECT_TENANT), .tenant = 7 };
	OWNED(rules) r = rules_new();

	(void)state;
	give(r, 1, "kind hold\nwhat tenant/7 age>1h\n");
	assert_false(held(r, &s));
	give(r, 2, "kind hold\nwhat tenant/7\n");
	assert_true(held(r, &s));
	give(r, 3, "kind release\nwhat tenant/7 domain/a.test\n"); /* perhaps he is released */
	assert_false(held(r, &s));
}

static void a_hold_of_the_control_plane_is_not_released_by_an_order(void **state)
{
	struct subject s = WHO(.campaign = 7);
	OWNED(rules) r = rules_new();

	(void)state;
	(void)rules_set(r, SLICE("hold/campaign/7"), SLICE("paused"));
	give(r, 2, "kind release\nwhat campaign/7\n");
	assert_true(held(r, &s));
}

static void a_bounce_holds_until_it_acts(void **state)
{
	struct subject s = WHO(.tenant = 7);
	OWNED(rules) r = rules_new();
	char text[RULE_TEXT_MAX];
	bool bounce;

	(void)state;
	give(r, 1, "kind bounce\nwhat tenant/7\ntext no longer wanted\n");
	assert_true(held(r, &s));
	assert_false(rules_end(r, &s, &bounce, text));
	give(r, 1, "kind bounce\nacts\nwhat tenant/7\ntext no longer wanted\n");
	assert_false(held(r, &s));
	assert_true(rules_end(r, &s, &bounce, text));
	assert_true(bounce);
	assert_string_equal(text, "no longer wanted");
	give(r, 2, "kind cancel\nwhat tenant/7\nreason gone\n");
	assert_true(rules_end(r, &s, &bounce, text));
	assert_false(bounce);
	assert_string_equal(text, "tenant/7: gone");
}

static void a_suspended_source_holds_nobody(void **state)
{
	struct subject s = somebody;
	OWNED(rules) r = rules_new();
	char text[RULE_TEXT_MAX];

	(void)state;
	give(r, 1, "kind suspend\nwhat provider/big source/127.0.0.1\nreason blocked\n");
	assert_false(held(r, &s));
	assert_true(rules_source_rests(r, &s, text));
	assert_string_equal(text, "provider/big source/127.0.0.1: blocked");
	s.provider = SLICE("small");
	assert_false(rules_source_rests(r, &s, text));
}

static void caps_end_with_their_orders(void **state)
{
	struct subject s = WHO(.tenant = 7);
	struct rule_cap *caps[RULE_CAPS_MAX];
	OWNED(rules) r = rules_new();
	unsigned before = rules_generation(r);

	(void)state;
	give(r, 1, "kind cap\nwhat tenant/7\nper_day 86400\n");
	give(r, 2, "kind cap\nwhat all\nconnections 3\n");
	assert_int_not_equal(rules_generation(r), before);
	assert_int_equal(rules_caps(r, &s, caps), 2);
	assert_int_equal(caps[0]->connections, 3);
	assert_int_equal(caps[1]->per_day, 86400);
	give(r, 1, "kind cap\nend undone\nwhat tenant/7\nper_day 86400\n");
	assert_int_equal(caps[1]->per_day, 0); /* whoever still has it sees no limit */
	assert_int_equal(rules_caps(r, &s, caps), 1);
}

static void what_is_moved_later_counts_before_what_is_moved_narrowly(void **state)
{
	struct subject s = WHO(.tenant = 7, .domain = { "a.test", 6 });
	OWNED(rules) r = rules_new();
	char pool[64];

	(void)state;
	assert_false(rules_moved(r, &s, pool, sizeof(pool)));
	(void)rules_set(r, SLICE("move/tenant/7"), SLICE("old why"));
	assert_true(rules_moved(r, &s, pool, sizeof(pool)));
	assert_string_equal(pool, "old");
	give(r, 1, "kind move\nwhat tenant/7 domain/a.test\npool narrow\n");
	give(r, 2, "kind move\nwhat tenant/7\npool later\n");
	assert_true(rules_moved(r, &s, pool, sizeof(pool)));
	assert_string_equal(pool, "later");
	give(r, 2, "");
	assert_true(rules_moved(r, &s, pool, sizeof(pool)));
	assert_string_equal(pool, "narrow");
}

static void orders_that_cannot_be_read_are_none(void **state)
{
	static const char *const bad[][2] = {
		{ "order/0", "kind hold\nwhat all\n" },
		{ "order/x", "kind hold\nwhat all\n" },
		{ "order/01", "kind hold\nwhat all\n" },
		{ "order/1", "kind hold\n" },
		{ "order/1", "what all\n" },
		{ "order/1", "kind nosuch\nwhat all\n" },
		{ "order/1", "kind hold\nwhat nosuch\n" },
		{ "order/1", "kind hold\nwhat all\nat_ms x\n" },
	};
	struct order o;

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(bad); i++)
		assert_true(order_read(slice_str(bad[i][0]), slice_str(bad[i][1]), &o) < 0);
	assert_int_equal(
	    order_read(SLICE("order/9"), SLICE("kind hold\nwhat all\nlater new\n"), &o), 0);
	assert_int_equal(o.id, 9);
}

static void a_rule_says_why(void **state)
{
	OWNED(rules) r = rules_new();
	struct subject s = WHO(.campaign = 9);
	char text[RULE_TEXT_MAX];
	bool bounce;

	(void)state;
	(void)rules_set(r, SLICE("cancel/campaign/9"), SLICE("wrong price"));
	(void)rules_set(r, SLICE("cancel/campaign/9"),
			SLICE("wrong prices")); /* the later one counts */
	assert_true(rules_end(r, &s, &bounce, text));
	assert_string_equal(text, "campaign/9: wrong prices");
}

static void a_rule_given_twice_is_gone_when_taken_back_once(void **state)
{
	OWNED(rules) r = rules_new();
	struct subject s = WHO(.campaign = 9);

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
	assert_int_equal(rules_keys(r, RULE_HOLD) | rules_keys(r, RULE_CANCEL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(selectors_are_printed_in_one_way),
		cmocka_unit_test(anything_else_is_no_selector),
		cmocka_unit_test(all_terms_must_hold),
		cmocka_unit_test(of_orders_the_latest_counts_until_it_ends),
		cmocka_unit_test(what_is_not_known_makes_no_hold_and_no_release),
		cmocka_unit_test(a_hold_of_the_control_plane_is_not_released_by_an_order),
		cmocka_unit_test(a_bounce_holds_until_it_acts),
		cmocka_unit_test(a_suspended_source_holds_nobody),
		cmocka_unit_test(caps_end_with_their_orders),
		cmocka_unit_test(what_is_moved_later_counts_before_what_is_moved_narrowly),
		cmocka_unit_test(orders_that_cannot_be_read_are_none),
		cmocka_unit_test(each_kind_of_selector_matches_its_subject_and_no_other),
		cmocka_unit_test(a_rule_says_why),
		cmocka_unit_test(a_rule_given_twice_is_gone_when_taken_back_once),
		cmocka_unit_test(a_life_is_that_of_its_campaign_until_it_is_taken_back),
		cmocka_unit_test(keys_that_are_none_of_ours_change_nothing),
	};

	return cmocka_run_group_tests_name("mta_rules", tests, NULL, NULL);
}
