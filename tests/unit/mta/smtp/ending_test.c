/* A session as its user sees it, over a simulated network: how it ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>

#include "tests/unit/mta/smtp/bed.h"

static void it_may_be_freed_in_any_of_its_calls(void **unused)
{
	struct bed b;

	(void)unused;
	for (int habit = FREE_IN_READY; habit <= FREE_IN_GONE; habit++) {
		bed_open(&b, habit == FREE_IN_GONE ? "say 554 no" : "say 220\nserve");
		if (habit != FREE_IN_DONE)
			b.user.habit = (typeof(b.user.habit))habit;
		loop_sim_run(&b.loop, 1);
		if (habit == FREE_IN_DONE) {
			b.user.habit = FREE_IN_DONE;
			assert_int_equal(session_send(b.user.session, &b.txn[0]), 0);
			assert_int_equal(session_send(b.user.session, &b.txn[1]), 0);
			loop_sim_run(&b.loop, 1);
			assert_int_equal(b.user.done, 1);
		}
		assert_null(b.user.session);
		assert_int_equal(b.user.gone, habit == FREE_IN_GONE);
		bed_close(&b);
	}
}

static void quitting_before_it_is_ready_ends_it_in_good_order(void **unused)
{
	struct bed b;

	(void)unused;
	bed_open(&b, "silent");
	session_quit(b.user.session);
	assert_int_equal(b.user.gone, 0); /* never from inside a call */
	loop_sim_run(&b.loop, 1);
	assert_int_equal(b.user.gone, 1);
	assert_int_equal(b.user.why.kind, VERDICT_NONE);
	bed_close(&b);
}

static void quitting_waits_for_what_is_in_hand(void **unused)
{
	struct bed b;

	(void)unused;
	bed_open(&b, "say 220\nserve 1\nexpect QUIT\nsay 221");
	loop_sim_run(&b.loop, 1);
	assert_int_equal(session_send(b.user.session, &b.txn[0]), 0);
	session_quit(b.user.session);
	assert_int_equal(session_send(b.user.session, &b.txn[1]), E_CONFLICT);
	loop_sim_run(&b.loop, 1);
	assert_int_equal(b.user.done, 1);
	assert_int_equal(b.user.gone, 1);
	assert_int_equal(b.rcpts[0][0].verdict.kind, VERDICT_DELIVERED);
	bed_close(&b);
}

static void a_connection_that_cannot_be_opened_is_said_at_once(void **unused)
{
	struct bed b;

	(void)unused;
	bed_make(&b, "say 220\nserve");
	conn_sim_refuse_open(-EMFILE);
	assert_int_equal(session_new(&b.user.session, &b.loop, &b.o, &b.user.base), -EMFILE);
	assert_null(b.user.session);
	loop_sim_run(&b.loop, MINUTE);
	assert_int_equal(b.user.gone, 0);
	conn_sim_refuse_open(0);
	bed_start(&b);
	loop_sim_run(&b.loop, 1);
	assert_int_equal(b.user.ready, 1);
	struct ip peer = conn_peer_ip(session_conn(b.user.session));
	assert_true(ip_eq(&peer, &b.o.to.ip));
	bed_close(&b);
}

static const char offers_tls[] = "say 220\nexpect EHLO\nsay 250-x\nsay 250 STARTTLS\nserve";

static void without_a_context_tls_is_used_by_nobody(void **unused)
{
	struct bed b;

	(void)unused;
	for (int must = 0; must < 2; must++) {
		bed_make(&b, offers_tls);
		b.o.tls = must ? TLS_MUST : TLS_MAY;
		bed_start(&b);
		loop_sim_run(&b.loop, 1);
		assert_int_equal(b.user.ready, !must);
		assert_int_equal(b.user.gone, must);
		bed_close(&b);
	}
}

static void a_handshake_that_cannot_begin_has_failed(void **unused)
{
	struct bed b;

	(void)unused;
	bed_make(
	    &b,
	    "say 220\nexpect EHLO\nsay 250-x\nsay 250 STARTTLS\nexpect STARTTLS\nsay 220\nsilent");
	b.o.tls = TLS_MAY;
	assert_int_equal(tls_client_new(&b.o.tls_context, NULL), 0);
	conn_sim_refuse_tls(-ENOMEM);
	bed_start(&b);
	loop_sim_run(&b.loop, 1);
	assert_int_equal(b.user.gone, 1);
	assert_int_equal(b.user.why.kind, VERDICT_DEFERRED);
	assert_true(b.user.why.site && b.user.why.code == 0);
	assert_int_equal(b.user.ready, 0);
	bed_close(&b);
	(void)tls_context_free(b.o.tls_context);
}

