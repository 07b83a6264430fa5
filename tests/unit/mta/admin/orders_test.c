/* The postmaster's orders to a real engine, over its admin socket: hold, release, cancel, retry. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/mta/admin/ask.h"

static void a_preview_counts_and_changes_nothing(void **state)
{
	struct framed c;
	struct box b;
	struct value v;

	(void)state;
	ask_start(&b, &c);
	assert_int_equal(ask_for(&c, "cancel", "what", "one.example", true, &v), 0);
	assert_int_equal(ask_number(&v, "count"), 2);
	assert_int_equal(ask_for(&c, "rules", NULL, NULL, false, &v), 0);
	assert_int_equal(ask_list(&v, "rules")->count, 1);
	ask_until_queued(&c, 3);
	ask_stop(&b, &c);
}

static void a_cancel_is_answered_when_the_recipients_have_ended(void **state)
{
	struct framed c;
	struct books k;
	struct box b;
	struct value v;

	(void)state;
	ask_start(&b, &c);
	assert_int_equal(ask_for(&c, "cancel", "what", "one.example", false, &v), 0);
	assert_int_equal(ask_number(&v, "count"), 2);
	assert_int_equal(ask_number(&v, "left"), 0);
	spool_books(engine_spool(b.engine), &k);
	assert_int_equal(k.cancelled, 2);
	assert_int_equal(k.queued, 1);
	/* A domain's next mail is not cancelled: the rule is gone. */
	assert_int_equal(ask_for(&c, "rules", NULL, NULL, false, &v), 0);
	assert_int_equal(ask_list(&v, "rules")->count, 1);
	/* A job stays cancelled. */
	assert_int_equal(ask_for(&c, "cancel", "what", "7.2", false, &v), 0);
	assert_int_equal(ask_for(&c, "rules", NULL, NULL, false, &v), 0);
	assert_int_equal(ask_list(&v, "rules")->count, 2);
	ask_stop(&b, &c);
}

static void a_hold_survives_a_restart_until_it_is_released(void **state)
{
	struct framed c;
	struct box b;
	struct value v;

	(void)state;
	ask_start(&b, &c);
	assert_int_equal(ask_for(&c, "hold", "what", "two.example", false, &v), 0);
	assert_int_equal(ask_number(&v, "count"), 1);
	framed_close(&c);
	box_stop(&b);
	box_start_again(&b, NULL);
	framed_open(&c, &b, "admin.sock");
	assert_int_equal(ask_for(&c, "rules", NULL, NULL, false, &v), 0);
	assert_int_equal(ask_list(&v, "rules")->count, 2);
	assert_int_equal(ask_for(&c, "release", "what", "two.example", false, &v), 0);
	assert_int_equal(ask_for(&c, "rules", NULL, NULL, false, &v), 0);
	assert_int_equal(ask_list(&v, "rules")->count, 1);
	assert_int_equal(ask_for(&c, "release", "what", "two.example", false, &v), E_UNKNOWN);
	ask_stop(&b, &c);
}

static void what_can_be_no_domain_is_no_selector(void **state)
{
	static const char *const bad[] = {
		"@@@",          "a@one.example",   "domain/a@one.example",
		"one..example", "domain/-",        "one example",
		"tenant/x",     "job/one.example", ""
	};
	static const char *const commands[] = { "hold", "release", "retry", "cancel", "why" };
	struct framed c;
	struct box b;
	struct value v;

	(void)state;
	ask_start(&b, &c);
	for (unsigned i = 0; i < ARRAY_LEN(bad); i++)
		for (unsigned k = 0; k < ARRAY_LEN(commands); k++) {
			assert_int_equal(ask_for(&c, commands[k], "what", bad[i], false, &v),
					 E_SYNTAX);
			assert_non_null(strstr(ask_text(&v, NULL), "a selector is all"));
		}
	assert_int_equal(ask_rules_in_force(&c), 1);
	ask_stop(&b, &c);
}

static void a_selector_is_one_rule_however_it_is_written(void **state)
{
	struct framed c;
	struct box b;
	struct value v;

	(void)state;
	ask_start(&b, &c);
	assert_int_equal(ask_hold(&c, "Two.EXAMPLE", NULL, &v), 0);
	assert_string_equal(ask_text(&v, "selector"), "domain/two.example");
	assert_int_equal(ask_number(&v, "count"), 1);
	assert_int_equal(ask_hold(&c, "domain/two.example", NULL, &v), 0);
	assert_int_equal(ask_hold(&c, "tenant/003", NULL, &v), 0);
	assert_int_equal(ask_rules_in_force(&c), 2);
	assert_int_equal(ask_for(&c, "release", "what", "TWO.example", false, &v), 0);
	assert_int_equal(ask_rules_in_force(&c), 1);
	ask_stop(&b, &c);
}

