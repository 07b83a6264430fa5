/* A session as its user sees it, over a simulated network: what it is asked to send. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/mta/smtp/bed.h"

static void no_address_carries_a_command(void **unused)
{
	static const char bad[][32] = {
		"a\r\nRCPT TO:<x@y>", "a\nb@x", "a\rb@x", "a>b@x", "<a@x", "a\tb@x", "a\x7f@x",
		"\xc3\xa9@x"
	};
	struct bed b;

	(void)unused;
	bed_open(&b, "say 220\nserve");
	loop_sim_run(&b.loop, 1);
	assert_int_equal(b.user.ready, 1);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		b.txn[0].mail_from = slice_str(bad[i]);
		assert_int_equal(session_send(b.user.session, &b.txn[0]), E_SYNTAX);
		b.txn[0].mail_from = SLICE("");
		b.rcpts[0][0].address = slice_str(bad[i]);
		assert_int_equal(session_send(b.user.session, &b.txn[0]), E_SYNTAX);
	}
	b.rcpts[0][0].address = slice_of("a\0b@x", 5);
	assert_int_equal(session_send(b.user.session, &b.txn[0]), E_SYNTAX);
	b.rcpts[0][0].address = SLICE("");
	assert_int_equal(session_send(b.user.session, &b.txn[0]), E_SYNTAX);
	b.rcpts[0][0].address = SLICE("\"a b\"@mx.test");
	assert_int_equal(session_send(b.user.session, &b.txn[0]), 0);
	loop_sim_run(&b.loop, 1);
	assert_int_equal(b.rcpts[0][0].verdict.kind, VERDICT_DELIVERED);
	assert_int_equal(conn_sim_messages(), 1);
	assert_true(slice_eq(conn_sim_message(0), SLICE("head: h\r\nx: y\r\n\r\nz\r\n")));
	bed_close(&b);
}

static void a_name_that_is_none_is_refused(void **unused)
{
	static const char *const bad[] = { "", "a b", "a\r\nQUIT", "a>", "\xff" };
	struct session *s = NULL;
	struct bed b;

	(void)unused;
	bed_open(&b, "say 220\nserve");
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		b.o.ehlo = bad[i];
		assert_int_equal(session_new(&s, &b.loop, &b.o, &b.user.base), E_SYNTAX);
	}
	assert_null(s);
	bed_close(&b);
}

static void what_it_can_take_is_two_with_pipelining_and_one_without(void **unused)
{
	static const char *const scripts[] = { "say 220\nexpect EHLO\nsay 250 x\nserve",
					       "say 220\nserve" };
	struct bed b;

	(void)unused;
	for (int most = 1; most <= 2; most++) {
		bed_open(&b, scripts[most - 1]);
		assert_int_equal(session_send(b.user.session, &b.txn[0]), E_CONFLICT);
		loop_sim_run(&b.loop, 1);
		for (int i = 0; i < most; i++)
			assert_int_equal(session_send(b.user.session, &b.txn[i]), 0);
		assert_false(session_can_take(b.user.session));
		assert_int_equal(session_send(b.user.session, &b.txn[most]), E_FULL);
		loop_sim_run(&b.loop, 1);
		assert_int_equal(b.user.done, most);
		assert_int_equal(session_sent(b.user.session), most);
		assert_true(session_can_take(b.user.session));
		assert_true(b.txn[0].sent_data && b.txn[0].answered);
		bed_close(&b);
	}
}

static void a_message_sent_from_done_is_not_answered_by_what_came_before(void **unused)
{
	struct bed b;

	(void)unused;
	/* Lock-step, and two replies to the dot in one segment: the second must not bounce the
	 * next. */
	bed_open(&b, "say 220\nexpect EHLO\nsay 250 x\nexpect MAIL\nsay 250\nexpect RCPT\nsay "
		     "250\nexpect DATA\n"
		     "say 354\nbody\nraw 250 ok\\r\\n550 5.7.1 surprise\\r\\n\nsilent");
	b.user.habit = SEND_IN_DONE;
	b.user.to_send = &b.txn[1];
	loop_sim_run(&b.loop, 1);
	assert_int_equal(session_send(b.user.session, &b.txn[0]), 0);
	loop_sim_run(&b.loop, 1);
	assert_int_equal(b.user.sent, 0);
	assert_int_equal(b.user.done, 2);
	assert_int_equal(b.rcpts[0][0].verdict.kind, VERDICT_DELIVERED);
	assert_int_equal(b.rcpts[1][0].verdict.kind, VERDICT_DEFERRED);
	assert_int_equal(b.rcpts[1][0].verdict.code, 0);
	assert_false(b.txn[1].answered);
	assert_int_equal(b.user.gone, 1);
	bed_close(&b);
}

