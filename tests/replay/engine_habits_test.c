/* Hosts that do other than they say: how many recipients they take, and PIPELINING. */
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <setjmp.h>
#include <cmocka.h>

#include "tests/replay/engine_world.h"

static const char *const five[] = { "a@one.test", "b@one.test", "c@one.test", "d@one.test",
				    "e@one.test" };
/* Takes two recipients a transaction; a script of one connection, and what it wants in each. */
#define HELLO "say 220 mx.test\nexpect EHLO\nraw 250-mx.test\\r\\n250 PIPELINING\\r\\n\n"
#define HELLO_CHUNKS                                                                               \
	"say 220 mx.test\nexpect EHLO\nraw 250-mx.test\\r\\n250-PIPELINING\\r\\n250 "              \
	"CHUNKING\\r\\n\n"
#define TWO(others)                                                                                \
	"expect MAIL\nexpect RCPT\nexpect RCPT\n" others "expect DATA\nsay 250 ok\nsay 250 ok\n"   \
	"say 250 ok\n"
#define TAKEN "say 354 go\nbody\nsay 250 taken\n"

static void past_the_hosts_number_the_rest_goes_in_the_next_transaction_at_once(void **state)
{
	static const char *const scripts[] = {
		HELLO TWO("expect RCPT\nexpect RCPT\nexpect RCPT\n") "say 452 4.5.3 too many\nsay "
								     "452 4.5.3 too many\nsay 452 "
								     "4.5.3 too many\n" TAKEN TWO(
									 "") TAKEN
		"expect MAIL\nexpect RCPT\nexpect DATA\nsay 250 ok\n"
		"say 250 ok\n" TAKEN,
		HELLO TWO(
		    "expect RCPT\nexpect RCPT\nexpect RCPT\n") "say 452 wait\nsay 452 wait\nsay "
							       "452 wait\n" TAKEN TWO("") TAKEN
		"expect MAIL\nexpect RCPT\nexpect DATA\nsay 250 ok\n"
		"say 250 ok\n" TAKEN,
		HELLO TWO(
		    "expect RCPT\nexpect RCPT\nexpect RCPT\n") "say 552 enough\nsay 552 "
							       "enough\nsay 552 enough\n" TAKEN TWO(
								   "") TAKEN
		"expect MAIL\nexpect RCPT\nexpect DATA\nsay 250 ok\n"
		"say 250 ok\n" TAKEN,
		HELLO TWO("expect RCPT\nexpect RCPT\nexpect RCPT\n") "say 550 5.7.1 Too many "
								     "recipients\nsay 550 Too many "
								     "recipients\n"
								     "say 451 4.3.0 Too many "
								     "recipients\n" TAKEN TWO("")
									 TAKEN
		"expect MAIL\nexpect RCPT\nexpect DATA\nsay 250 ok\n"
		"say 250 ok\n" TAKEN,
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(scripts); i++) {
		struct world w;

		world_open(&w, CONFIG "site.connections = 1\n", scripts[i]);
		world_submit(&w, five, 5, DAY, "smtp", 0);
		world_run(&w, 2 * SECOND);
		assert_null(conn_sim_mistake());
		assert_int_equal(world_books(&w).delivered, 5);
		assert_int_equal(world_books(&w).deferred_attempts, 0);
		assert_int_equal(conn_sim_messages(), 3);
		world_end(&w);
	}
}

static void the_number_that_a_host_takes_is_remembered(void **state)
{
	struct world w;

	(void)state;
	world_open(
	    &w, CONFIG "site.connections = 1\n",
	    HELLO TWO("expect RCPT\nexpect RCPT\nexpect RCPT\n") "say 452 4.5.3 too many\nsay 452 "
								 "4.5.3 too many\nsay 452 4.5.3 "
								 "too many\n" TAKEN TWO("") TAKEN
	    "expect MAIL\nexpect RCPT\nexpect DATA\nsay 250 ok\n"
	    "say 250 ok\n" TAKEN);
	world_submit(&w, five, 5, DAY, "smtp", 0);
	world_run(&w, HOUR);
	/* On another connection, an hour later: from the first transaction on. */
	world_host("127.0.1.1", HELLO TWO("") TAKEN TWO("") TAKEN
		   "expect MAIL\nexpect RCPT\nexpect DATA\nsay 250 ok\n"
		   "say 250 ok\n" TAKEN);
	world_submit(&w, five, 5, DAY, "smtp", 0);
	world_run(&w, 2 * SECOND);
	assert_null(conn_sim_mistake());
	assert_int_equal(world_books(&w).delivered, 10);
	world_end(&w);
}