static void a_hold_keeps_its_reason_until_it_is_released(void **state)
{
	struct framed c;
	struct box b;
	struct value v;

	(void)state;
	ask_start(&b, &c);
	assert_int_equal(ask_hold(&c, "two.example", "first", &v), 0);
	assert_int_equal(ask_hold(&c, "two.example", "second", &v), E_EXISTS);
	assert_string_equal(ask_text(&v, NULL),
			    "domain/two.example stands already: first; release it "
			    "first to hold it for another reason");
	assert_int_equal(ask_hold(&c, "two.example", NULL, &v), 0);
	assert_int_equal(ask_hold(&c, "two.example", "first", &v), 0);
	assert_int_equal(ask_for(&c, "why", "what", "two.example", false, &v), 0);
	assert_non_null(strstr(ask_text(&ask_list(&v, "reasons")->items[0], "text"), "first"));
	assert_int_equal(ask_for(&c, "release", "what", "two.example", false, &v), 0);
	assert_int_equal(ask_hold(&c, "two.example", "second", &v), 0);
	ask_stop(&b, &c);
}

static void release_counts_those_that_no_rule_holds_any_more(void **state)
{
	struct framed c;
	struct box b;
	struct value v;

	(void)state;
	ask_start(&b, &c);
	assert_int_equal(ask_for(&c, "release", "what", "all", true, &v), E_UNKNOWN);
	assert_non_null(strstr(ask_text(&v, NULL), "these stand: tenant/3"));
	assert_int_equal(ask_hold(&c, "all", NULL, &v), 0);
	assert_int_equal(ask_for(&c, "release", "what", "all", false, &v), 0);
	assert_int_equal(ask_number(&v, "count"), 0);
	assert_int_equal(ask_number(&v, "held"), 3);
	ask_stop(&b, &c);
}

static int refuse_file(struct engine_rereader *r, char *text)
{
	(void)r;
	(void)snprintf(text, OPTION_ERROR_MAX, "mta.conf:3: unknown option \"x\"");
	return E_SYNTAX;
}

static void a_reload_is_answered_with_what_came_of_it(void **state)
{
	struct engine_rereader bad = { refuse_file };
	struct framed c;
	struct box b;
	struct value v;

	(void)state;
	ask_start(&b, &c);
	engine_set_rereader(b.engine, &bad);
	assert_int_equal(ask_for(&c, "reload", NULL, NULL, false, &v), E_SYNTAX);
	assert_string_equal(ask_text(&v, NULL), "mta.conf:3: unknown option \"x\"");
	ask_stop(&b, &c);
}

static void every_order_may_be_previewed_first(void **state)
{
	static const char *const orders[] = { "hold", "retry", "cancel" };
	struct framed c;
	struct box b;
	struct value v;

	(void)state;
	ask_start(&b, &c);
	for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
		assert_int_equal(ask_for(&c, orders[i], "what", "all", true, &v), 0);
		assert_int_equal(ask_number(&v, "count"), 3);
	}
	/* Nothing is held by this selector: also a preview says so. */
	assert_int_equal(ask_for(&c, "release", "what", "all", true, &v), E_UNKNOWN);
	assert_int_equal(ask_for(&c, "rules", NULL, NULL, false, &v), 0);
	assert_int_equal(ask_list(&v, "rules")->count, 1); /* the one that was there */
	ask_until_queued(&c, 3);
	ask_stop(&b, &c);
}

static void a_cancelled_job_may_be_released_for_what_comes_later(void **state)
{
	struct framed c;
	struct box b;
	struct value v;

	(void)state;
	ask_start(&b, &c);
	assert_int_equal(ask_for(&c, "cancel", "what", "campaign/4", false, &v), 0);
	assert_int_equal(ask_number(&v, "count"), 3);
	assert_int_equal(ask_for(&c, "rules", NULL, NULL, false, &v), 0);
	assert_int_equal(ask_list(&v, "rules")->count, 2); /* a campaign stays cancelled */
	assert_int_equal(ask_for(&c, "release", "what", "campaign/4", false, &v), 0);
	assert_int_equal(ask_for(&c, "rules", NULL, NULL, false, &v), 0);
	assert_int_equal(ask_list(&v, "rules")->count, 1);
	assert_int_equal(ask_for(&c, "retry", "what", "all", false, &v), 0);
	assert_int_equal(ask_number(&v, "count"), 0); /* nobody is left */
	ask_stop(&b, &c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_preview_counts_and_changes_nothing),
		cmocka_unit_test(a_cancel_is_answered_when_the_recipients_have_ended),
		cmocka_unit_test(a_hold_survives_a_restart_until_it_is_released),
		cmocka_unit_test(what_can_be_no_domain_is_no_selector),
		cmocka_unit_test(a_selector_is_one_rule_however_it_is_written),
		cmocka_unit_test(a_hold_keeps_its_reason_until_it_is_released),
		cmocka_unit_test(release_counts_those_that_no_rule_holds_any_more),
		cmocka_unit_test(a_reload_is_answered_with_what_came_of_it),
		cmocka_unit_test(every_order_may_be_previewed_first),
		cmocka_unit_test(a_cancelled_job_may_be_released_for_what_comes_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
