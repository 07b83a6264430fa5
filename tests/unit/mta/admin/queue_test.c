/* The postmaster's questions about the queue of a real engine, over its admin socket. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/mta/admin/ask.h"

static void the_queue_is_counted_over_all_lanes(void **state)
{
	struct framed c;
	struct box b;
	struct value v;

	(void)state;
	ask_start(&b, &c);
	assert_int_equal(ask_for(&c, "queue", "by", "domain", false, &v), 0);
	assert_int_equal(ask_list(&v, "rows")->count, 2);
	assert_int_equal(ask_number(&ask_list(&v, "rows")->items[0], "queued"),
			 2); /* largest first */
	assert_int_equal(ask_for(&c, "queue", "by", "campaign", false, &v), 0);
	assert_int_equal(ask_list(&v, "rows")->count, 1); /* both lanes' shares in one row */
	assert_int_equal(ask_number(&ask_list(&v, "rows")->items[0], "queued"), 3);
	assert_int_equal(ask_number(&ask_list(&v, "rows")->items[0], "campaign"), 4);
	assert_int_equal(ask_for(&c, "queue", "by", "colour", false, &v), E_SYNTAX);
	ask_stop(&b, &c);
}

static void show_and_why_tell_of_a_recipient(void **state)
{
	struct framed c;
	struct box b;
	struct value v;

	(void)state;
	ask_start(&b, &c);
	assert_int_equal(ask_for(&c, "show", "what", "7.2", false, &v), 0);
	assert_int_equal(ask_list(&v, "recipients")->count, 3);
	assert_int_equal(ask_number(value_member(&v, SLICE("job")), "rows_live"), 3);
	assert_int_equal(ask_for(&c, "show", "what", "7.2:1", false, &v), 0);
	assert_int_equal(ask_list(&v, "recipients")->count, 1);
	assert_int_equal(ask_for(&c, "show", "what", "campaign/4", false, &v), 0);
	assert_int_equal(ask_list(&v, "recipients")->count, 3);
	assert_int_equal(ask_for(&c, "why", "what", "7.2:0", false, &v), 0);
	const struct value *reason = &ask_list(&v, "reasons")->items[0];
	assert_true(slice_eq(value_member(reason, SLICE("kind"))->s, SLICE("hold")));
	assert_int_equal(ask_for(&c, "show", "what", "9.9", false, &v), E_UNKNOWN);
	assert_int_equal(ask_for(&c, "why", "what", "nosuch.example", false, &v), E_UNKNOWN);
	assert_int_equal(ask_for(&c, "why", "what", "tenant/x", false, &v), E_SYNTAX);
	ask_stop(&b, &c);
}

/* Tenant 3 is held, see feed(). */
static void held_counts_those_that_any_rule_holds_whatever_they_are_counted_by(void **state)
{
	static const char *const by[] = { "domain", "tenant", "campaign" };
	struct framed c;
	struct box b;
	struct value v;

	(void)state;
	ask_start(&b, &c);
	for (unsigned i = 0; i < ARRAY_LEN(by); i++) {
		int64_t held = 0;
		assert_int_equal(ask_for(&c, "queue", "by", by[i], false, &v), 0);
		for (uint32_t k = 0; k < ask_list(&v, "rows")->count; k++)
			held += ask_number(&ask_list(&v, "rows")->items[k], "held");
		assert_int_equal(held, 3);
	}
	assert_int_equal(ask_hold(&c, "7.2:1", "one of them", &v), 0);
	assert_int_equal(ask_for(&c, "release", "what", "tenant/3", false, &v), 0);
	assert_int_equal(ask_number(&v, "count"), 2);
	assert_int_equal(ask_number(&v, "held"), 1);
	assert_int_equal(ask_for(&c, "queue", "by", "tenant", false, &v), 0);
	assert_int_equal(ask_number(&ask_list(&v, "rows")->items[0], "held"), 1);
	assert_int_equal(ask_hold(&c, "one.example", NULL, &v), 0);
	assert_int_equal(ask_for(&c, "queue", "by", "tenant", false, &v), 0);
	assert_int_equal(ask_number(&ask_list(&v, "rows")->items[0], "held"), 2);
	ask_stop(&b, &c);
}

static void show_finds_an_address_and_says_when_nobody_is_there(void **state)
{
	static const char *const nobody[] = { "z@one.example", "a@nosuch.example", "nosuch.example",
					      "tenant/9",      "campaign/9",       "7.2:9" };
	struct framed c;
	struct box b;
	struct value v;

	(void)state;
	ask_start(&b, &c);
	assert_int_equal(ask_for(&c, "show", "what", "B@One.example", false, &v), 0);
	assert_int_equal(ask_list(&v, "recipients")->count, 1);
	assert_string_equal(ask_text(&ask_list(&v, "recipients")->items[0], "address"),
			    "b@one.example");
	for (unsigned i = 0; i < ARRAY_LEN(nobody); i++)
		assert_int_equal(ask_for(&c, "show", "what", nobody[i], false, &v), E_UNKNOWN);
	assert_int_equal(ask_for(&c, "show", "what", "@@@", false, &v), E_SYNTAX);
	ask_stop(&b, &c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_queue_is_counted_over_all_lanes),
		cmocka_unit_test(show_and_why_tell_of_a_recipient),
		cmocka_unit_test(
		    held_counts_those_that_any_rule_holds_whatever_they_are_counted_by),
		cmocka_unit_test(show_finds_an_address_and_says_when_nobody_is_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
