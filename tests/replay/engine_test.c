/* Days of an engine's life: retries, restarts, dead hosts, expiry, reports. */
#include <stdarg.h>
#include <stdio.h>

#include <setjmp.h>
#include <cmocka.h>

#include "base/clock.h"
#include "tests/replay/engine_world.h"

static void a_message_is_delivered_and_leaves_the_queue(void **state)
{
	struct world w;
	struct books b;

	(void)state;
	world_open(&w, CONFIG, decent);
	world_submit(&w, one_rcpt, 1, DAY, "smtp", 0);
	world_run(&w, 5 * SECOND);
	b = world_books(&w);
	assert_int_equal(b.delivered, 1);
	assert_int_equal(b.queued, 0);
	assert_int_equal(conn_sim_messages(), 1);
	world_end(&w);
}

static void the_next_mx_takes_over_from_a_dead_one(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, CONFIG, refuses);
	world_host("127.0.1.2", decent);
	world_submit(&w, two_rcpt, 1, DAY, "smtp", 0);
	world_run(&w, 5 * SECOND);
	assert_int_equal(world_books(&w).delivered, 1);
	assert_int_equal(world_books(&w).deferred_attempts, 0);
	world_end(&w);
}

static void a_dead_site_is_paused_and_found_again(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, CONFIG, refuses);
	world_submit(&w, one_rcpt, 1, DAY, "smtp", 0);
	world_run(&w, 5 * MINUTE);
	assert_int_equal(world_books(&w).queued, 1);
	assert_int_equal(world_books(&w).deferred_attempts, 1);
	assert_in_range(conn_sim_opened(), 1,
			2); /* it gets no connection while the recipient waits */
	world_host("127.0.1.1", decent);
	world_run(&w, 6 * MINUTE);
	assert_int_equal(world_books(&w).delivered, 1);
	world_end(&w);
}

static void the_retry_schedule_survives_a_restart(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, CONFIG, full);
	world_submit(&w, one_rcpt, 1, 10 * DAY, "smtp", 0);
	world_run(&w, 11 * MINUTE); /* at 0 and at 10 min: the next is an hour later */
	assert_int_equal(world_books(&w).deferred_attempts, 2);
	world_restart(&w);
	world_run(&w, 50 * MINUTE);
	assert_int_equal(world_books(&w).deferred_attempts, 2);
	world_run(&w, 15 * MINUTE);
	assert_int_equal(world_books(&w).deferred_attempts, 3);
	world_end(&w);
}

static void mail_that_finds_no_taker_expires_after_its_life(void **state)
{
	struct world w;
	struct books b;

	(void)state;
	world_open(&w, CONFIG, full);
	world_submit(&w, one_rcpt, 1, 5 * DAY, "control", 0);
	world_run(&w, 5 * DAY - HOUR);
	b = world_books(&w);
	assert_int_equal(b.queued, 1);
	assert_in_range(b.deferred_attempts, 118, 122); /* once an hour */
	world_run(&w, 2 * HOUR);
	b = world_books(&w);
	assert_int_equal(b.expired, 1);
	assert_int_equal(b.queued, 0);
	world_end(&w);
}

static void mail_for_a_dead_site_expires_too(void **state)
{
	static const char *many[300];
	static char text[300][24];
	struct world w;

	(void)state;
	world_open(&w, CONFIG, refuses);
	for (unsigned i = 0; i < 300; i++) {
		(void)snprintf(text[i], sizeof(text[i]), "u%u@one.test", i);
		many[i] = text[i];
	}
	world_submit(&w, many, 300, DAY, "control", 0);
	world_run(&w, DAY + HOUR);
	assert_int_equal(world_books(&w).expired, 300);
	world_end(&w);
}

