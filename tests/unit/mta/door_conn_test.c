/* The real network door over loopback: a client and a server conn on one loop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "mta/door/conn.h"

struct end {
	struct conn_user user;
	struct loop *loop;
	struct conn *conn;
	struct buf in;
	int opened, writable, tls_done, failed, err;
	bool eof, keep_input, free_on_event, free_self_then_stop;
	size_t to_send, sent, most_unsent, stop_at;
};

static char pattern(size_t i)
{
	return (char)(i * 7 + (i >> 8) * 13 + (i >> 16));
}

static void pump(struct end *e)
{
	while (e->sent < e->to_send && conn_room(e->conn)) {
		size_t n;
		char *p = conn_out(e->conn, &n);

		n = MIN_OF(MIN_OF(n, conn_room(e->conn)), e->to_send - e->sent);
		for (size_t i = 0; i < n; i++)
			p[i] = pattern(e->sent + i);
		conn_out_grow(e->conn, n);
		e->sent += n;
		e->most_unsent = MAX_OF(e->most_unsent, conn_unsent(e->conn));
	}
}

static void take_input(struct end *e)
{
	struct slice s = conn_input(e->conn);

	e->eof = conn_eof(e->conn);
	if (e->keep_input)
		return;
	buf_put(&e->in, s);
	conn_consume(e->conn, s.n);
}

static void on_event(struct conn_user *u, enum conn_event event, int err)
{
	struct end *e = container_of(u, struct end, user);

	if (e->free_on_event) {
		e->conn = conn_free(e->conn);
		loop_stop(e->loop);
		return;
	}
	switch (event) {
	case CONN_OPEN:
		e->opened++;
		pump(e);
		break;
	case CONN_READABLE:
		take_input(e);
		break;
	case CONN_WRITABLE:
		e->writable++;
		pump(e);
		break;
	case CONN_TLS_DONE:
		e->tls_done++;
		pump(e);
		break;
	case CONN_FAILED:
		e->failed++;
		e->err = err;
		break;
	}
	if (e->failed || e->eof || (e->stop_at && buf_len(&e->in) >= e->stop_at))
		loop_stop(e->loop);
}

struct guard {
	struct timer timer;
	struct loop *loop;
	bool fired;
};
static void guard_fire(struct timer *t)
{
	struct guard *g = container_of(t, struct guard, timer);

	g->fired = true;
	loop_stop(g->loop);
}

/* Runs until a callback stops the loop, or `ms` passed: then false. */
static bool run(struct loop *l, int64_t ms)
{
	struct guard g = { .loop = l };

	timer_init(&g.timer, guard_fire);
	timer_set(l->timers, &g.timer, ms);
	loop_run(l);
	timer_stop(l->timers, &g.timer);
	return !g.fired;
}

static void settle(struct loop *l)
{
	(void)run(l, 30);
}

static int listen_fd(struct conn_target *ret)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(sin);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&sin, n), 0);
	assert_int_equal(listen(fd, 8), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sin, &n), 0);
	*ret = (struct conn_target){ .port = ntohs(sin.sin_port) };
	assert_int_equal(ip_parse(SLICE("127.0.0.1"), &ret->ip), 0);
	return fd;
}

struct pair {
	struct loop loop;
	struct end client, server;
	int listener;
};

static void end_init(struct end *e, struct loop *l)
{
	*e = (struct end){ .loop = l, .user.event = on_event };
	buf_init(&e->in, 0);
}

static void pair_open(struct pair *p, const char *source)
{
	struct conn_target to;
	int fd;

	memset(p, 0, sizeof(*p));
	loop_init(&p->loop);
	end_init(&p->client, &p->loop);
	end_init(&p->server, &p->loop);
	p->listener = listen_fd(&to);
	if (source)
		assert_int_equal(ip_parse(slice_str(source), &to.source), 0);
	assert_int_equal(conn_open(&p->client.conn, &p->loop, &to, &p->client.user), 0);
	fd = accept4(p->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(conn_adopt(&p->server.conn, &p->loop, fd, &p->server.user), 0);
}

static void pair_close(struct pair *p)
{
	(void)conn_free(p->client.conn);
	(void)conn_free(p->server.conn);
	(void)close(p->listener);
	loop_end(&p->loop);
	buf_free(&p->client.in);
	buf_free(&p->server.in);
}

static void assert_pattern(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] != pattern(i))
			fail_msg("byte %zu differs", i);
}

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
	struct ip want, local, peer;

	(void)unused;
	pair_open(&p, "127.0.0.2");
	settle(&p.loop);
	assert_int_equal(ip_parse(SLICE("127.0.0.2"), &want), 0);
	local = conn_local_ip(p.client.conn);
	peer = conn_peer_ip(p.server.conn);
	assert_true(ip_eq(&local, &want));
	assert_true(ip_eq(&peer, &want));
	pair_close(&p);
}

