/* Who goes next, and how much a site gets: tenants, campaigns, passwords; rates and limits. */
#include <stdarg.h>
#include <stdio.h>

#include <setjmp.h>
#include <cmocka.h>

#include "mta/queue/fair.h"
#include "tests/replay/engine_world.h"

/* A second for each message, two of them in hand. */
static const char slow[] =
    "say 220 mx.test\nexpect EHLO\nraw 250-mx.test\\r\\n250 PIPELINING\\r\\n\nmark\n"
    "expect MAIL\nsay 250 ok\nexpect RCPT\nsay 250 ok\nexpect DATA\nsay 354 go\nbody\n"
    "delay 1000\nsay 250 ok\nagain\n";

static void a_pool_gets_its_part_of_a_sites_connections_however_busy_the_other_is(void **state)
{
	struct world w;

	(void)state;
	world_open(&w,
		   CONFIG
		   "site.connections = 4\nsite.connections_start = 4\nsite.messages = 100000\n"
		   "egress.sources = default 127.0.0.2 a.test, other 127.0.0.3 b.test\n",
		   "say 220 mx.test\nslow 100 10\nserve\n");
	for (unsigned i = 0; i < 1000; i++)
		world_submit(&w, one_rcpt, 1, DAY, "control", 1);
	w.pool = "other";
	world_submit(&w, one_rcpt, 1, DAY, "control", 2);
	world_run(&w, HOUR);
	assert_int_equal(world_books(&w).delivered, 1001);
	assert_in_range(world_place_of(2), 0, 50);
	world_end(&w);
}

static void a_pool_without_a_source_waits_and_the_others_at_its_site_go_on(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, CONFIG, decent);
	w.pool = "nowhere";
	for (unsigned i = 0; i < 300; i++)
		world_submit(&w, one_rcpt, 1, DAY, "control", 1);
	w.pool = NULL;
	for (unsigned i = 0; i < 10; i++) {
		world_submit(&w, one_rcpt, 1, DAY, "control", 2);
		world_run(&w, SECOND);
	}
	assert_int_equal(world_books(&w).delivered, 10);
	assert_int_equal(COUNTER(&w, site_backoffs), 0);
	assert_in_range(COUNTER(&w, deferred), 1, 300);
	world_run(&w, 2 * DAY);
	assert_int_equal(world_books(&w).delivered, 10);
	assert_int_equal(world_books(&w).expired, 300);
	world_end(&w);
}

static void nobodys_bulk_delays_another_tenant_or_a_password(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, CONFIG "site.connections = 1\nsite.connections_start = 1\n",
		   "say 220 mx.test\nserve\n");
	for (unsigned i = 0; i < 300; i++)
		world_submit(&w, one_rcpt, 1, DAY, "control", 1);
	world_submit(&w, one_rcpt, 1, DAY, "control", 2);
	world_submit_as(&w, CLASS_TRANSACTIONAL, one_rcpt, 1, DAY, "control", 3);
	world_run(&w, HOUR);
	assert_int_equal(world_books(&w).delivered, 302);
	assert_in_range(world_place_of(3), 0, 3);
	assert_in_range(world_place_of(2), 0, 20);
	world_end(&w);
}

static void bulk_is_not_starved_by_passwords(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, CONFIG "site.connections = 1\nsite.connections_start = 1\n",
		   "say 220 mx.test\nserve\n");
	for (unsigned i = 0; i < 300; i++)
		world_submit_as(&w, CLASS_TRANSACTIONAL, one_rcpt, 1, DAY, "control", 1);
	world_submit(&w, one_rcpt, 1, DAY, "control", 2);
	world_run(&w, HOUR);
	assert_in_range(world_place_of(2), 0, 40);
	world_end(&w);
}

/* Milliseconds until a password reset that is queued now is with its host. */
static int64_t reset_takes(struct world *w, unsigned campaign)
{
	int64_t start = clock_mono_ms();

	world_submit_as(w, CLASS_TRANSACTIONAL, one_rcpt, 1, DAY, "control", campaign);
	while (world_place_of(campaign) < 0 && clock_mono_ms() - start < MINUTE)
		world_run(w, 10);
	return clock_mono_ms() - start;
}

