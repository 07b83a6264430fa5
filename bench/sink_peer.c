/* bench/sink_peer.c - connections of the sink: reading, writing, TLS, answers held back. */
#include <openssl/err.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "bench/sink_peer.h"
#include "bench/sink_session.h"

enum { READ_SIZE = 64 * 1024 };

static struct list delay_list = LIST_INIT(delay_list);

struct peer *peer_new(int fd, const char *ip)
{
	struct peer *p = must_alloc(sizeof(*p));

	p->fd = fd;
	list_init(&p->delayed);
	(void)slice_copy(p->ip, sizeof(p->ip), slice_str(ip));
	sink.stats.connections++;
	sink.stats.open++;
	sink.stats.peak_open = MAX_OF(sink.stats.peak_open, sink.stats.open);
	return p;
}

void peer_close(struct peer *p)
{
	list_remove(&p->delayed);
	if (p->ssl)
		SSL_free(p->ssl);
	close(p->fd);
	buf_free(&p->in);
	buf_free(&p->out);
	buf_free(&p->body);
	buf_free(&p->held);
	free(p);
	sink.stats.open--;
}

void peer_say(struct peer *p, const char *text)
{
	buf_put(list_empty(&p->delayed) ? &p->out : &p->held, slice_str(text));
}

static void join_delayed(struct peer *p, int64_t delay_ms)
{
	struct list *at = delay_list.prev;

	p->due_ms = clock_mono_ms() + delay_ms;
	/* A run has few different delays, so insertion from the back stays short. */
	while (at != &delay_list && container_of(at, struct peer, delayed)->due_ms > p->due_ms)
		at = at->prev;
	list_insert_before(at->next, &p->delayed);
}

void peer_hold_back(struct peer *p, int64_t delay_ms)
{
	if (!buf_len(&p->out) || !list_empty(&p->delayed))
		return;
	buf_put(&p->held, buf_data(&p->out));
	buf_clear(&p->out);
	join_delayed(p, delay_ms);
}

void peer_say_late(struct peer *p, const char *text, int64_t delay_ms)
{
	if (delay_ms > 0 && list_empty(&p->delayed))
		join_delayed(p, delay_ms);
	peer_say(p, text);
}

static ssize_t transport_read(struct peer *p, char *dst, size_t n)
{
	if (!p->ssl)
		return recv(p->fd, dst, n, 0);
	int r = SSL_read(p->ssl, dst, (int)n);
	if (r > 0)
		return r;
	int e = SSL_get_error(p->ssl, r);
	ERR_clear_error();
	errno = EAGAIN;
	return e == SSL_ERROR_WANT_READ || e == SSL_ERROR_WANT_WRITE ? -1 : 0;
}

static ssize_t transport_write(struct peer *p, const char *src, size_t n)
{
	if (!p->ssl)
		return send(p->fd, src, n, MSG_NOSIGNAL);
	int r = SSL_write(p->ssl, src, (int)n);
	if (r > 0)
		return r;
	int e = SSL_get_error(p->ssl, r);
	ERR_clear_error();
	errno = e == SSL_ERROR_WANT_READ || e == SSL_ERROR_WANT_WRITE ? EAGAIN : EPIPE;
	return -1;
}

bool peer_flush(struct peer *p)
{
	while (buf_len(&p->out)) {
		ssize_t n = transport_write(p, buf_data(&p->out).p, buf_len(&p->out));
		if (n < 0 && errno == EAGAIN)
			break;
		if (n <= 0)
			return false;
		buf_consume(&p->out, (size_t)n);
	}
	bool want = buf_len(&p->out) > 0;
	if (want != p->wants_write) {
		struct epoll_event e = { .events = EPOLLIN | (want ? EPOLLOUT : 0), .data.ptr = p };
		epoll_ctl(sink.epfd, EPOLL_CTL_MOD, p->fd, &e);
		p->wants_write = want;
	}
	return want || !p->closing || !list_empty(&p->delayed);
}

int peer_release_delayed(void)
{
	int64_t now = clock_mono_ms();

	while (!list_empty(&delay_list)) {
		struct peer *p = container_of(delay_list.next, struct peer, delayed);
		if (p->due_ms > now)
			return (int)(p->due_ms - now);
		list_remove(&p->delayed);
		buf_put(&p->out, buf_data(&p->held));
		buf_clear(&p->held);
		bool alive = peer_flush(p);
		if (alive && sink.conf.away_ms) {
			sink_session_hear(p); /* what came meanwhile */
			alive = peer_flush(p);
		}
		if (!alive)
			peer_close(p);
	}
	return 200;
}

void peer_start_tls(struct peer *p)
{
	p->ssl = SSL_new(sink.tls);
	SSL_set_fd(p->ssl, p->fd);
	SSL_set_accept_state(p->ssl);
	p->handshaking = true;
}

static bool handshake(struct peer *p)
{
	int r = SSL_accept(p->ssl);

	if (r == 1) {
		p->handshaking = false;
		sink.stats.tls++;
		sink.stats.resumed += (uint64_t)SSL_session_reused(p->ssl);
		return true;
	}
	int e = SSL_get_error(p->ssl, r);
	ERR_clear_error();
	return e == SSL_ERROR_WANT_READ || e == SSL_ERROR_WANT_WRITE;
}

bool peer_readable(struct peer *p)
{
	for (int turns = 0; turns < 16; turns++) {
		if (p->handshaking) {
			if (!handshake(p))
				return false;
			if (p->handshaking)
				return true;
		}
		struct buf *to = p->in_data ? &p->body : &p->in;
		if (buf_reserve(to, READ_SIZE) < 0)
			return false;
		ssize_t n = transport_read(p, buf_tail(to), READ_SIZE);
		if (n == 0 || (n < 0 && errno != EAGAIN))
			return false;
		if (n < 0)
			break;
		buf_grow(to, (size_t)n);
		sink_session_hear(p);
		if (!p->ssl && n < READ_SIZE)
			break;
	}
	return peer_flush(p);
}
