/* Buffers of a conn: one block of input at most, a chain of blocks of output. */
#include <sys/socket.h>
#include <sys/uio.h>

#include "mta/door/conn_int.h"

enum { VECTORS = 8 };
static_assert((int)CONN_IN_MAX <= (int)BLOCK_BYTES, "input waits in one block");

/* ---- input ------------------------------------------------------------------------------- */

static size_t input_room(const struct conn *c)
{
	return c->in ? CONN_IN_MAX - (c->in->end - c->in->start) : CONN_IN_MAX;
}

void conn_watch_input(struct conn *c)
{
	bool want = !c->eof && !c->paused && input_room(c) > 0;

	if (c->state == CONN_HANDSHAKE)
		want = true;
	conn_watch(c, &c->rd, want);
	/* Bytes already decrypted, or read but not yet decrypted, raise no event of their own. */
	if (want && c->state == CONN_TLS && !c->drained && SSL_has_pending(c->ssl))
		ev_feed_event(c->loop->ev, &c->rd, EV_READ);
}

static ssize_t read_some(struct conn *c, void *p, size_t n)
{
	ssize_t r;

	if (c->state == CONN_TLS)
		return conn_tls_read(c, p, n);
	r = recv(c->fd, p, n, 0);
	return r < 0 ? -errno : r;
}

static void make_tail_room(struct block *b)
{
	if (b->start == 0)
		return;
	memmove(b->bytes, b->bytes + b->start, b->end - b->start);
	b->end -= b->start;
	b->start = 0;
}

int conn_fill(struct conn *c)
{
	bool came = false;
	ssize_t r;

	if (c->eof || c->paused)
		return 0;
	if (!c->in && !(c->in = block_take(c->loop)))
		return -ENOMEM;
	loop_at_turn_end(c->loop, &c->turn);
	make_tail_room(c->in);
	while (c->in->end < CONN_IN_MAX) {
		r = read_some(c, c->in->bytes + c->in->end, CONN_IN_MAX - c->in->end);
		c->drained = r == -EAGAIN;
		if (r == -EAGAIN || r == -EINTR)
			break;
		if (r < 0) /* what came before the failure is heard first */
			return came ? 1 : (int)r;
		came = true;
		c->eof = r == 0;
		c->in->end += (uint32_t)r;
		/* A short read has emptied the socket, but TLS may hold another record. */
		if (r == 0 || c->state != CONN_TLS || !SSL_has_pending(c->ssl))
			break;
	}
	return came;
}

struct slice conn_input(struct conn *c)
{
	if (!c->in)
		return slice_of("", 0);
	return slice_of(c->in->bytes + c->in->start, c->in->end - c->in->start);
}

void conn_consume(struct conn *c, size_t n)
{
	if (!n)
		return;
	assert(c->in && n <= c->in->end - c->in->start);
	c->in->start += (uint32_t)n;
	if (!conn_live(c))
		return;
	conn_watch_input(c);
	if (c->in->start == c->in->end)
		loop_at_turn_end(c->loop, &c->turn);
}

bool conn_eof(const struct conn *c)
{
	return c->eof;
}

void conn_pause_reading(struct conn *c, bool pause)
{
	c->paused = pause;
	if (conn_live(c) && c->state != CONN_CONNECTING)
		conn_watch_input(c);
}

/* ---- output ------------------------------------------------------------------------------ */

size_t conn_room(const struct conn *c)
{
	return c->unsent >= CONN_OUT_HIGH ? 0 : CONN_OUT_HIGH - c->unsent;
}

size_t conn_unsent(const struct conn *c)
{
	return c->unsent;
}

static struct block *tail_block(struct conn *c)
{
	struct block *b = c->out_last;

	if (b && b->end < BLOCK_BYTES)
		return b;
	b = block_take(c->loop);
	if (!b)
		return NULL;
	if (c->out_last)
		c->out_last->next = b;
	else
		c->out = b;
	c->out_last = b;
	return b;
}

char *conn_out(struct conn *c, size_t *ret_n)
{
	struct block *b = tail_block(c);

	assert(c->state != CONN_HANDSHAKE); /* it would leave unencrypted */
	if (!b)
		abort(); /* the pool is ours and small; as must_alloc */
	*ret_n = BLOCK_BYTES - b->end;
	return b->bytes + b->end;
}

void conn_out_grow(struct conn *c, size_t n)
{
	assert(c->out_last && n <= BLOCK_BYTES - c->out_last->end);
	c->out_last->end += (uint32_t)n;
	c->unsent += n;
	if (c->unsent >= CONN_OUT_HIGH)
		c->full = true;
	if (conn_live(c))
		loop_at_turn_end(c->loop, &c->turn);
}

int conn_write(struct conn *c, struct slice s)
{
	if (!conn_live(c))
		return -ENOTCONN;
	if (c->state == CONN_HANDSHAKE)
		return -EBUSY;
	while (s.n) {
		size_t n;
		char *p = conn_out(c, &n);

		n = MIN_OF(n, s.n);
		memcpy(p, s.p, n);
		conn_out_grow(c, n);
		s = slice_of(s.p + n, s.n - n);
	}
	return 0;
}

static void drop_sent(struct conn *c, size_t n)
{
	c->unsent -= n;
	while (c->out && n >= c->out->end - c->out->start) {
		struct block *b = c->out;

		n -= b->end - b->start;
		c->out = b->next;
		block_give(c->loop, b);
	}
	if (c->out)
		c->out->start += (uint32_t)n;
	else
		c->out_last = NULL;
}

static ssize_t write_plain(struct conn *c)
{
	struct iovec iov[VECTORS];
	struct msghdr m = { .msg_iov = iov };
	ssize_t r;

	for (struct block *b = c->out; b && m.msg_iovlen < VECTORS; b = b->next)
		iov[m.msg_iovlen++] = (struct iovec){ b->bytes + b->start, b->end - b->start };
	r = sendmsg(c->fd, &m, MSG_NOSIGNAL);
	return r < 0 ? -errno : r;
}

static ssize_t write_some(struct conn *c)
{
	if (c->state == CONN_TLS)
		return conn_tls_write(c, c->out->bytes + c->out->start,
				      c->out->end - c->out->start);
	return write_plain(c);
}

int conn_flush(struct conn *c)
{
	ssize_t r = 0;

	while (c->unsent) {
		r = write_some(c);
		if (r < 0)
			break;
		drop_sent(c, (size_t)r);
	}
	if (!c->unsent && c->out) /* room was asked for and not used */
		drop_sent(c, 0);
	if (r < 0 && r != -EAGAIN && r != -EINTR)
		return (int)r;
	/* A writer that waits for room is told from the next turn, so that others get theirs. */
	if (conn_live(c))
		conn_watch(c, &c->wr, c->unsent > 0 || c->full);
	return 0;
}

void conn_discard_output(struct conn *c)
{
	while (c->out) {
		struct block *b = c->out;

		c->out = b->next;
		block_give(c->loop, b);
	}
	c->out_last = NULL;
	c->unsent = 0;
	c->discarded = true;
}

void conn_drop_buffers(struct conn *c)
{
	conn_discard_output(c);
	if (c->in)
		block_give(c->loop, c->in);
	c->in = NULL;
}