static void a_password_reset_waits_for_no_bulk_transaction(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, CONFIG "site.messages = 1000000\n", slow);
	for (unsigned i = 0; i < 100000; i++)
		world_submit(&w, one_rcpt, 1, DAY, "control", 1);
	for (unsigned i = 0; i < 10;
	     i++) { /* while connections are few, and when they are all there */
		assert_in_range(reset_takes(&w, 10 + i), 0, SECOND / 2);
		assert_in_range(conn_sim_live(), 1, 20);
		world_run(&w, (i % 2 ? 7 : 4) * SECOND + 330);
	}
	assert_in_range(COUNTER(&w, sessions_open), 19, 20); /* what is kept ends when it rests */
	world_run(&w, 20 * SECOND);
	assert_int_equal(COUNTER(&w, sessions_open), 19);
	world_end(&w);
}

static void passwords_do_not_pass_what_the_site_bears(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, CONFIG "site.connections = 8\nsite.connections_kept = 5\n", slow);
	for (unsigned i = 0; i < 200; i++)
		world_submit(&w, one_rcpt, 1, DAY, "control", 1);
	world_run(&w, 10 * SECOND);
	assert_int_equal(conn_sim_live(), 6); /* a quarter is kept at most */
	for (unsigned i = 0; i < 100; i++)
		world_submit_as(&w, CLASS_TRANSACTIONAL, one_rcpt, 1, DAY, "control", 2);
	for (unsigned i = 0; i < 100; i++) {
		world_run(&w, 20);
		assert_in_range(conn_sim_live(), 6, 8);
	}
	assert_int_equal(conn_sim_live(), 8);
	world_end(&w);
}

static void a_hundred_campaigns_are_one_tenant(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, CONFIG "site.connections = 1\nsite.messages = 1000000\n", slow);
	for (unsigned i = 0; i < 1000; i++)
		world_submit(&w, one_rcpt, 1, DAY, "control", 100 + i % 100);
	w.tenant = 2;
	world_submit(&w, one_rcpt, 1, DAY, "control", 2);
	w.tenant = 1; /* its passwords are no way around another's, either */
	for (unsigned i = 0; i < 300; i++)
		world_submit_as(&w, CLASS_TRANSACTIONAL, one_rcpt, 1, DAY, "control", 200 + i % 50);
	w.tenant = 3;
	world_submit_as(&w, CLASS_TRANSACTIONAL, one_rcpt, 1, DAY, "control", 3);
	world_run(&w, HOUR);
	assert_int_equal(world_books(&w).delivered, 1302);
	assert_in_range(world_place_of(3), 0, 4);
	assert_in_range(world_place_of(2), 0,
			10 * (FAIR_BURST_BULK + 2)); /* one turn in ten is bulk's */
	world_end(&w);
}

/* Of the first n messages, how many have the campaign as their Subject. */
static unsigned among_first(unsigned n, unsigned campaign)
{
	char subject[32];
	int length = snprintf(subject, sizeof(subject), "Subject: %u\r\n", campaign);
	unsigned found = 0;

	for (unsigned i = 0; i < n && i < conn_sim_messages(); i++)
		if (memmem(conn_sim_message(i).p, conn_sim_message(i).n, subject, (size_t)length))
			found++;
	return found;
}

static void a_tenant_has_its_weight_and_passwords_their_share(void **state)
{
	struct world w;

	(void)state;
	world_open(&w,
		   CONFIG "site.connections = 1\nsite.messages = 1000000\n"
			  "tenant.weight = 2 3\ntransactional.share = 60\n",
		   slow);
	for (w.tenant = 1; w.tenant <= 2; w.tenant++)
		for (unsigned i = 0; i < 400; i++)
			world_submit(&w, one_rcpt, 1, DAY, "control", w.tenant);
	for (unsigned i = 0; i < 700; i++)
		world_submit_as(&w, CLASS_TRANSACTIONAL, one_rcpt, 1, DAY, "control", 3);
	world_run(&w, HOUR);
	assert_in_range(among_first(800, 3), 475, 485);
	assert_in_range(among_first(800, 1), 70, 90);
	assert_in_range(among_first(800, 2), 230, 250);
	world_end(&w);
}

