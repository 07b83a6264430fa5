/* The postmaster's orders to a real engine, over its admin socket: hold, release, cancel, retry. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
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
		"@@@",          "tenant/1 tenant/2", "domain/a@one.example",
		"one..example", "domain/-",          "one example",
		"tenant/x",     "job/one.example",   ""
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
	assert_string_equal(ask_text(&v, "selector"), "tenant/3");
	assert_int_equal(ask_rules_in_force(&c), 4);
	assert_int_equal(ask_for(&c, "release", "what", "TWO.example", false, &v), 0);
	assert_int_equal(ask_rules_in_force(&c), 2); /* both, and not the tenant's */
	ask_stop(&b, &c);
}

/* The text of the first reason. */
static const char *why_of(struct framed *c, const char *what)
{
	struct value v;

	assert_int_equal(ask_for(c, "why", "what", what, false, &v), 0);
	return ask_text(&ask_list(&v, "reasons")->items[0], "text");
}

static int undo(struct framed *c, int64_t order, struct value *v)
{
	struct tree *t = tree_new();

	branch_int(tree_map(t), "order", order);
	return ask_with(c, "order-undo", t, false, v);
}

static void a_hold_that_another_overlaps_keeps_its_reason(void **state)
{
	struct framed c;
	struct box b;
	struct value v;
	int64_t second;

	(void)state;
	ask_start(&b, &c);
	assert_int_equal(ask_for(&c, "release", "what", "tenant/3", false, &v), 0);
	assert_int_equal(ask_hold(&c, "two.example", "first", &v), 0);
	assert_int_equal(ask_hold(&c, "tenant/3", "second", &v), 0);
	second = ask_number(&v, "order");
	assert_non_null(strstr(why_of(&c, "7.2:2"), "second"));
	assert_int_equal(undo(&c, second, &v), 0);
	assert_non_null(strstr(why_of(&c, "7.2:2"), "first"));
	assert_int_equal(undo(&c, second, &v), E_CONFLICT);
	assert_int_equal(undo(&c, 99, &v), E_UNKNOWN);
	assert_int_equal(ask_for(&c, "release", "what", "two.example", false, &v), 0);
	ask_stop(&b, &c);
}

static void a_part_of_a_hold_may_be_released(void **state)
{
	struct framed c;
	struct box b;
	struct value v;

	(void)state;
	ask_start(&b, &c);
	assert_int_equal(ask_for(&c, "release", "what", "tenant/3", false, &v), 0);
	assert_int_equal(ask_hold(&c, "all", "stop", &v), 0);
	assert_int_equal(ask_for(&c, "release", "what", "tenant/3 two.example", true, &v), 0);
	assert_int_equal(ask_number(&v, "count"), 1);
	assert_int_equal(ask_list(&v, "sample")->count, 1);
	assert_int_equal(ask_for(&c, "release", "what", "tenant/3 two.example", false, &v), 0);
	assert_int_equal(ask_number(&v, "count"), 1);
	assert_int_equal(ask_for(&c, "find", "what", "all", false, &v), 0);
	assert_int_equal(ask_number(&v, "held"), 2);
	assert_int_equal(ask_for(&c, "release", "what", "all", false, &v), 0);
	assert_int_equal(ask_number(&v, "count"), 3);
	ask_stop(&b, &c);
}

static void an_order_has_its_author_its_reason_and_its_end(void **state)
{
	struct framed c;
	struct box b;
	struct value v;
	struct tree *t = tree_new();
	const struct value *row;

	(void)state;
	branch_str(tree_map(t), "what", "campaign/4 attempts<9 age>1h");
	branch_str(tree_map(t), "reason", "a test");
	branch_str(tree_map(t), "author", "anna");
	branch_str(tree_map(t), "until", "2h");
	ask_start(&b, &c);
	assert_int_equal(ask_with(&c, "suspend", t, false, &v), 0);
	assert_int_equal(ask_number(&v, "count"), 3);
	assert_int_equal(ask_for(&c, "orders", NULL, NULL, false, &v), 0);
	row = &ask_list(&v, "orders")->items[0];
	assert_string_equal(ask_text(row, "selector"), "campaign/4 age>1h attempts<9");
	assert_string_equal(ask_text(row, "reason"), "a test");
	assert_string_equal(ask_text(row, "state"), "stands");
	assert_non_null(strstr(ask_text(row, "author"), "anna (uid "));
	assert_true(ask_number(row, "until_ms") > ask_number(row, "at_ms"));
	assert_int_equal(undo(&c, ask_number(row, "order"), &v), 0);
	assert_int_equal(ask_for(&c, "orders", NULL, NULL, false, &v), 0);
	assert_string_equal(ask_text(&ask_list(&v, "orders")->items[0], "state"), "undone");
	ask_stop(&b, &c);
}

