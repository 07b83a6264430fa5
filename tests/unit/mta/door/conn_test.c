/* The real network door over loopback: a client and a server conn on one loop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <fcntl.h>
#include <unistd.h>

#include "tests/unit/mta/door/door_pair.h"

static void what_is_queued_in_one_turn_arrives_in_order(void **unused)
{
	struct pair p;

	(void)unused;
	pair_open(&p, NULL);
	settle(&p.loop);
	assert_int_equal(p.client.opened, 1);
	p.server.stop_at = 11;
	assert_int_equal(conn_write(p.client.conn, SLICE("hello")), 0);
	assert_int_equal(conn_write(p.client.conn, SLICE(" ")), 0);
	assert_int_equal(conn_write(p.client.conn, SLICE("world")), 0);
	assert_int_equal(conn_unsent(p.client.conn), 11);
	assert_true(run(&p.loop, 5000));
	assert_true(slice_eq(buf_data(&p.server.in), SLICE("hello world")));
	assert_int_equal(conn_unsent(p.client.conn), 0);
	pair_close(&p);
}

static void a_large_message_flows_without_queueing_more_than_the_high_mark(void **unused)
{
	struct pair p;

	(void)unused;
	pair_open(&p, NULL);
	p.client.to_send = p.server.stop_at = 8 << 20;
	assert_true(run(&p.loop, 20000));
	assert_int_equal(buf_len(&p.server.in), 8 << 20);
	assert_pattern(buf_data(&p.server.in));
	assert_true(p.client.most_unsent <= CONN_OUT_HIGH);
	assert_true(p.client.writable > 0);
	pair_close(&p);
}

static void a_reader_that_takes_nothing_holds_no_more_than_the_input_limit(void **unused)
{
	struct pair p;

	(void)unused;
	pair_open(&p, NULL);
	p.client.to_send = 8 << 20;
	p.server.keep_input = true;
	settle(&p.loop);
	settle(&p.loop);
	assert_int_equal(conn_input(p.server.conn).n, CONN_IN_MAX);
	assert_true(p.client.sent < (8 << 20));
	p.server.keep_input = false;
	p.server.stop_at = 8 << 20;
	take_input(&p.server);
	assert_true(run(&p.loop, 20000));
	assert_pattern(buf_data(&p.server.in));
	pair_close(&p);
}

static void pausing_keeps_input_in_the_kernel(void **unused)
{
	struct pair p;

	(void)unused;
	pair_open(&p, NULL);
	conn_pause_reading(p.server.conn, true);
	settle(&p.loop);
	assert_int_equal(conn_write(p.client.conn, SLICE("later")), 0);
	settle(&p.loop);
	assert_int_equal(buf_len(&p.server.in), 0);
	p.server.stop_at = 5;
	conn_pause_reading(p.server.conn, false);
	assert_true(run(&p.loop, 5000));
	pair_close(&p);
}

static void the_end_of_input_is_told_and_what_came_before_is_kept(void **unused)
{
	struct pair p;

	(void)unused;
	pair_open(&p, NULL);
	settle(&p.loop);
	assert_int_equal(conn_write(p.client.conn, SLICE("bye")), 0);
	p.client.conn = conn_free(p.client.conn); /* offers what is queued */
	assert_true(run(&p.loop, 5000));
	assert_true(p.server.eof);
	assert_true(slice_eq(buf_data(&p.server.in), SLICE("bye")));
	assert_int_equal(p.server.failed, 0);
	pair_close(&p);
}

static void a_refused_connection_fails_once_with_its_reason(void **unused)
{
	struct loop loop;
	struct end e;
	struct conn_target to;
	int fd = listen_fd(&to);

	(void)unused;
	(void)close(fd);
	loop_init(&loop);
	end_init(&e, &loop);
	assert_int_equal(conn_open(&e.conn, &loop, &to, &e.user), 0);
	assert_true(run(&loop, 5000));
	settle(&loop);
	assert_int_equal(e.failed, 1);
	assert_int_equal(e.err, -ECONNREFUSED);
	assert_int_equal(e.opened, 0);
	(void)conn_free(e.conn);
	loop_end(&loop);
}

static void a_conn_may_be_freed_inside_its_own_callback(void **unused)
{
	struct pair p;

	(void)unused;
	pair_open(&p, NULL);
	settle(&p.loop);
	p.server.free_on_event = true;
	assert_int_equal(conn_write(p.client.conn, SLICE("x")), 0);
	assert_true(run(&p.loop, 5000));
	assert_null(p.server.conn);
	settle(&p.loop);
	assert_true(p.client.eof);
	pair_close(&p);
}