static void tries_end_with_the_life_of_a_message(void **state)
{
	/* Refused at the greeting, and nobody there: both make pauses that record tries. */
	static const char *const hosts[] = { refuses, "say 554 no\nclose\n",
					     "say 220 mx.test\nreply RCPT 451 later\nserve\n" };

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(hosts); i++) {
		struct world w;
		uint64_t tries;

		world_open(&w,
			   "hostname = out.test\nlanes = 1\nroute.allow = 127.0.0.0/8\n"
			   "retry.schedule = 1s\nretry.jitter = 0\nhost.bad = 10ms\n"
			   "site.backoff_min = 1s\nsite.backoff_max = 1s\n",
			   hosts[i]);
		world_submit(&w, one_rcpt, 1, 32 * SECOND, "control", 0);
		world_run(&w, 31 * SECOND);
		tries = world_books(&w).deferred_attempts;
		assert_in_range(tries, 10, 32);
		world_run(&w, 30 * SECOND);
		assert_in_range(world_books(&w).deferred_attempts, tries, tries + 1);
		assert_int_equal(world_books(&w).expired, 1);
		world_end(&w);
	}
}

static void a_report_of_expiry_has_the_last_reply(void **state)
{
	static const struct {
		const char *host, *text;
	} cases[] = {
		{ full, "the last try at mx1.test: 452 4.2.2 mailbox full" },
		{ refuses, "the last try at mx1.test: 4.4.1 127.0.1.1: " },
	};
	static const char *const both[] = { "u@one.test", "v@one.test" };

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		struct world w;
		unsigned reports = 0;

		world_start(&w, CONFIG);
		world_names();
		world_domain("sender.test", "10 mx2.test");
		world_host("127.0.1.1", cases[i].host);
		world_host("127.0.1.2", decent);
		world_submit(&w, both, 2, DAY, "smtp", 0);
		world_run(&w, 2 * DAY);
		assert_int_equal(world_books(&w).expired, 2);
		for (unsigned k = 0; k < conn_sim_messages(); k++) {
			struct slice report = conn_sim_message(k);

			/* A dot alone, where every recipient was refused. */
			if (!report.p || !report.n)
				continue;
			reports++;
			assert_non_null(memmem(report.p, report.n, "Status: 5.4.7", 13));
			assert_non_null(
			    memmem(report.p, report.n, cases[i].text, strlen(cases[i].text)));
		}
		assert_int_equal(reports, 2);
		world_end(&w);
	}
}

/* ---- a wall clock that jumps ------------------------------------------------------------- */

static void a_clock_that_jumps_expires_and_delays_nothing(void **state)
{
	static const int64_t jumps[] = { 10 * HOUR, 40 * DAY, -24 * HOUR, -40 * DAY };

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(jumps); i++) {
		struct world w;
		uint64_t tries;

		world_open(&w, CONFIG, full);
		world_submit(&w, one_rcpt, 1, 8 * HOUR, "control", 0);
		world_run(&w, 11 * MINUTE);
		tries = world_books(&w).deferred_attempts;
		assert_int_equal(tries, 2);
		clock_sim_jump_ms(jumps[i]);
		world_run(&w, 3 * HOUR);
		assert_int_equal(world_books(&w).deferred_attempts, tries + 3);
		world_submit(&w, one_rcpt, 1, 8 * HOUR, "control", 1); /* after the jump */
		world_run(&w, 4 * HOUR + 40 * MINUTE);
		assert_int_equal(world_books(&w).expired, 0);
		world_run(&w, 20 * MINUTE);
		assert_int_equal(world_books(&w).expired, 1);
		world_run(&w, 2 * HOUR + 50 * MINUTE);
		assert_int_equal(world_books(&w).expired, 1);
		world_run(&w, 20 * MINUTE);
		assert_int_equal(world_books(&w).expired, 2);
		world_end(&w);
	}
}

static void a_restart_after_a_jump_keeps_the_schedule(void **state)
{
	static const int64_t jumps[] = { 10 * HOUR, -24 * HOUR };

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(jumps); i++) {
		struct world w;

		world_open(&w, CONFIG, full);
		world_submit(&w, one_rcpt, 1, 10 * DAY, "control", 0);
		world_run(&w, MINUTE);
		clock_sim_jump_ms(jumps[i]);
		world_run(&w, 10 * MINUTE); /* the second try: the next is an hour later */
		assert_int_equal(world_books(&w).deferred_attempts, 2);
		world_restart(&w);
		world_run(&w, 55 * MINUTE);
		assert_int_equal(world_books(&w).deferred_attempts, 2);
		world_run(&w, 10 * MINUTE);
		assert_int_equal(world_books(&w).deferred_attempts, 3);
		world_end(&w);
	}
}

