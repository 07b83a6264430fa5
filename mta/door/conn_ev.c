/* The life of a conn: connecting, events, closing.
 *
 *	CONNECTING -> PLAIN -> HANDSHAKE -> TLS
 *	any of these -> BROKEN (told once, kept until conn_free) -> CLOSED (until turn end) */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include "mta/door/conn_int.h"

void conn_tell(struct conn *c, enum conn_event e, int err)
{
	if (c->state != CONN_CLOSED)
		c->user->event(c->user, e, err);
}

void conn_watch(struct conn *c, struct ev_io *w, bool on)
{
	if (on && !ev_is_active(w))
		ev_io_start(c->loop->ev, w);
	else if (!on && ev_is_active(w))
		ev_io_stop(c->loop->ev, w);
}

void conn_break(struct conn *c, int err)
{
	if (!conn_live(c))
		return;
	conn_watch(c, &c->rd, false);
	conn_watch(c, &c->wr, false);
	c->state = CONN_BROKEN;
	conn_tell(c, CONN_FAILED, err);
}

static void finish_connecting(struct conn *c)
{
	int err = 0;
	socklen_t n = sizeof(err);

	if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &err, &n) < 0)
		err = errno;
	if (err) {
		conn_break(c, -err);
		return;
	}
	c->state = CONN_PLAIN;
	conn_watch(c, &c->wr, false);
	conn_watch_input(c);
	conn_tell(c, CONN_OPEN, 0);
}

static void on_readable(struct ev_loop *ev, struct ev_io *w, int revents)
{
	struct conn *c = w->data;
	int r;

	(void)ev;
	(void)revents;
	if (c->state == CONN_HANDSHAKE) {
		conn_tls_handshake(c);
		return;
	}
	r = conn_fill(c);
	if (r < 0) {
		conn_break(c, r);
		return;
	}
	if (r > 0)
		conn_tell(c, CONN_READABLE, 0);
	if (conn_live(c))
		conn_watch_input(c);
}

static void on_writable(struct ev_loop *ev, struct ev_io *w, int revents)
{
	struct conn *c = w->data;
	int r;

	(void)ev;
	(void)revents;
	if (c->state == CONN_CONNECTING) {
		finish_connecting(c);
		return;
	}
	if (c->state == CONN_HANDSHAKE) {
		conn_tls_handshake(c);
		return;
	}
	r = conn_flush(c);
	if (r < 0) {
		conn_break(c, r);
		return;
	}
	if (c->full && c->unsent <= CONN_OUT_HIGH / 2) {
		c->full = false;
		conn_watch(c, &c->wr, c->unsent > 0);
		conn_tell(c, CONN_WRITABLE, 0);
	}
}

/* Output of the turn leaves; a block of input that was used up goes back. */
static void on_turn_end(struct turn_end *t)
{
	struct conn *c = container_of(t, struct conn, turn);
	int r;

	if (!conn_live(c) || c->state == CONN_CONNECTING)
		return;
	if (c->in && c->in->start == c->in->end) {
		block_give(c->loop, c->in);
		c->in = NULL;
	}
	if (c->state == CONN_HANDSHAKE)
		return;
	r = conn_flush(c);
	if (r < 0)
		conn_break(c, r);
}

static struct conn *make_conn(struct loop *l, int fd, struct conn_user *u, enum conn_state state)
{
	struct conn *c = must_alloc(sizeof(*c));

	c->loop = l;
	c->user = u;
	c->fd = fd;
	c->state = state;
	list_init(&c->turn.link);
	c->turn.run = on_turn_end;
	ev_io_init(&c->rd, on_readable, fd, EV_READ);
	ev_io_init(&c->wr, on_writable, fd, EV_WRITE);
	c->rd.data = c->wr.data = c;
	return c;
}

static int bind_source(int fd, const struct ip *source)
{
	struct sockaddr_storage ss;
	socklen_t n = ip_sockaddr(source, 0, &ss);
	int one = 1;

	/* The port is chosen at connect(), where only the four-tuple must be free. */
	(void)setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one));
	return bind(fd, (struct sockaddr *)&ss, n) < 0 ? -errno : 0;
}

static void no_delay(int fd)
{
	int one = 1;

	/* Fails on Unix sockets, which never delay. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

int conn_open(struct conn **ret, struct loop *l, const struct conn_target *to, struct conn_user *u)
{
	struct sockaddr_storage ss;
	socklen_t n = ip_sockaddr(&to->ip, to->port, &ss);
	OWNED_FD int fd = -1;
	struct conn *c;
	int r;

	fd = socket(ss.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (to->source.family) {
		r = bind_source(fd, &to->source);
		if (r < 0)
			return r;
	}
	no_delay(fd);
	if (connect(fd, (struct sockaddr *)&ss, n) < 0 && errno != EINPROGRESS)
		return -errno;
	c = make_conn(l, fd, u, CONN_CONNECTING);
	fd = -1;
	c->peer = to->ip;
	conn_watch(c, &c->wr, true);
	*ret = c;
	return 0;
}

int conn_source_check(const struct ip *source)
{
	OWNED_FD int fd = -1;

	if (!source->family)
		return 0;
	fd = socket(source->family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	return fd < 0 ? -errno : bind_source(fd, source);
}

int conn_adopt(struct conn **ret, struct loop *l, int fd, struct conn_user *u)
{
	struct sockaddr_storage ss = { 0 };
	socklen_t n = sizeof(ss);
	struct conn *c;
	uint16_t port;

	if (getpeername(fd, (struct sockaddr *)&ss, &n) < 0)
		return -errno;
	no_delay(fd);
	c = make_conn(l, fd, u, CONN_PLAIN);
	if (ss.ss_family == AF_INET || ss.ss_family == AF_INET6)
		ip_from_sockaddr((struct sockaddr *)&ss, &c->peer, &port);
	conn_watch_input(c);
	*ret = c;
	return 0;
}

static void reap(struct turn_end *t)
{
	free(container_of(t, struct conn, turn));
}

struct conn *conn_free(struct conn *c)
{
	if (!c || c->state == CONN_CLOSED)
		return NULL;
	if (c->state == CONN_PLAIN || c->state == CONN_TLS)
		(void)conn_flush(c);
	conn_watch(c, &c->rd, false);
	conn_watch(c, &c->wr, false);
	/* A read fed by hand must not outlive the conn. */
	(void)ev_clear_pending(c->loop->ev, &c->rd);
	(void)ev_clear_pending(c->loop->ev, &c->wr);
	conn_tls_end(c);
	(void)close(c->fd);
	conn_drop_buffers(c);
	c->state = CONN_CLOSED;
	list_remove(&c->turn.link);
	c->turn.run = reap;
	loop_at_turn_end(c->loop, &c->turn);
	return NULL;
}

struct ip conn_peer_ip(const struct conn *c)
{
	return c->peer;
}

struct ip conn_local_ip(const struct conn *c)
{
	struct sockaddr_storage ss = { 0 };
	socklen_t n = sizeof(ss);
	struct ip ip = { 0 }, any = { 0 };
	uint16_t port;

	if (getsockname(c->fd, (struct sockaddr *)&ss, &n) < 0)
		return ip;
	ip_from_sockaddr((struct sockaddr *)&ss, &ip, &port);
	any.family = ip.family;
	return ip_eq(&ip, &any) ? (struct ip){ 0 } : ip; /* not connected */
}