/* ---- TLS ------------------------------------------------------------------------------------ */

static char dir[] = "/tmp/postern-door-XXXXXX";
static char cert[64], key[64];

static int make_certificate(void **unused)
{
	char command[512];

	(void)unused;
	if (!mkdtemp(dir))
		return -1;
	(void)snprintf(cert, sizeof(cert), "%s/cert.pem", dir);
	(void)snprintf(key, sizeof(key), "%s/key.pem", dir);
	(void)snprintf(command, sizeof(command),
		       "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 "
		       "-subj /CN=mx.test -keyout %s -out %s 2>/dev/null", key, cert);
	return system(command);
}

static int remove_certificate(void **unused)
{
	(void)unused;
	(void)unlink(cert);
	(void)unlink(key);
	return rmdir(dir);
}

struct tls_pair {
	struct tls_context *client, *server;
};
static void contexts_open(struct tls_pair *t)
{
	assert_int_equal(tls_client_new(&t->client), 0);
	assert_int_equal(tls_server_new(&t->server, cert, key), 0);
}
static void contexts_close(struct tls_pair *t)
{
	(void)tls_context_free(t->client);
	(void)tls_context_free(t->server);
}

static void start_tls(struct pair *p, struct tls_pair *t, struct tls_session *resume)
{
	size_t dropped;

	settle(&p->loop);
	assert_int_equal(conn_start_tls(p->client.conn, t->client, "mx.test", resume, &dropped), 0);
	assert_int_equal(conn_start_tls(p->server.conn, t->server, NULL, NULL, &dropped), 0);
}

static void an_encrypted_stream_flows_both_ways_and_says_what_it_is(void **unused)
{
	struct tls_pair t;
	struct pair p;
	char text[128];

	(void)unused;
	contexts_open(&t);
	pair_open(&p, NULL);
	settle(&p.loop);
	p.client.to_send = p.server.stop_at = 3 << 20;
	p.server.to_send = 100000;
	start_tls(&p, &t, NULL);
	while (buf_len(&p.server.in) < (3 << 20) || buf_len(&p.client.in) < 100000)
		assert_true(run(&p.loop, 20000) || buf_len(&p.client.in) >= 100000);
	assert_pattern(buf_data(&p.server.in));
	assert_pattern(buf_data(&p.client.in));
	assert_true(conn_is_tls(p.client.conn) && conn_is_tls(p.server.conn));
	assert_true(strncmp(conn_tls_text(p.client.conn, text, sizeof(text)), "TLSv1.3 ", 8) == 0);
	assert_false(conn_tls_resumed(p.client.conn));
	pair_close(&p);
	contexts_close(&t);
}

static void a_ticket_kept_from_one_connection_resumes_the_next(void **unused)
{
	struct tls_session *ticket = NULL;
	struct tls_pair t;
	struct pair p;

	(void)unused;
	contexts_open(&t);
	for (int i = 0; i < 2; i++) {
		pair_open(&p, NULL);
		settle(&p.loop);
		p.client.to_send = p.server.stop_at = 10;
		p.server.to_send = 10;
		start_tls(&p, &t, ticket);
		settle(&p.loop);
		settle(&p.loop);
		assert_int_equal(p.client.tls_done, 1);
		assert_int_equal(conn_tls_resumed(p.client.conn), i);
		(void)tls_session_unref(ticket);
		ticket = conn_tls_session(p.client.conn);
		assert_non_null(ticket);
		pair_close(&p);
	}
	(void)tls_session_unref(ticket);
	contexts_close(&t);
}

static void plain_bytes_held_before_the_handshake_are_dropped_and_counted(void **unused)
{
	struct tls_pair t;
	struct pair p;
	size_t dropped;

	(void)unused;
	contexts_open(&t);
	pair_open(&p, NULL);
	settle(&p.loop);
	p.client.keep_input = true;
	assert_int_equal(conn_write(p.server.conn, SLICE("250 injected\r\n")), 0);
	settle(&p.loop);
	assert_int_equal(conn_start_tls(p.client.conn, t.client, "mx.test", NULL, &dropped), 0);
	assert_int_equal(dropped, 14);
	assert_int_equal(conn_input(p.client.conn).n, 0);
	assert_int_equal(conn_write(p.client.conn, SLICE("secret")), -EBUSY);
	pair_close(&p);
	contexts_close(&t);
}

