/* Two ends of one connection. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <unistd.h>

#include "tests/unit/mta/door/door_pair.h"

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

void take_input(struct end *e)
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

bool run(struct loop *l, int64_t ms)
{
	struct guard g = { .loop = l };

	timer_init(&g.timer, guard_fire);
	timer_set(l->timers, &g.timer, ms);
	loop_run(l);
	timer_stop(l->timers, &g.timer);
	return !g.fired;
}

void settle(struct loop *l)
{
	(void)run(l, 30);
}

int listen_fd(struct conn_target *ret)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in sin = { .sin_family = AF_INET,
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(sin);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&sin, n), 0);
	assert_int_equal(listen(fd, 8), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sin, &n), 0);
	*ret = (struct conn_target){ .port = ntohs(sin.sin_port) };
	assert_int_equal(ip_parse(SLICE("127.0.0.1"), &ret->ip), 0);
	return fd;
}

void end_init(struct end *e, struct loop *l)
{
	*e = (struct end){ .loop = l, .user.event = on_event };
	buf_init(&e->in, 0);
}

void pair_open(struct pair *p, const char *source)
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

void pair_close(struct pair *p)
{
	(void)conn_free(p->client.conn);
	(void)conn_free(p->server.conn);
	(void)close(p->listener);
	loop_end(&p->loop);
	buf_free(&p->client.in);
	buf_free(&p->server.in);
}

void assert_pattern(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] != pattern(i))
			fail_msg("byte %zu differs", i);
}
