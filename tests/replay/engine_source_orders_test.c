/* Orders on sources: added, drained, disabled and enabled while mail flows. */
#include <stdarg.h>
#include <stdio.h>

#include <setjmp.h>
#include <cmocka.h>

#include "mta/egress/egress.h"
#include "mta/inspect/why.h"
#include "tests/replay/engine_world.h"

#define A "127.0.0.2"
#define B "127.0.0.3"
#define C "127.0.0.4"
#define TWO CONFIG "egress.sources = default " A " a.test, default " B " b.test\n"
#define ONE CONFIG "egress.sources = default " A " a.test\n"
#define FROM(ip) conn_sim_messages_from(SLICE(ip))
#define OPEN(ip) conn_sim_open_from(SLICE(ip))

static void mail(struct world *w, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		world_submit(w, one_rcpt, 1, DAY, "control", w->next_id);
}

static void a_drained_source_begins_nothing_and_closes_its_connections(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, TWO "site.idle = 1m\n", decent);
	mail(&w, 20);
	world_run(&w, SECOND);
	assert_true(FROM(A) > 0 && FROM(B) > 0 && OPEN(A) > 0);
	unsigned before = FROM(A);
	world_rule(&w, "source-state/" A, "drain 1 by a test");
	world_run(&w, SECOND);
	assert_int_equal(OPEN(A), 0);
	mail(&w, 20);
	world_run(&w, MINUTE);
	assert_int_equal(FROM(A), before);
	assert_int_equal(world_books(&w).delivered, 40);
	world_restart(&w);
	mail(&w, 20);
	world_run(&w, MINUTE);
	assert_int_equal(FROM(A), before);
	world_rule(&w, "source-state/" A, "");
	mail(&w, 20);
	world_run(&w, MINUTE);
	assert_true(FROM(A) > before);
	assert_int_equal(world_books(&w).delivered, 80);
	world_end(&w);
}

static void a_drained_source_ends_the_transaction_that_it_is_in(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, ONE,
		   "say 220 mx.test\nexpect EHLO\nsay 250 mx.test\nexpect MAIL\nsay 250 ok\n"
		   "expect RCPT\ndelay 20000\nsay 250 ok\nserve\n");
	mail(&w, 1);
	world_run(&w, SECOND);
	world_rule(&w, "source-state/" A, "drain 1 by a test");
	world_run(&w, 10 * SECOND);
	assert_int_equal(OPEN(A), 1);
	world_run(&w, 15 * SECOND);
	assert_int_equal(OPEN(A), 0);
	assert_int_equal(world_books(&w).delivered, 1);
	world_end(&w);
}

static void a_disabled_source_gives_up_what_has_not_begun_to_leave(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, TWO,
		   "say 220 mx.test\nexpect EHLO\nsay 250 mx.test\nexpect MAIL\nsay 250 ok\n"
		   "expect RCPT\ndelay 20000\nsay 250 ok\nserve\n");
	mail(&w, 1);
	world_run(&w, SECOND);
	world_host("127.0.1.1", decent);
	world_rule(&w, OPEN(A) ? "source-state/" A : "source-state/" B, "disable 1 by a test");
	world_run(&w, SECOND);
	assert_int_equal(world_books(&w).delivered, 1); /* at once, from the other one */
	assert_int_equal(COUNTER(&w, sessions_failed), 0);
	assert_int_equal(COUNTER(&w, deferred), 0);
	world_end(&w);
}

static void a_disabled_source_waits_for_the_reply_to_a_message_that_has_left(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, ONE,
		   "say 220 mx.test\nexpect EHLO\nsay 250 mx.test\nexpect MAIL\nsay 250 ok\n"
		   "expect RCPT\nsay 250 ok\nexpect DATA\nsay 354 go\nbody\ndelay 20000\n"
		   "say 250 taken\nserve\n");
	mail(&w, 1);
	world_run(&w, SECOND);
	world_rule(&w, "source-state/" A, "disable 1 by a test");
	world_run(&w, 30 * SECOND);
	assert_int_equal(world_books(&w).delivered, 1);
	assert_int_equal(COUNTER(&w, in_doubt), 0);
	world_end(&w);
}

static void an_address_that_is_added_takes_its_share_at_once_and_after_a_restart(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, ONE, decent);
	mail(&w, 10);
	world_run(&w, MINUTE);
	world_rule(&w, "source-add/default/" C, "1 c.test weight=3 by a test");
	mail(&w, 40);
	world_run(&w, MINUTE);
	assert_true(FROM(C) >= 28 && FROM(C) <= 32);
	world_restart(&w);
	unsigned before = FROM(C);
	mail(&w, 40);
	world_run(&w, MINUTE);
	assert_true(FROM(C) >= before + 28);
	world_rule(&w, "source-add/default/" C, "");
	before = FROM(C);
	mail(&w, 10);
	world_run(&w, MINUTE);
	assert_int_equal(FROM(C), before);
	assert_int_equal(world_books(&w).delivered, 100);
	world_end(&w);
}

static void a_pool_whose_sources_are_all_disabled_waits_untried_and_says_why(void **state)
{
	struct world w;
	struct turns t = { 0 };
	struct egress *e;
	unsigned pool;
	char text[200];

	(void)state;
	world_open(&w, TWO, decent);
	world_rule(&w, "source-state/" A, "disable 1 by a test");
	world_rule(&w, "source-state/" B, "drain 1 by a test");
	mail(&w, 5);
	world_run(&w, HOUR);
	assert_int_equal(world_books(&w).queued, 5);
	assert_int_equal(COUNTER(&w, deferred), 0);
	e = egress_of(engine_lane(w.engine, 0));
	pool = egress_pool(e, SLICE(""));
	assert_false(egress_begin_turns(e, pool, pool, &t));
	egress_no_source(e, egress_pool(e, SLICE("")), text, sizeof(text));
	assert_non_null(strstr(text, "drained or disabled"));
	world_rule(&w, "source-state/" B, "");
	world_run(&w, SECOND);
	assert_int_equal(world_books(&w).delivered, 5);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_drained_source_begins_nothing_and_closes_its_connections),
		cmocka_unit_test(a_drained_source_ends_the_transaction_that_it_is_in),
		cmocka_unit_test(a_disabled_source_gives_up_what_has_not_begun_to_leave),
		cmocka_unit_test(a_disabled_source_waits_for_the_reply_to_a_message_that_has_left),
		cmocka_unit_test(
		    an_address_that_is_added_takes_its_share_at_once_and_after_a_restart),
		cmocka_unit_test(a_pool_whose_sources_are_all_disabled_waits_untried_and_says_why),
	};
	return cmocka_run_group_tests_name("engine_source_orders", tests, NULL, NULL);
}