static void a_connection_that_breaks_under_a_command_defers_the_message(void **unused)
{
	struct bed b;

	(void)unused;
	bed_open(&b, "say 220\nexpect EHLO\nsay 250 x\nbreak\nsilent");
	loop_sim_run(&b.loop, 1);
	assert_int_equal(session_send(b.user.session, &b.txn[0]), 0);
	assert_int_equal(b.user.gone, 0); /* it is told by the loop */
	loop_sim_run(&b.loop, 1);
	assert_true(b.user.gone == 1 && b.user.done == 1);
	assert_int_equal(b.rcpts[0][0].verdict.kind, VERDICT_DEFERRED);
	assert_false(b.txn[0].sent_data || b.txn[0].answered);
	bed_close(&b);
}

static void once_it_is_over_it_takes_nothing(void **unused)
{
	struct bed b;

	(void)unused;
	bed_open(&b, "say 220\nserve 1\nsay 421 bye");
	b.user.habit = ASK_IN_GONE;
	b.user.to_send = &b.txn[1];
	loop_sim_run(&b.loop, 1);
	assert_true(session_can_take(b.user.session));
	assert_int_equal(session_send(b.user.session, &b.txn[0]), 0);
	loop_sim_run(&b.loop, 1);
	assert_int_equal(b.user.gone, 1);
	assert_int_equal(b.user.sent, E_CONFLICT);
	assert_false(session_can_take(b.user.session));
	loop_sim_run(&b.loop, MINUTE);
	assert_int_equal(b.user.gone, 1); /* the quit in gone() changed nothing */
	bed_close(&b);
	assert_null(session_free(NULL));
}

static void whoever_frees_it_for_a_lost_message_hears_no_more(void **unused)
{
	struct bed b;

	(void)unused;
	bed_open(&b, "say 220\nexpect EHLO\nsay 250-x\nsay 250 PIPELINING\nexpect MAIL\nclose");
	loop_sim_run(&b.loop, 1);
	b.user.habit = FREE_IN_DONE;
	assert_int_equal(session_send(b.user.session, &b.txn[0]), 0);
	assert_int_equal(session_send(b.user.session, &b.txn[1]), 0);
	loop_sim_run(&b.loop, 1);
	assert_int_equal(b.user.done, 1);
	assert_int_equal(b.user.gone, 0);
	assert_ptr_equal(b.user.last_done, &b.txn[0]);
	assert_int_equal(b.rcpts[0][0].verdict.kind, VERDICT_DEFERRED);
	bed_close(&b);
}

/* The other one's greeting comes in the same turn in which it was given up. */
static void a_session_may_be_given_up_from_another_ones_call(void **unused)
{
	struct bed_user other = { .base = bed_calls };
	struct bed b;

	(void)unused;
	bed_open(&b, "say 220\nexpect EHLO\ndelay 1000\nsay 250 x\nserve");
	assert_int_equal(conn_sim_host(SLICE("192.0.2.1:26"), SLICE("delay 1000\nsay 220")), 0);
	b.o.to.port = 26;
	assert_int_equal(session_new(&other.session, &b.loop, &b.o, &other.base), 0);
	b.user.to_quit = other.session;
	loop_sim_run(&b.loop, 1001);
	assert_int_equal(b.user.ready, 1);
	assert_true(other.gone == 1 && other.ready == 0 && other.why.kind == VERDICT_NONE);
	session_quit(other.session); /* after its end it changes nothing */
	(void)session_free(other.session);
	bed_close(&b);
}

static void quitting_twice_is_quitting_once(void **unused)
{
	struct bed b;

	(void)unused;
	bed_open(&b, "say 220\nserve 0\nexpect QUIT\nsay 221");
	loop_sim_run(&b.loop, 1);
	session_quit(b.user.session);
	session_quit(b.user.session);
	assert_false(session_can_take(b.user.session));
	loop_sim_run(&b.loop, 1);
	assert_int_equal(b.user.gone, 1);
	assert_int_equal(b.user.why.kind, VERDICT_NONE);
	bed_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_may_be_freed_in_any_of_its_calls),
		cmocka_unit_test(quitting_before_it_is_ready_ends_it_in_good_order),
		cmocka_unit_test(quitting_waits_for_what_is_in_hand),
		cmocka_unit_test(a_connection_that_cannot_be_opened_is_said_at_once),
		cmocka_unit_test(without_a_context_tls_is_used_by_nobody),
		cmocka_unit_test(a_handshake_that_cannot_begin_has_failed),
		cmocka_unit_test(a_connection_that_breaks_under_a_command_defers_the_message),
		cmocka_unit_test(once_it_is_over_it_takes_nothing),
		cmocka_unit_test(whoever_frees_it_for_a_lost_message_hears_no_more),
		cmocka_unit_test(a_session_may_be_given_up_from_another_ones_call),
		cmocka_unit_test(quitting_twice_is_quitting_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
