/* Sources that a provider refuses: suspended there and nowhere else, tried with one message, kept
 * over a restart; nobody is bounced for it, and the site is not blamed. */
#include <stdarg.h>
#include <stdio.h>

#include <setjmp.h>
#include <cmocka.h>

#include "tests/replay/engine_world.h"

#define TWO "egress.sources = default 127.0.0.2 a.test, default 127.0.0.3 b.test\n"

/* Refuses every message for our address. */
static const char blocks[] =
    "say 220 mx.test\nreply MAIL 550 5.7.1 Service unavailable, client [127.0.0.2] blocked using "
    "Spamhaus\nserve\n";
static const char bars[] =
    "say 554 5.7.1 your IP address is blocked, see https://block.test\nclose\n";

static void submit(struct world *w, unsigned n, const char *rcpt)
{
	for (unsigned i = 0; i < n; i++)
		world_submit(w, &rcpt, 1, DAY, "control", 1);
}

static void a_wall_is_noticed_within_seconds_and_nobody_is_bounced(void **state)
{
	struct world w;

	(void)state;
	world_start(&w, CONFIG);
	world_names();
	world_domain("three.test", "10 mx2.test");
	world_host("127.0.1.1", blocks);
	world_host("127.0.1.2", decent);
	submit(&w, 2000, "u@one.test");
	submit(&w, 100, "u@three.test"); /* another site: it goes on */
	world_run(&w, 5 * SECOND);
	assert_int_equal(COUNTER(&w, source_suspensions), 1);
	assert_int_equal(world_books(&w).delivered, 100);
	assert_int_equal(world_books(&w).queued, 2000);
	assert_in_range(COUNTER(&w, deferred), 3, 60);
	assert_int_equal(COUNTER(&w, site_backoffs), 0);
	world_run(&w, HOUR);
	assert_int_equal(world_books(&w).bounced, 0);
	assert_in_range(COUNTER(&w, deferred), 3, 80); /* it waits, it does not try */
	world_end(&w);
}

static void one_message_shows_that_it_is_over_before_the_rest_follow(void **state)
{
	struct world w;
	unsigned before;

	(void)state;
	world_start(&w, CONFIG "site.connections_start = 10\n");
	world_names();
	world_host("127.0.1.1", blocks);
	submit(&w, 500, "u@one.test");
	world_run(&w, 2 * HOUR - MINUTE);
	before = (unsigned)COUNTER(&w, deferred);
	world_run(&w, 2 * MINUTE); /* one try, refused: twice as long */
	assert_int_equal(COUNTER(&w, deferred), before + 1);
	assert_int_equal(COUNTER(&w, source_suspensions), 2);
	world_host("127.0.1.1", decent);
	world_run(&w, 4 * HOUR + MINUTE);
	assert_int_equal(world_books(&w).delivered, 500);
	world_end(&w);
}

static void other_sources_of_the_pool_take_over(void **state)
{
	struct world w;

	(void)state;
	world_start(&w, CONFIG TWO);
	world_names();
	world_host("127.0.1.1", decent);
	world_rule(&w, "suspend/127.0.0.2/mx1.test", "99999999999999 1 by hand");
	submit(&w, 300, "u@one.test");
	world_run(&w, MINUTE);
	assert_int_equal(world_books(&w).delivered, 300);
	assert_int_equal(COUNTER(&w, deferred), 0);
	world_end(&w);
}

/* A source that could never reach the site does not stand in for those that are suspended. */
static void a_source_of_another_family_is_no_reason_to_try(void **state UNUSED)
{
	struct world w;

	world_start(&w, CONFIG "egress.sources = default 127.0.0.2 a.test, default ::2 b.test\n");
	world_names();
	world_host("127.0.1.1", decent);
	world_rule(&w, "suspend/127.0.0.2/mx1.test", "99999999999999 1 by hand");
	submit(&w, 3, "u@one.test");
	world_run(&w, 10 * MINUTE);
	assert_int_equal(COUNTER(&w, deferred), 0);
	world_rule(&w, "suspend/127.0.0.2/mx1.test", "");
	world_run(&w, MINUTE);
	assert_int_equal(world_books(&w).delivered, 3);
	world_end(&w);
}