static void one_full_mailbox_among_others_waits_for_its_next_try(void **state)
{
	struct world w;

	(void)state;
	world_open(
	    &w, CONFIG "site.connections = 1\n",
	    HELLO TWO("expect RCPT\nexpect RCPT\nexpect RCPT\n") "say 452 full\nsay 452 4.2.2 "
								 "full\nsay 250 ok\n" TAKEN);
	world_submit(&w, five, 5, DAY, "smtp", 0);
	world_run(&w, 2 * SECOND);
	assert_null(conn_sim_mistake());
	assert_int_equal(world_books(&w).delivered, 3);
	assert_int_equal(world_books(&w).deferred_attempts, 2);
	world_end(&w);
}

static void a_host_that_takes_nobody_is_no_host_with_too_many(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, CONFIG "site.connections = 1\n",
		   "say 220 mx.test\nreply RCPT 452 4.5.3 too many\nserve\n");
	world_submit(&w, five, 5, DAY, "smtp", 0);
	world_run(&w, MINUTE);
	assert_int_equal(world_books(&w).deferred_attempts, 5);
	world_end(&w);
}

/* ---- PIPELINING -------------------------------------------------------------------------- */

static const char *const false_offers[] = {
	"say 220 mx.test\nalone drop\nserve\n",
	"say 220 mx.test\nalone close\nserve\n",
	"say 220 mx.test\nalone 503 5.5.1 bad sequence of commands\nserve\n",
	"say 220 mx.test\nalone 503 what\nserve\n",
	"say 220 mx.test\nalone 500 what\nserve\n",
	"say 220 mx.test\nalone 554 5.5.0 improper use of SMTP command pipelining\nserve\n",
	"say 220 mx.test\nalone 450 4.7.1 improper use of SMTP command pipelining\nserve\n",
	"say 220 mx.test\nalone 554 SMTP synchronization error\nserve\n",
};

static void hosts_that_falsely_offer_pipelining_get_their_mail_in_lock_step(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(false_offers); i++) {
		struct world w;

		world_open(&w, CONFIG, false_offers[i]);
		world_submit(&w, five, 5, DAY, "smtp", 0);
		world_submit(&w, one_rcpt, 1, DAY, "control", 0);
		world_run(&w, 6 * MINUTE); /* silence is waited for */
		assert_int_equal(world_books(&w).delivered, 6);
		assert_int_equal(world_books(&w).deferred_attempts, 0);
		assert_int_equal(world_books(&w).bounced, 0);
		assert_int_equal(COUNTER(&w, site_backoffs), 0);
		world_end(&w);
	}
}

static void a_host_without_real_pipelining_is_remembered(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(false_offers); i++) {
		struct world w;
		unsigned opened;

		world_open(&w, CONFIG, false_offers[i]);
		world_submit(&w, one_rcpt, 1, DAY, "control", 0);
		world_run(&w, 2 * HOUR);
		assert_int_equal(world_books(&w).delivered, 1);
		opened = conn_sim_opened();
		for (unsigned n = 0; n < 3; n++) {
			world_submit(&w, one_rcpt, 1, DAY, "control", 0);
			world_run(&w, MINUTE);
			assert_int_equal(world_books(&w).delivered, 2 + n);
			assert_int_equal(conn_sim_opened(), opened + 1 + n);
		}
		world_end(&w);
	}
}

static void a_host_that_loses_what_comes_behind_a_message_gets_the_rest_in_lock_step(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, CONFIG "site.connections = 1\n",
		   "say 220 mx.test\nalone drop-after\nserve\n");
	for (unsigned i = 0; i < 20; i++)
		world_submit(&w, one_rcpt, 1, DAY, "control", i);
	world_run(&w, 11 * MINUTE); /* silence is waited for once */
	assert_int_equal(world_books(&w).delivered, 20);
	assert_int_equal(world_books(&w).deferred_attempts, 0);
	world_end(&w);
}

static void a_refusal_that_stands_in_lock_step_too_is_final(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, CONFIG,
		   "say 220 mx.test\nreply RCPT 503 5.7.0 authenticate first\nreply DATA 503 no\n"
		   "serve\n");
	world_submit(&w, one_rcpt, 1, DAY, "control", 0);
	world_run(&w, MINUTE);
	assert_int_equal(world_books(&w).bounced, 1);
	world_end(&w);
}