static void an_order_changes_weight_and_share_of_what_waits(void **state)
{
	unsigned before;
	struct world w;

	(void)state;
	world_open(&w, CONFIG "site.connections = 1\nsite.messages = 1000000\n", slow);
	for (w.tenant = 1; w.tenant <= 2; w.tenant++)
		for (unsigned i = 0; i < 400; i++)
			world_submit(&w, one_rcpt, 1, DAY, "control", w.tenant);
	for (unsigned i = 0; i < 500; i++)
		world_submit_as(&w, CLASS_TRANSACTIONAL, one_rcpt, 1, DAY, "control", 3);
	world_run(&w, 100 * SECOND);
	before = among_first(1000, 3);
	assert_in_range(before, 85, 95);
	assert_in_range(among_first(1000, 1), 0, 10);
	world_rule(&w, "shape/site mx1.test/transactional.share", "20\nann");
	world_rule(&w, "limit/tenant/2", "weight=3\nann\n\n");
	world_run(&w, 400 * SECOND);
	assert_in_range(among_first(1000, 3) - before, 75, 90);
	assert_in_range(among_first(1000, 1), 70, 100);
	assert_in_range(among_first(1000, 2), 220, 255);
	world_end(&w);
}

static void a_rate_limit_spreads_messages_over_time(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, CONFIG "site.rate = 2\n", decent);
	for (unsigned i = 0; i < 100; i++)
		world_submit(&w, one_rcpt, 1, DAY, "control", 1);
	world_run(&w, 10 * SECOND);
	assert_in_range(world_books(&w).delivered, 15, 25);
	world_run(&w, 60 * SECOND);
	assert_int_equal(world_books(&w).delivered, 100);
	world_end(&w);
}

static void connections_never_pass_the_sites_limit(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, CONFIG "site.connections = 3\n", "say 220 mx.test\nserve\n");
	for (unsigned i = 0; i < 200; i++)
		world_submit(&w, one_rcpt, 1, DAY, "control", 1);
	for (unsigned i = 0; i < 100; i++) {
		world_run(&w, 1);
		assert_in_range(conn_sim_live(), 0, 3);
	}
	world_run(&w, MINUTE);
	assert_int_equal(world_books(&w).delivered, 200);
	world_end(&w);
}

static void a_greeting_of_421_pauses_the_site(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, CONFIG, "say 421 4.3.2 too busy\nclose\n");
	for (unsigned i = 0; i < 500; i++)
		world_submit(&w, one_rcpt, 1, DAY, "control", 1);
	world_run(&w, 30 * SECOND);
	assert_int_equal(world_books(&w).queued, 500);
	assert_in_range(conn_sim_opened(), 1, 4);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_pool_gets_its_part_of_a_sites_connections_however_busy_the_other_is),
		cmocka_unit_test(a_pool_without_a_source_waits_and_the_others_at_its_site_go_on),
		cmocka_unit_test(nobodys_bulk_delays_another_tenant_or_a_password),
		cmocka_unit_test(bulk_is_not_starved_by_passwords),
		cmocka_unit_test(a_password_reset_waits_for_no_bulk_transaction),
		cmocka_unit_test(passwords_do_not_pass_what_the_site_bears),
		cmocka_unit_test(a_hundred_campaigns_are_one_tenant),
		cmocka_unit_test(a_tenant_has_its_weight_and_passwords_their_share),
		cmocka_unit_test(an_order_changes_weight_and_share_of_what_waits),
		cmocka_unit_test(a_rate_limit_spreads_messages_over_time),
		cmocka_unit_test(connections_never_pass_the_sites_limit),
		cmocka_unit_test(a_greeting_of_421_pauses_the_site),
	};

	return cmocka_run_group_tests_name("engine_sharing", tests, NULL, NULL);
}