static void a_failure_of_submitted_mail_is_told_to_its_sender_once(void **state)
{
	struct world w;
	struct books b;

	(void)state;
	world_start(&w, CONFIG);
	world_names();
	world_domain("sender.test", "10 mx2.test");
	world_host("127.0.1.1", "say 220 mx.test\nreply RCPT 550 5.1.1 no such user\nreply DATA "
				"503 no recipients\nserve\n");
	world_host("127.0.1.2", decent);
	world_submit(&w, one_rcpt, 1, DAY, "smtp", 0);
	world_run(&w, MINUTE);
	b = world_books(&w);
	assert_int_equal(b.bounced, 1);
	assert_int_equal(b.delivered, 1);
	assert_int_equal(conn_sim_messages(), 1);
	struct slice report = conn_sim_message(0);
	assert_non_null(memmem(report.p, report.n, "Status: 5.1.1", 13));
	assert_non_null(memmem(report.p, report.n, "Final-Recipient: rfc822; u@one.test", 35));
	world_run(&w, DAY);
	assert_int_equal(conn_sim_messages(), 1);
	world_end(&w);
}

static void a_report_that_fails_makes_no_further_report(void **state)
{
	struct world w;
	struct books b;

	(void)state;
	world_open(&w, CONFIG,
		   "say 220 mx.test\nreply RCPT 550 5.1.1 no such user\nreply DATA "
		   "503 no recipients\nserve\n");
	world_submit(&w, one_rcpt, 1, DAY, "smtp", 0); /* sender.test does not exist */
	world_run(&w, DAY);
	b = world_books(&w);
	assert_int_equal(b.accepted, 2);
	assert_int_equal(b.bounced, 2);
	world_end(&w);
}

static void an_idle_connection_the_peer_ends_costs_no_try(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, CONFIG,
		   "say 220 mx.test\nserve 1\nclose\n"); /* one message a connection, then gone */
	for (unsigned i = 0; i < 20; i++)
		world_submit(&w, one_rcpt, 1, DAY, "control", 0);
	world_run(&w, 5 * MINUTE);
	assert_int_equal(world_books(&w).delivered, 20);
	assert_int_equal(world_books(&w).deferred_attempts, 0);
	world_end(&w);
}

static void a_lost_answer_after_the_dot_is_tried_again_later(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, CONFIG,
		   "say 220 mx.test\nexpect EHLO\nsay 250 mx.test\nexpect MAIL\nsay 250 ok\n"
		   "expect RCPT\nsay 250 ok\nexpect DATA\nsay 354 go\nbody\nclose\n");
	world_submit(&w, one_rcpt, 1, DAY, "control", 0);
	world_run(&w, MINUTE);
	assert_int_equal(world_books(&w).queued, 1);
	assert_int_equal(world_books(&w).deferred_attempts, 1);
	assert_int_equal(COUNTER(&w, in_doubt), 1);
	world_end(&w);
}

static void recipients_of_one_message_at_one_site_share_a_transaction(void **state)
{
	static const char *const five[] = { "a@one.test", "b@one.test", "c@one.test", "d@one.test",
					    "e@one.test" };
	struct world w;

	(void)state;
	world_open(&w, CONFIG, decent);
	world_submit(&w, five, 5, DAY, "smtp", 0);
	world_run(&w, MINUTE);
	assert_int_equal(world_books(&w).delivered, 5);
	assert_int_equal(conn_sim_messages(), 1);
	world_end(&w);
}

static void domains_that_take_no_mail_bounce_with_their_reason(void **state)
{
	static const char *const three[] = { "u@null.test", "u@missing.test", "u@self.test" };
	struct world w;

	(void)state;
	world_start(&w, CONFIG);
	world_domain("null.test", "0 .");
	world_domain("self.test", "10 out.test");
	resolver_sim_set("out.test", DNS_A, 5, "127.0.9.9");
	world_submit(&w, three, 3, DAY, "control", 0);
	world_run(&w, MINUTE);
	assert_int_equal(world_books(&w).bounced, 3);
	world_end(&w);
}