static void a_host_that_ended_a_session_is_not_said_to_lack_pipelining(void **state)
{
	struct world w;

	(void)state;
	world_start(&w, CONFIG "site.connections = 1\n");
	world_names();
	/* Seen to take a group; the next message meets the end of the connection. */
	world_host("127.0.1.1", HELLO "expect MAIL\nexpect RCPT\nexpect DATA\nsay 250 ok\n"
				      "say 250 ok\n" TAKEN "expect MAIL\nclose\n");
	for (unsigned i = 0; i < 3; i++)
		world_submit(&w, one_rcpt, 1, DAY, "control", 0);
	world_run(&w, 5 * SECOND);
	assert_null(conn_sim_mistake()); /* in lock-step "expect RCPT" would not be met by DATA */
	assert_int_equal(world_books(&w).delivered, 3);
	world_end(&w);
}

static void keywords_may_be_ignored_for_everyone(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, CONFIG "site.connections = 1\nsmtp.ignore_keywords = pipelining, size\n",
		   "say 220 mx.test\nalone close\nserve\n");
	world_submit(&w, five, 5, DAY, "smtp", 0);
	world_run(&w, SECOND);
	assert_int_equal(world_books(&w).delivered, 5);
	assert_int_equal(conn_sim_opened(), 1);
	world_end(&w);
}

/* ---- CHUNKING ---------------------------------------------------------------------------- */

#define OFFERS "say 220 mx.test\nreply EHLO 250-mx.test\\r\\n250-PIPELINING\\r\\n250 CHUNKING\n"
static const char *const false_chunks[] = {
	OFFERS "reply BDAT 502 5.5.1 what?\nserve\n",
	OFFERS "reply BDAT 500 what?\nserve\n",
	OFFERS "reply BDAT 503 5.5.1 not now\nserve\n",
	OFFERS "reply BDAT 554 5.5.1 what?\nserve\n",
};

static void hosts_that_falsely_offer_chunking_get_their_mail_by_data(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(false_chunks); i++) {
		struct world w;

		world_open(&w, CONFIG, false_chunks[i]);
		for (unsigned n = 0; n < 2; n++) {
			world_submit(&w, five, 5, DAY, "smtp", 0);
			world_submit(&w, one_rcpt, 1, DAY, "control", 0);
			world_run(&w, HOUR);
			assert_int_equal(world_books(&w).delivered, 6 * (n + 1));
		}
		assert_int_equal(world_books(&w).deferred_attempts, 0);
		assert_int_equal(world_books(&w).bounced, 0);
		assert_int_equal(COUNTER(&w, site_backoffs), 0);
		world_end(&w);
	}
}

#define STOPS_AT_BDAT(how)                                                                         \
	HELLO_CHUNKS "expect MAIL\nexpect RCPT\nexpect BDAT\nsay 250 ok\nsay 250 ok\n" how "\n"

static void a_host_that_hangs_up_or_waits_at_bdat_gets_data_next(void **state)
{
	static const char *const scripts[] = { STOPS_AT_BDAT("close"), STOPS_AT_BDAT("silent") };

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(scripts); i++) {
		struct world w;

		world_open(&w, CONFIG "site.connections = 1\n", scripts[i]);
		world_submit(&w, one_rcpt, 1, DAY, "control", 0);
		world_run(&w, 2 * MINUTE + SECOND); /* silence is waited for */
		/* Its script wants the same again. */
		assert_non_null(conn_sim_mistake());
		assert_non_null(strstr(conn_sim_mistake(), "expected \"BDAT\", got \"DATA\""));
		assert_int_equal(world_books(&w).bounced, 0);
		assert_int_equal(world_books(&w).deferred_attempts, 0);
		world_end(&w);
	}
}

static void a_host_that_took_bdat_is_not_asked_again(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, CONFIG "site.connections = 1\n", OFFERS "serve\n");
	world_submit(&w, five, 5, DAY, "smtp", 0);
	world_run(&w, HOUR);
	assert_int_equal(world_books(&w).delivered, 5);
	/* Another connection, an hour later: nothing is answered before the message is here. */
	world_host("127.0.1.1",
		   HELLO_CHUNKS "expect MAIL\nexpect RCPT\nchunk\nsay 250 ok\nsay 250 ok\n"
				"say 250 ok\n");
	world_submit(&w, one_rcpt, 1, DAY, "control", 0);
	world_run(&w, 2 * SECOND);
	assert_null(conn_sim_mistake());
	assert_int_equal(world_books(&w).delivered, 6);
	assert_int_equal(conn_sim_messages(), 2);
	world_end(&w);
}

static void chunking_may_be_ignored(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, CONFIG "site.connections = 1\nsmtp.ignore_keywords = chunking\n",
		   HELLO_CHUNKS
		   "expect MAIL\nexpect RCPT\nexpect DATA\nsay 250 ok\nsay 250 ok\n" TAKEN);
	world_submit(&w, one_rcpt, 1, DAY, "control", 0);
	world_run(&w, SECOND);
	assert_null(conn_sim_mistake());
	assert_int_equal(world_books(&w).delivered, 1);
	world_end(&w);
}

