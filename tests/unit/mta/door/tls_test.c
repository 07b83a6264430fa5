/* TLS of the real network door, client and server over loopback. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <unistd.h>

#include "tests/unit/mta/door/door_pair.h"

static const struct tls_check any = { .names = { "mx.test" }, .n_names = 1 };
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
	(void)snprintf(
	    command, sizeof(command),
	    "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 "
	    "-subj /CN=mx.test -keyout %s -out %s 2>/dev/null",
	    key, cert);
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
	assert_int_equal(tls_client_new(&t->client, NULL), 0);
	assert_int_equal(tls_server_new(&t->server, cert, key), 0);
}
static void contexts_close(struct tls_pair *t)
{
	(void)tls_context_free(t->client);
	(void)tls_context_free(t->server);
}

/* Two ends that are connected. */
static void begin(struct tls_pair *t, struct pair *p)
{
	contexts_open(t);
	pair_open(p, NULL);
	settle(&p->loop);
}

static void end(struct tls_pair *t, struct pair *p)
{
	pair_close(p);
	contexts_close(t);
}

static void tls_fails(struct pair *p)
{
	assert_true(run(&p->loop, 5000));
	assert_int_equal(p->client.failed, 1);
	assert_int_equal(p->client.err, E_TLS);
}

static void start_tls(struct pair *p, struct tls_pair *t, struct tls_session *resume)
{
	size_t dropped;

	settle(&p->loop);
	assert_int_equal(conn_start_tls(p->client.conn, t->client, &any, resume, &dropped), 0);
	assert_int_equal(conn_start_tls(p->server.conn, t->server, NULL, NULL, &dropped), 0);
}

static void an_encrypted_stream_flows_both_ways_and_says_what_it_is(void **unused)
{
	struct tls_pair t;
	struct pair p;
	char text[128];

	(void)unused;
	begin(&t, &p);
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
	end(&t, &p);
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
	begin(&t, &p);
	p.client.keep_input = true;
	assert_int_equal(conn_write(p.server.conn, SLICE("250 injected\r\n")), 0);
	settle(&p.loop);
	assert_int_equal(conn_start_tls(p.client.conn, t.client, &any, NULL, &dropped), 0);
	assert_int_equal(dropped, 14);
	assert_int_equal(conn_input(p.client.conn).n, 0);
	assert_int_equal(conn_write(p.client.conn, SLICE("secret")), -EBUSY);
	end(&t, &p);
}

static void a_peer_that_answers_the_handshake_in_plain_text_is_a_tls_failure(void **unused)
{
	struct tls_pair t;
	struct pair p;
	size_t dropped;

	(void)unused;
	begin(&t, &p);
	assert_int_equal(conn_start_tls(p.client.conn, t.client, &any, NULL, &dropped), 0);
	assert_int_equal(conn_write(p.server.conn, SLICE("500 what?\r\n")), 0);
	tls_fails(&p);
	end(&t, &p);
}

static void a_peer_that_closes_during_the_handshake_is_a_tls_failure(void **unused)
{
	struct tls_pair t;
	struct pair p;
	size_t dropped;

	(void)unused;
	begin(&t, &p);
	assert_int_equal(conn_start_tls(p.client.conn, t.client, &any, NULL, &dropped), 0);
	p.server.conn = conn_free(p.server.conn);
	tls_fails(&p);
	end(&t, &p);
}

static void what_the_server_queued_before_the_handshake_leaves_in_plain(void **unused)
{
	struct tls_pair t;
	struct pair p;
	size_t dropped;

	(void)unused;
	begin(&t, &p);
	assert_int_equal(conn_write(p.server.conn, SLICE("220 go\r\n")), 0);
	assert_int_equal(conn_start_tls(p.server.conn, t.server, NULL, NULL, &dropped), 0);
	p.client.stop_at = 8;
	assert_true(run(&p.loop, 5000));
	assert_true(slice_eq(buf_data(&p.client.in), SLICE("220 go\r\n")));
	p.client.stop_at = 0;
	p.client.to_send = p.server.stop_at = 5;
	assert_int_equal(conn_start_tls(p.client.conn, t.client, &any, NULL, &dropped), 0);
	assert_true(run(&p.loop, 5000));
	assert_int_equal(buf_len(&p.server.in), 5);
	assert_int_equal(p.server.tls_done, 1);
	end(&t, &p);
}

/* Case 21 of the matrix: an endless list of certificates is not read to its end. */
static void an_endless_certificate_chain_is_a_tls_failure(void **unused)
{
	char command[512], chain[80];
	struct tls_pair t;
	struct pair p;

	(void)unused;
	(void)snprintf(chain, sizeof(chain), "%s/chain.pem", dir);
	(void)snprintf(command, sizeof(command), "for i in $(seq 600); do cat %s; done > %s", cert,
		       chain);
	assert_int_equal(system(command), 0);
	assert_int_equal(tls_client_new(&t.client, NULL), 0);
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

static void a_certificate_that_cannot_be_used_gives_no_context(void **unused)
{
	struct tls_context *t = NULL;

	(void)unused;
	assert_true(tls_server_new(&t, "/nonexistent.pem", key) < 0);
	assert_true(tls_server_new(&t, cert, "/nonexistent.pem") < 0);
	assert_true(tls_server_new(&t, cert, cert) < 0); /* no private key in it */
	assert_true(tls_server_new(&t, key, key) < 0);
	assert_null(t);
	assert_null(tls_context_free(NULL));
}

static void a_handshake_is_begun_once_and_needs_no_name(void **unused)
{
	static const char *const names[] = { NULL, "", "192.0.2.1", "mx.test" };
	size_t dropped;

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct tls_pair t;
		struct pair p;
		const struct tls_check check = { .names = { names[i] }, .n_names = 1 };
		contexts_open(&t);
		pair_open(&p, NULL);
		settle(&p.loop);
		assert_int_equal(conn_start_tls(p.client.conn, t.client, &check, NULL, &dropped),
				 0);
		assert_int_equal(conn_start_tls(p.client.conn, t.client, &check, NULL, &dropped),
				 -EINVAL);
		assert_false(conn_is_tls(p.client.conn)); /* not yet */
		assert_int_equal(conn_start_tls(p.server.conn, t.server, NULL, NULL, &dropped), 0);
		settle(&p.loop);
		assert_true(p.client.tls_done == 1 && p.server.tls_done == 1);
		assert_true(conn_is_tls(p.client.conn) && !conn_tls_resumed(p.client.conn));
		pair_close(&p);
		contexts_close(&t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_encrypted_stream_flows_both_ways_and_says_what_it_is),
		cmocka_unit_test(a_ticket_kept_from_one_connection_resumes_the_next),
		cmocka_unit_test(plain_bytes_held_before_the_handshake_are_dropped_and_counted),
		cmocka_unit_test(a_peer_that_answers_the_handshake_in_plain_text_is_a_tls_failure),
		cmocka_unit_test(a_peer_that_closes_during_the_handshake_is_a_tls_failure),
		cmocka_unit_test(what_the_server_queued_before_the_handshake_leaves_in_plain),
		cmocka_unit_test(an_endless_certificate_chain_is_a_tls_failure),
		cmocka_unit_test(a_certificate_that_cannot_be_used_gives_no_context),
		cmocka_unit_test(a_handshake_is_begun_once_and_needs_no_name),
	};
	return cmocka_run_group_tests(tests, make_certificate, remove_certificate);
}