static void a_restart_never_fires_everything_at_once(void **state)
{
	static const char *many[200];
	static char text[200][24];
	struct world w;
	unsigned before;

	(void)state;
	world_open(&w, CONFIG, full);
	for (unsigned i = 0; i < 200; i++) {
		(void)snprintf(text[i], sizeof(text[i]), "u%u@one.test", i);
		many[i] = text[i];
	}
	for (unsigned i = 0; i < 200; i++)
		world_submit(&w, &many[i], 1, DAY, "control", i);
	world_run(&w, 5 * MINUTE);
	assert_int_equal(world_books(&w).deferred_attempts, 200);
	w.engine = engine_free(w.engine);
	clock_sim_advance_ms(HOUR); /* all are overdue */
	w.engine = NULL;
	world_restart(&w);
	before = (unsigned)world_books(&w).deferred_attempts;
	world_run(&w, 5 * SECOND);
	assert_in_range(world_books(&w).deferred_attempts - before, 1, 100);
	world_run(&w, MINUTE);
	assert_int_equal(world_books(&w).deferred_attempts - before, 200);
	world_end(&w);
}

static void a_failed_handshake_gives_way_to_the_clear(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, CONFIG,
		   "say 220 mx.test\nexpect EHLO\nraw 250-mx.test\\r\\n250 "
		   "STARTTLS\\r\\n\nexpect STARTTLS\n"
		   "say 220 go\ntls-fail\n");
	world_submit(&w, one_rcpt, 1, DAY, "control", 1);
	world_run(&w, 2 * SECOND);
	assert_int_equal(conn_sim_opened(), 2);
	/* The script wanted STARTTLS a second time, and got the envelope. */
	assert_non_null(conn_sim_mistake());
	assert_non_null(strstr(conn_sim_mistake(), "MAIL"));
	world_end(&w);
}

static void without_its_key_a_message_waits_unsent(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, CONFIG "keys.dir = /nonexistent\n", decent);
	w.sign_domain = SLICE("signed.test");
	world_submit(&w, one_rcpt, 1, DAY, "control", 1);
	world_run(&w, HOUR);
	assert_int_equal(conn_sim_messages(), 0);
	assert_int_equal(world_books(&w).queued, 1);
	assert_in_range(world_books(&w).deferred_attempts, 1, 3);
	/* Submission only guesses the signing domain from From, so the message goes as it came. */
	world_submit(&w, one_rcpt, 1, DAY, "smtp", 2);
	world_run(&w, MINUTE);
	assert_int_equal(conn_sim_messages(), 1);
	assert_int_equal(world_place_of(2), 0);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_is_delivered_and_leaves_the_queue),
		cmocka_unit_test(the_next_mx_takes_over_from_a_dead_one),
		cmocka_unit_test(a_dead_site_is_paused_and_found_again),
		cmocka_unit_test(the_retry_schedule_survives_a_restart),
		cmocka_unit_test(mail_that_finds_no_taker_expires_after_its_life),
		cmocka_unit_test(mail_for_a_dead_site_expires_too),
		cmocka_unit_test(tries_end_with_the_life_of_a_message),
		cmocka_unit_test(a_report_of_expiry_has_the_last_reply),
		cmocka_unit_test(a_clock_that_jumps_expires_and_delays_nothing),
		cmocka_unit_test(a_restart_after_a_jump_keeps_the_schedule),
		cmocka_unit_test(a_failure_of_submitted_mail_is_told_to_its_sender_once),
		cmocka_unit_test(a_report_that_fails_makes_no_further_report),
		cmocka_unit_test(an_idle_connection_the_peer_ends_costs_no_try),
		cmocka_unit_test(a_lost_answer_after_the_dot_is_tried_again_later),
		cmocka_unit_test(recipients_of_one_message_at_one_site_share_a_transaction),
		cmocka_unit_test(domains_that_take_no_mail_bounce_with_their_reason),
		cmocka_unit_test(a_restart_never_fires_everything_at_once),
		cmocka_unit_test(a_failed_handshake_gives_way_to_the_clear),
		cmocka_unit_test(without_its_key_a_message_waits_unsent),
	};

	return cmocka_run_group_tests_name("engine", tests, NULL, NULL);
}