static void a_message_whose_dot_has_not_left_is_in_no_doubt(void **unused)
{
	static const char *const after_354[] = { "hang", "silent" };
	struct bed b;

	(void)unused;
	for (int left = 0; left < 2; left++) {
		char script[200];

		(void)snprintf(script, sizeof(script),
			       "say 220\nexpect EHLO\nsay 250 x\nexpect MAIL\nsay 250\n"
			       "expect RCPT\nsay 250\nexpect DATA\nsay 354\n%s",
			       after_354[left]);
		bed_open(&b, script);
		loop_sim_run(&b.loop, 1);
		assert_int_equal(session_send(b.user.session, &b.txn[0]), 0);
		loop_sim_run(&b.loop, 11 * MINUTE);
		assert_int_equal(b.user.done, 1);
		assert_int_equal(b.rcpts[0][0].verdict.kind, VERDICT_DEFERRED);
		assert_int_equal(b.txn[0].sent_data, left);
		bed_close(&b);
	}
}

static void it_always_says_what_it_is_doing(void **unused)
{
	struct bed b;

	(void)unused;
	bed_open(&b, "say 220\ndelay 60000\nserve");
	assert_string_equal(session_doing(b.user.session), "connecting");
	loop_sim_run(&b.loop, MINUTE / 2);
	assert_string_equal(session_doing(b.user.session), "waiting for the EHLO reply");
	loop_sim_run(&b.loop, MINUTE);
	assert_string_equal(session_doing(b.user.session), "idle");
	bed_close(&b);
}

static void what_does_not_fit_into_a_command_is_refused(void **unused)
{
	char address[513 + 1], name[256 + 1];
	struct bed b;

	(void)unused;
	memset(address, 'a', sizeof(address) - 1);
	memset(name, 'n', sizeof(name) - 1);
	address[513] = name[256] = '\0';
	bed_make(&b, "say 220\nserve");
	b.o.ehlo = name;
	assert_int_equal(session_new(&b.user.session, &b.loop, &b.o, &b.user.base), E_SYNTAX);
	name[255] = '\0';
	bed_start(&b);
	loop_sim_run(&b.loop, 1);
	assert_int_equal(b.user.ready, 1);
	b.rcpts[0][0].address = slice_of(address, 513);
	assert_int_equal(session_send(b.user.session, &b.txn[0]), E_SYNTAX);
	b.rcpts[0][0].address = slice_of(address, 512);
	b.txn[0].n_rcpts = 0;
	assert_int_equal(session_send(b.user.session, &b.txn[0]), E_SYNTAX);
	b.txn[0].n_rcpts = UINT16_MAX + 1;
	assert_int_equal(session_send(b.user.session, &b.txn[0]), E_SYNTAX);
	b.txn[0].n_rcpts = 1;
	assert_int_equal(session_send(b.user.session, &b.txn[0]), 0);
	loop_sim_run(&b.loop, 1);
	assert_int_equal(b.rcpts[0][0].verdict.kind, VERDICT_DELIVERED);
	bed_close(&b);
}

static void an_address_of_8_bits_goes_where_it_was_asked_for(void **unused)
{
	struct bed b;

	(void)unused;
	bed_open(&b, "say 220\nserve");
	loop_sim_run(&b.loop, 1);
	b.rcpts[0][0].address = SLICE("\xc3\xa9@mx.test");
	b.txn[0].utf8 = true;
	assert_int_equal(session_send(b.user.session, &b.txn[0]), 0);
	loop_sim_run(&b.loop, 1);
	assert_int_equal(b.rcpts[0][0].verdict.kind, VERDICT_DELIVERED);
	bed_close(&b);
}

static const char small_host[] = "say 220\nexpect EHLO\nsay 250-x\nsay 250 SIZE 40\n"
				 "expect MAIL\nsay 250\nexpect RCPT\nsay 250\nexpect DATA\n"
				 "say 354\nbody\nraw 250 ok\\r\\n421 bye\\r\\n\nsilent";