/* All are refused, in flights of one and of five: nobody is delivered, the books balance. */
static void refused_recipients_of_flights_are_never_counted_as_delivered(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, CONFIG "site.connections = 2\n",
		   OFFERS "reply RCPT 550 5.1.1 unknown\nserve\n");
	for (unsigned i = 0; i < 20; i++)
		world_submit(&w, one_rcpt, 1, DAY, "control", i);
	world_submit(&w, five, 5, DAY, "control", 0);
	world_run(&w, HOUR);
	assert_int_equal(world_books(&w).delivered, 0);
	assert_int_equal(world_books(&w).bounced, 25);
	world_end(&w);
}

static void a_host_that_loses_what_comes_behind_a_chunk_is_found_out(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, CONFIG "site.connections = 1\n", OFFERS "alone drop-after\nserve\n");
	for (unsigned i = 0; i < 20; i++)
		world_submit(&w, one_rcpt, 1, DAY, "control", i);
	world_run(&w, 3 * HOUR);
	assert_int_equal(world_books(&w).delivered, 20);
	assert_true(world_books(&w).deferred_attempts <= 2);
	world_end(&w);
}

/* ---- extensions -------------------------------------------------------------------------- */

static const char bare[] = "say 220 mx.test\nreply EHLO 250 mx.test\nserve\n";

static void a_notice_reaches_a_host_without_8bitmime(void **state)
{
	struct world w;

	(void)state;
	world_start(&w, CONFIG);
	world_names();
	world_domain("sender.test", "10 mx2.test");
	world_host("127.0.1.1", "say 220 mx.test\nreply RCPT 550 5.1.1 no such user\nreply DATA "
				"503 no recipients\nserve\n");
	world_host("127.0.1.2", bare);
	world_submit(&w, one_rcpt, 1, DAY, "smtp", 0);
	world_run(&w, MINUTE);
	assert_int_equal(world_books(&w).bounced, 1);
	assert_int_equal(world_books(&w).delivered, 1);
	world_end(&w);
}

static void ascii_submitted_with_smtputf8_reaches_a_host_without_it(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, CONFIG, bare);
	w.asks_for_all = true;
	world_submit(&w, one_rcpt, 1, DAY, "smtp", 0);
	world_run(&w, MINUTE);
	assert_int_equal(world_books(&w).delivered, 1);
	world_end(&w);
}

static void an_address_beyond_ascii_takes_no_other_recipient_down(void **state)
{
	static const char *const mixed[] = { "a@one.test", "\xc3\xbc@one.test", "b@one.test",
					     "\xc3\xa4@one.test" };
	struct world w;

	(void)state;
	world_open(&w, CONFIG, bare);
	world_submit(&w, mixed, 4, DAY, "control", 0);
	world_run(&w, MINUTE);
	assert_int_equal(world_books(&w).delivered, 2);
	assert_int_equal(world_books(&w).bounced, 2);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    past_the_hosts_number_the_rest_goes_in_the_next_transaction_at_once),
		cmocka_unit_test(the_number_that_a_host_takes_is_remembered),
		cmocka_unit_test(one_full_mailbox_among_others_waits_for_its_next_try),
		cmocka_unit_test(a_host_that_takes_nobody_is_no_host_with_too_many),
		cmocka_unit_test(hosts_that_falsely_offer_pipelining_get_their_mail_in_lock_step),
		cmocka_unit_test(a_host_without_real_pipelining_is_remembered),
		cmocka_unit_test(
		    a_host_that_loses_what_comes_behind_a_message_gets_the_rest_in_lock_step),
		cmocka_unit_test(a_refusal_that_stands_in_lock_step_too_is_final),
		cmocka_unit_test(a_host_that_ended_a_session_is_not_said_to_lack_pipelining),
		cmocka_unit_test(a_notice_reaches_a_host_without_8bitmime),
		cmocka_unit_test(ascii_submitted_with_smtputf8_reaches_a_host_without_it),
		cmocka_unit_test(an_address_beyond_ascii_takes_no_other_recipient_down),
		cmocka_unit_test(keywords_may_be_ignored_for_everyone),
		cmocka_unit_test(hosts_that_falsely_offer_chunking_get_their_mail_by_data),
		cmocka_unit_test(a_host_that_hangs_up_or_waits_at_bdat_gets_data_next),
		cmocka_unit_test(a_host_that_took_bdat_is_not_asked_again),
		cmocka_unit_test(chunking_may_be_ignored),
		cmocka_unit_test(refused_recipients_of_flights_are_never_counted_as_delivered),
		cmocka_unit_test(a_host_that_loses_what_comes_behind_a_chunk_is_found_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