static int suspend_source(struct framed *c, const char *source, const char *where, bool preview,
			  struct value *v)
{
	struct tree *t = tree_new();

	branch_str(tree_map(t), "source", source);
	branch_str(tree_map(t), "what", where);
	return ask_with(c, "suspend-source", t, preview, v);
}

static void a_source_is_suspended_only_when_that_is_meant(void **state UNUSED)
{
	struct framed c;
	struct box b;
	struct value v;

	ask_start(&b, &c);
	assert_int_equal(suspend_source(&c, "*", "gmail", true, &v), 0);
	assert_int_equal(ask_number(&v, "count"), 0);
	assert_string_equal(ask_text(value_member(&v, SLICE("selector")), NULL), "provider/gmail");
	assert_int_equal(suspend_source(&c, "*", "gmial", false, &v), E_UNKNOWN);
	assert_int_equal(suspend_source(&c, "192.0.2.77", "gmail", false, &v), E_UNKNOWN);
	assert_int_equal(suspend_source(&c, "nobody", "gmail", false, &v), E_SYNTAX);
	assert_int_equal(ask_rules_in_force(&c), 1);
	assert_int_equal(suspend_source(&c, "*", "gmail", false, &v), 0);
	assert_int_equal(suspend_source(&c, "*", "mx.example.com", false, &v), 0);
	assert_int_equal(ask_rules_in_force(&c), 3);
	assert_int_equal(ask_for(&c, "rules", NULL, NULL, false, &v), 0);
	for (unsigned i = 1; i < 3; i++) {
		const struct value *row = &ask_list(&v, "rules")->items[i];
		assert_true(ask_number(row, "until_ms") > clock_wall_ms());
		assert_string_equal(ask_text(row, "reason"), "by an operator");
	}
	ask_stop(&b, &c);
}

static int retry_until(struct framed *c, struct value *v)
{
	struct tree *t = tree_new();

	branch_str(tree_map(t), "what", "all");
	branch_str(tree_map(t), "until", "2h");
	return ask_with(c, "retry", t, false, v);
}

static void what_an_order_cannot_do_is_refused(void **state)
{
	static const char *const bad[][2] = {
		{ "hold", "reply/later" },
		{ "cap", "tenant/3" },
		{ "suspend", "source/127.0.0.1 tenant/3" },
		{ "cap", "age>1h" },
	};
	struct framed c;
	struct box b;
	struct value v;

	(void)state;
	ask_start(&b, &c);
	for (unsigned i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(ask_for(&c, bad[i][0], "what", bad[i][1], false, &v), E_SYNTAX);
	assert_int_equal(ask_for(&c, "hold", "until", "yesterday", false, &v), E_SYNTAX);
	assert_int_equal(retry_until(&c, &v), E_SYNTAX);
	assert_int_equal(ask_rules_in_force(&c), 1);
	ask_stop(&b, &c);
}

static void a_bounce_can_be_undone_until_it_acts(void **state)
{
	struct framed c;
	struct books k;
	struct box b;
	struct value v;
	struct tree *t = tree_new();

	(void)state;
	ask_start(&b, &c);
	assert_int_equal(ask_for(&c, "bounce", "what", "one.example", false, &v), 0);
	assert_int_equal(ask_number(&v, "count"), 2);
	assert_int_equal(undo(&c, ask_number(&v, "order"), &v), 0);
	branch_str(tree_map(t), "what", "two.example");
	branch_str(tree_map(t), "text", "this list is closed");
	branch_str(tree_map(t), "grace", "0s");
	assert_int_equal(ask_with(&c, "bounce", t, false, &v), 0);
	for (int i = 0; i < 500; i++) {
		assert_int_equal(ask_for(&c, "orders", NULL, NULL, false, &v), 0);
		if (strcmp(ask_text(&ask_list(&v, "orders")->items[0], "state"), "done") == 0)
			break;
		usleep(10000);
	}
	spool_books(engine_spool(b.engine), &k);
	assert_int_equal(k.bounced, 1);
	assert_int_equal(k.queued, 2);
	assert_int_equal(undo(&c, 2, &v), E_CONFLICT);
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
		cmocka_unit_test(a_hold_that_another_overlaps_keeps_its_reason),
		cmocka_unit_test(a_part_of_a_hold_may_be_released),
		cmocka_unit_test(an_order_has_its_author_its_reason_and_its_end),
		cmocka_unit_test(a_source_is_suspended_only_when_that_is_meant),
		cmocka_unit_test(what_an_order_cannot_do_is_refused),
		cmocka_unit_test(a_bounce_can_be_undone_until_it_acts),
		cmocka_unit_test(release_counts_those_that_no_rule_holds_any_more),
		cmocka_unit_test(a_reload_is_answered_with_what_came_of_it),
		cmocka_unit_test(every_order_may_be_previewed_first),
		cmocka_unit_test(a_cancelled_job_may_be_released_for_what_comes_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