static void a_message_too_large_for_the_host_comes_back_at_the_end_of_the_turn(void **unused)
{
	struct bed b;

	(void)unused;
	bed_open(&b, small_host);
	loop_sim_run(&b.loop, 1);
	b.user.habit = FREE_IN_DONE;
	b.txn[0].message = SLICE("x: y\r\n\r\na message of more than forty bytes\r\n");
	assert_int_equal(session_send(b.user.session, &b.txn[0]), 0);
	assert_int_equal(b.user.done, 0); /* never from inside a call */
	loop_sim_run(&b.loop, 1);
	assert_true(b.user.done == 1 && b.user.ready == 1 && b.user.gone == 0);
	assert_int_equal(b.rcpts[0][0].verdict.kind, VERDICT_BOUNCED);
	assert_false(b.txn[0].answered);
	bed_close(&b);
}

static void a_host_that_hangs_up_meanwhile_changes_nothing_for_it(void **unused)
{
	struct bed b;

	(void)unused;
	bed_open(&b, small_host);
	loop_sim_run(&b.loop, 1);
	b.user.habit = SEND_IN_DONE;
	b.user.to_send = &b.txn[1];
	b.txn[1].message = SLICE("x: y\r\n\r\na message of more than forty bytes\r\n");
	assert_int_equal(session_send(b.user.session, &b.txn[0]), 0);
	loop_sim_run(&b.loop, 1);
	assert_true(b.user.done == 2 && b.user.gone == 1);
	assert_int_equal(b.rcpts[0][0].verdict.kind, VERDICT_DELIVERED);
	assert_int_equal(b.rcpts[1][0].verdict.kind, VERDICT_BOUNCED);
	assert_int_equal(b.user.why.code, 421);
	bed_close(&b);
}

/* A message that fills the output again and again, taken in `bite` bytes at a time. */
static void slow_host_gets(size_t bytes, unsigned bite)
{
	static char message[128 << 10];
	char script[64];
	struct bed b;

	bytes -= bytes % 14; /* whole lines */
	for (size_t i = 0; i < bytes; i++)
		message[i] = "line\r\n..a\r\n.\r\n"[i % 14];
	(void)snprintf(script, sizeof(script), "say 220\nslow %u 1\nserve", bite);
	bed_open(&b, script);
	loop_sim_run(&b.loop, 1000);
	b.txn[0].message = slice_of(message, bytes);
	b.txn[0].head = SLICE("");
	assert_int_equal(session_send(b.user.session, &b.txn[0]), 0);
	loop_sim_run(&b.loop, MINUTE);
	assert_int_equal(b.rcpts[0][0].verdict.kind, VERDICT_DELIVERED);
	assert_int_equal(conn_sim_messages(), 1);
	assert_true(slice_eq(conn_sim_message(0), b.txn[0].message));
	bed_close(&b);
}

static void however_slowly_a_host_reads_it_gets_what_was_sent(void **unused)
{
	(void)unused;
	for (unsigned bite = 3000; bite < 3100; bite++)
		slow_host_gets(96 << 10, bite);
	for (size_t bytes = CONN_OUT_HIGH - 4000; bytes < CONN_OUT_HIGH + 1000; bytes += 42)
		slow_host_gets(bytes, 5000); /* around what fits into the output at once */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_address_carries_a_command),
		cmocka_unit_test(a_name_that_is_none_is_refused),
		cmocka_unit_test(what_it_can_take_is_two_with_pipelining_and_one_without),
		cmocka_unit_test(a_message_sent_from_done_is_not_answered_by_what_came_before),
		cmocka_unit_test(a_message_whose_dot_has_not_left_is_in_no_doubt),
		cmocka_unit_test(it_always_says_what_it_is_doing),
		cmocka_unit_test(what_does_not_fit_into_a_command_is_refused),
		cmocka_unit_test(an_address_of_8_bits_goes_where_it_was_asked_for),
		cmocka_unit_test(
		    a_message_too_large_for_the_host_comes_back_at_the_end_of_the_turn),
		cmocka_unit_test(a_host_that_hangs_up_meanwhile_changes_nothing_for_it),
		cmocka_unit_test(however_slowly_a_host_reads_it_gets_what_was_sent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