static void a_peer_that_answers_the_handshake_in_plain_text_is_a_tls_failure(void **unused)
{
	struct tls_pair t;
	struct pair p;
	size_t dropped;

	(void)unused;
	contexts_open(&t);
	pair_open(&p, NULL);
	settle(&p.loop);
	assert_int_equal(conn_start_tls(p.client.conn, t.client, "mx.test", NULL, &dropped), 0);
	assert_int_equal(conn_write(p.server.conn, SLICE("500 what?\r\n")), 0);
	assert_true(run(&p.loop, 5000));
	assert_int_equal(p.client.failed, 1);
	assert_int_equal(p.client.err, E_TLS);
	pair_close(&p);
	contexts_close(&t);
}

static void a_peer_that_closes_during_the_handshake_is_a_tls_failure(void **unused)
{
	struct tls_pair t;
	struct pair p;
	size_t dropped;

	(void)unused;
	contexts_open(&t);
	pair_open(&p, NULL);
	settle(&p.loop);
	assert_int_equal(conn_start_tls(p.client.conn, t.client, "mx.test", NULL, &dropped), 0);
	p.server.conn = conn_free(p.server.conn);
	assert_true(run(&p.loop, 5000));
	assert_int_equal(p.client.failed, 1);
	assert_int_equal(p.client.err, E_TLS);
	pair_close(&p);
	contexts_close(&t);
}

static void what_the_server_queued_before_the_handshake_leaves_in_plain(void **unused)
{
	struct tls_pair t;
	struct pair p;
	size_t dropped;

	(void)unused;
	contexts_open(&t);
	pair_open(&p, NULL);
	settle(&p.loop);
	assert_int_equal(conn_write(p.server.conn, SLICE("220 go\r\n")), 0);
	assert_int_equal(conn_start_tls(p.server.conn, t.server, NULL, NULL, &dropped), 0);
	p.client.stop_at = 8;
	assert_true(run(&p.loop, 5000));
	assert_true(slice_eq(buf_data(&p.client.in), SLICE("220 go\r\n")));
	p.client.stop_at = 0;
	p.client.to_send = p.server.stop_at = 5;
	assert_int_equal(conn_start_tls(p.client.conn, t.client, "mx.test", NULL, &dropped), 0);
	assert_true(run(&p.loop, 5000));
	assert_int_equal(buf_len(&p.server.in), 5);
	assert_int_equal(p.server.tls_done, 1);
	pair_close(&p);
	contexts_close(&t);
}

/* The matrix' 21: more certificates than anybody needs are not read to their end. */
static void an_endless_certificate_chain_is_a_tls_failure(void **unused)
{
	char command[512], chain[80];
	struct tls_pair t;
	struct pair p;

	(void)unused;
	(void)snprintf(chain, sizeof(chain), "%s/chain.pem", dir);
	(void)snprintf(command, sizeof(command), "for i in $(seq 600); do cat %s; done > %s", cert, chain);
	assert_int_equal(system(command), 0);
	assert_int_equal(tls_client_new(&t.client), 0);
	assert_int_equal(tls_server_new(&t.server, chain, key), 0);
	pair_open(&p, NULL);
	start_tls(&p, &t, NULL);
	assert_true(run(&p.loop, 10000));
	settle(&p.loop);
	assert_int_equal(p.client.failed, 1);
	assert_int_equal(p.client.err, E_TLS);
	pair_close(&p);
	contexts_close(&t);
	assert_int_equal(unlink(chain), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_queued_in_one_turn_arrives_in_order),
		cmocka_unit_test(a_large_message_flows_without_queueing_more_than_the_high_mark),
		cmocka_unit_test(a_reader_that_takes_nothing_holds_no_more_than_the_input_limit),
		cmocka_unit_test(pausing_keeps_input_in_the_kernel),
		cmocka_unit_test(the_end_of_input_is_told_and_what_came_before_is_kept),
		cmocka_unit_test(a_refused_connection_fails_once_with_its_reason),
		cmocka_unit_test(a_conn_may_be_freed_inside_its_own_callback),
		cmocka_unit_test(the_source_address_asked_for_is_used),
		cmocka_unit_test(an_encrypted_stream_flows_both_ways_and_says_what_it_is),
		cmocka_unit_test(a_ticket_kept_from_one_connection_resumes_the_next),
		cmocka_unit_test(plain_bytes_held_before_the_handshake_are_dropped_and_counted),
		cmocka_unit_test(a_peer_that_answers_the_handshake_in_plain_text_is_a_tls_failure),
		cmocka_unit_test(a_peer_that_closes_during_the_handshake_is_a_tls_failure),
		cmocka_unit_test(what_the_server_queued_before_the_handshake_leaves_in_plain),
		cmocka_unit_test(an_endless_certificate_chain_is_a_tls_failure),
	};
	return cmocka_run_group_tests(tests, make_certificate, remove_certificate);
}