static void the_source_address_asked_for_is_used(void **unused)
{
	struct pair p;
	struct ip want, peer;

	(void)unused;
	pair_open(&p, "127.0.0.2");
	settle(&p.loop);
	assert_int_equal(ip_parse(SLICE("127.0.0.2"), &want), 0);
	peer = conn_peer_ip(p.server.conn);
	assert_true(ip_eq(&peer, &want));
	pair_close(&p);
}

static void a_reset_is_told_after_what_came_before_it(void **unused)
{
	const struct linger now = { .l_onoff = 1 };
	struct conn_target to;
	struct sockaddr_storage ss;
	struct loop loop;
	struct end e;
	int listener, raw, fd;

	(void)unused;
	loop_init(&loop);
	end_init(&e, &loop);
	listener = listen_fd(&to);
	raw = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(raw, (struct sockaddr *)&ss, ip_sockaddr(&to.ip, to.port, &ss)),
			 0);
	fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	assert_int_equal(conn_adopt(&e.conn, &loop, fd, &e.user), 0);
	assert_int_equal(send(raw, "hello", 5, 0), 5);
	settle(&loop);
	assert_true(slice_eq(buf_data(&e.in), SLICE("hello")));
	assert_int_equal(setsockopt(raw, SOL_SOCKET, SO_LINGER, &now, sizeof(now)), 0);
	assert_int_equal(close(raw), 0);
	assert_true(run(&loop, 1000));
	assert_true(e.failed == 1 && e.err == -ECONNRESET);
	assert_int_equal(conn_write(e.conn, SLICE("x")), -ENOTCONN);
	e.conn = conn_free(e.conn);
	assert_null(conn_free(NULL));
	(void)close(listener);
	loop_end(&loop);
	buf_free(&e.in);
}

static void a_source_that_is_not_ours_is_refused_at_once(void **unused)
{
	struct conn_target to;
	struct loop loop;
	struct end e;
	int listener, file = open("/dev/null", O_RDWR | O_CLOEXEC);

	(void)unused;
	loop_init(&loop);
	end_init(&e, &loop);
	listener = listen_fd(&to);
	assert_int_equal(ip_parse(SLICE("192.0.2.77"), &to.source), 0);
	assert_int_equal(conn_open(&e.conn, &loop, &to, &e.user), -EADDRNOTAVAIL);
	assert_int_equal(conn_adopt(&e.conn, &loop, file, &e.user), -ENOTSOCK);
	assert_null(e.conn);
	(void)close(file);
	(void)close(listener);
	loop_end(&loop);
}

static void a_plain_connection_has_nothing_of_tls(void **unused)
{
	struct pair p;
	char text[64] = "x";

	(void)unused;
	pair_open(&p, NULL);
	assert_false(conn_is_tls(p.client.conn));
	assert_false(conn_tls_resumed(p.client.conn));
	assert_null(conn_tls_session(p.client.conn));
	assert_string_equal(conn_tls_text(p.client.conn, text, sizeof(text)), "");
	pair_close(&p);
}

static void each_side_knows_its_own_address_given_or_picked(void **unused)
{
	static const char *const given[] = { "127.0.0.2", NULL };

	(void)unused;
	for (unsigned i = 0; i < ARRAY_LEN(given); i++) {
		struct pair p;
		pair_open(&p, given[i]);
		settle(&p.loop);
		struct ip ours = conn_local_ip(p.client.conn), seen = conn_peer_ip(p.server.conn);
		assert_int_equal(ours.family, AF_INET);
		assert_true(ip_eq(&ours, &seen));
		pair_close(&p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_side_knows_its_own_address_given_or_picked),
		cmocka_unit_test(what_is_queued_in_one_turn_arrives_in_order),
		cmocka_unit_test(a_large_message_flows_without_queueing_more_than_the_high_mark),
		cmocka_unit_test(a_reader_that_takes_nothing_holds_no_more_than_the_input_limit),
		cmocka_unit_test(pausing_keeps_input_in_the_kernel),
		cmocka_unit_test(the_end_of_input_is_told_and_what_came_before_is_kept),
		cmocka_unit_test(a_refused_connection_fails_once_with_its_reason),
		cmocka_unit_test(a_conn_may_be_freed_inside_its_own_callback),
		cmocka_unit_test(the_source_address_asked_for_is_used),
		cmocka_unit_test(a_reset_is_told_after_what_came_before_it),
		cmocka_unit_test(a_source_that_is_not_ours_is_refused_at_once),
		cmocka_unit_test(a_plain_connection_has_nothing_of_tls),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
