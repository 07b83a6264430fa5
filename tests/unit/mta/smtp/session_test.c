/* A session as its user sees it, over a simulated network. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>

#include "mta/smtp/session.h"
#include "tests/sim/conn_sim.h"

enum { MINUTE = 60 * 1000 };
struct user {
	struct session_user base;
	struct session *session;
	int ready, done, gone;
	struct verdict why;
	struct txn *last_done;
	enum { DO_NOTHING, FREE_IN_READY, FREE_IN_DONE, FREE_IN_GONE, SEND_IN_DONE } habit;
	struct txn *to_send;
	int sent;
};
struct bed {
	struct loop loop;
	struct user user;
	struct session_options o;
	struct txn txn[3];
	struct txn_rcpt rcpts[3][2];
};

static void on_ready(struct session_user *u)
{
	struct user *x = container_of(u, struct user, base);

	x->ready++;
	if (x->habit == FREE_IN_READY)
		x->session = session_free(x->session);
}
static void on_done(struct session_user *u, struct txn *t)
{
	struct user *x = container_of(u, struct user, base);

	x->done++;
	x->last_done = t;
	if (x->habit == FREE_IN_DONE)
		x->session = session_free(x->session);
	if (x->habit == SEND_IN_DONE && x->to_send)
		x->sent = session_send(x->session, TAKE(x->to_send));
}
static void on_gone(struct session_user *u, const struct verdict *v)
{
	struct user *x = container_of(u, struct user, base);

	x->gone++;
	verdict_copy(&x->why, v);
	if (x->habit == FREE_IN_GONE)
		x->session = session_free(x->session);
}

static void bed_open(struct bed *b, const char *script)
{
	*b = (struct bed){ .user.base = { on_ready, on_done, on_gone } };
	loop_sim_init(&b->loop);
	assert_int_equal(conn_sim_host(SLICE("192.0.2.1:25"), slice_str(script)), 0);
	assert_int_equal(ip_port_parse(SLICE("192.0.2.1:25"), &b->o.to.ip, &b->o.to.port), 0);
	b->o.mx_host = "mx.test";
	b->o.ehlo = "our.test";
	smtp_timeouts_default(&b->o.timeouts);
	for (int i = 0; i < 3; i++) {
		b->txn[i] = (struct txn){ .mail_from = SLICE("a@our.test"),
					  .message = SLICE("x: y\r\n\r\nz\r\n"),
					  .head = SLICE("head: h\r\n"),
					  .n_rcpts = 1,
					  .rcpts = b->rcpts[i] };
		for (int k = 0; k < 2; k++) {
			b->rcpts[i][k].address = SLICE("b@mx.test");
			/* A value from an earlier try must not count. */
			b->rcpts[i][k].verdict.kind = VERDICT_DELIVERED;
		}
	}
	assert_int_equal(session_new(&b->user.session, &b->loop, &b->o, &b->user.base), 0);
}

static void bed_close(struct bed *b)
{
	(void)session_free(b->user.session);
	loop_sim_end(&b->loop);
	assert_int_equal(conn_sim_live(), 0);
	assert_null(conn_sim_mistake());
	conn_sim_reset();
}

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_address_carries_a_command),
		cmocka_unit_test(a_name_that_is_none_is_refused),
		cmocka_unit_test(what_it_can_take_is_two_with_pipelining_and_one_without),
		cmocka_unit_test(it_may_be_freed_in_any_of_its_calls),
		cmocka_unit_test(a_message_sent_from_done_is_not_answered_by_what_came_before),
		cmocka_unit_test(a_message_whose_dot_has_not_left_is_in_no_doubt),
		cmocka_unit_test(quitting_before_it_is_ready_ends_it_in_good_order),
		cmocka_unit_test(quitting_waits_for_what_is_in_hand),
		cmocka_unit_test(it_always_says_what_it_is_doing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