static void a_suspension_outlives_a_restart_and_ends_by_an_order(void **state)
{
	struct world w;

	(void)state;
	world_start(&w, CONFIG);
	world_names();
	world_host("127.0.1.1", bars);
	submit(&w, 100, "u@one.test");
	world_run(&w, SECOND);
	assert_int_equal(COUNTER(&w, source_suspensions), 1); /* a greeting is certain */
	world_restart(&w);
	world_host("127.0.1.1", decent);
	world_run(&w, 30 * MINUTE);
	assert_int_equal(world_books(&w).delivered, 0);
	world_rule(&w, "suspend/*/mx1.test", "");
	world_run(&w, 10 * SECOND);
	assert_int_equal(world_books(&w).delivered, 100);
	world_end(&w);
}

static void a_few_among_many_deliveries_change_nothing(void **state)
{
	struct world w;

	(void)state;
	world_start(&w, CONFIG "site.connections = 1\n");
	world_names();
	world_host("127.0.1.1",
		   "say 220 mx.test\nexpect EHLO\nraw 250 mx.test\\r\\n\nmark\n"
		   "expect MAIL\nsay 250 ok\nexpect RCPT\nsay 250 ok\nexpect DATA\nsay 354 go\n"
		   "body\nsay 250 ok\n"
		   "expect MAIL\nsay 550 5.7.1 your IP is blocked using bl.test\n"
		   "expect RSET\nsay 250 ok\nagain\n");
	submit(&w, 200, "u@one.test");
	world_run(&w, HOUR); /* half of them are refused, so it slows down */
	assert_int_equal(COUNTER(&w, source_suspensions), 0);
	assert_in_range(world_books(&w).delivered, 90, 200);
	world_end(&w);
}

static void what_is_moved_leaves_from_the_other_pool_and_comes_back(void **state)
{
	struct world w;

	(void)state;
	world_start(&w,
		    CONFIG "egress.sources = default 127.0.0.2 a.test, spare 127.0.0.3 b.test\n");
	world_names();
	world_host("127.0.1.1", decent);
	world_rule(&w, "suspend/127.0.0.2/mx1.test", "99999999999999 1 by hand");
	submit(&w, 300, "u@one.test");
	w.tenant = 2;
	submit(&w, 100, "u@one.test");
	world_run(&w, MINUTE);
	assert_int_equal(world_books(&w).delivered, 0);
	world_rule(&w, "move/tenant/1", "spare it is stuck");
	world_run(&w, MINUTE);
	assert_int_equal(world_books(&w).delivered, 300); /* what waited, and nobody else's */
	world_restart(&w);
	w.tenant = 1;
	submit(&w, 50, "u@one.test");
	world_run(&w, MINUTE);
	assert_int_equal(world_books(&w).delivered, 350);
	world_rule(&w, "move/tenant/1", "");
	submit(&w, 50, "u@one.test");
	world_run(&w, MINUTE);
	assert_int_equal(world_books(&w).delivered, 350);
	world_rule(&w, "move/all", "spare");
	world_run(&w, MINUTE);
	assert_int_equal(world_books(&w).delivered, 500);
	world_end(&w);
}

static void a_held_campaign_can_be_moved(void **state)
{
	struct world w;

	(void)state;
	world_start(&w,
		    CONFIG "egress.sources = default 127.0.0.2 a.test, spare 127.0.0.3 b.test\n");
	world_names();
	world_host("127.0.1.1", decent);
	world_rule(&w, "suspend/127.0.0.2/mx1.test", "99999999999999 1 by hand");
	submit(&w, 100, "u@one.test");
	world_run(&w, SECOND);
	world_rule(&w, "hold/campaign/1", "a look");
	world_rule(&w, "move/campaign/1", "spare");
	world_run(&w, MINUTE);
	assert_int_equal(world_books(&w).delivered, 0);
	world_rule(&w, "hold/campaign/1", "");
	world_run(&w, MINUTE);
	assert_int_equal(world_books(&w).delivered, 100);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_wall_is_noticed_within_seconds_and_nobody_is_bounced),
		cmocka_unit_test(one_message_shows_that_it_is_over_before_the_rest_follow),
		cmocka_unit_test(other_sources_of_the_pool_take_over),
		cmocka_unit_test(a_source_of_another_family_is_no_reason_to_try),
		cmocka_unit_test(a_suspension_outlives_a_restart_and_ends_by_an_order),
		cmocka_unit_test(a_few_among_many_deliveries_change_nothing),
		cmocka_unit_test(what_is_moved_leaves_from_the_other_pool_and_comes_back),
		cmocka_unit_test(a_held_campaign_can_be_moved),
	};

	return cmocka_run_group_tests_name("engine_suspend", tests, NULL, NULL);
}
