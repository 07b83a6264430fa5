/* control/engine/carrier.c - a socket, two buffers, and frames cut from them. */
#include "control/engine/carrier.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"

enum { READ_STEP = 256 * 1024, KEEP = 1024 * 1024 };

struct carrier {
	int fd;
	struct buf in, out;
	size_t used;              /* bytes of `in` that the last frame given stands on */
	struct wire_arena *arena; /* values of the last frame */
	struct carrier_welcome welcome;
};

struct carrier *carrier_free(struct carrier *c)
{
	if (!c)
		return NULL;
	if (c->fd >= 0)
		(void)close(c->fd);
	buf_free(&c->in);
	buf_free(&c->out);
	wire_arena_free(c->arena);
	free(c);
	return NULL;
}

const struct carrier_welcome *carrier_welcome(const struct carrier *c)
{
	return &c->welcome;
}

size_t carrier_unsent(const struct carrier *c)
{
	return buf_len(&c->out);
}

static int connect_unix(const char *path)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	OWNED_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	if (strlen(path) >= sizeof(to.sun_path))
		return -ENAMETOOLONG;
	slice_copy(to.sun_path, sizeof(to.sun_path), slice_str(path));
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		return -errno;
	if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
		return -errno;
	int r = fd;
	fd = -1;
	return r;
}

static int flush(struct carrier *c)
{
	while (buf_len(&c->out)) {
		struct slice s = buf_data(&c->out);
		ssize_t n = send(c->fd, s.p, s.n, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? 0 : -errno;
		buf_consume(&c->out, (size_t)n);
	}
	buf_shrink(&c->out, KEEP);
	return 0;
}

static int fill(struct carrier *c)
{
	ssize_t n;
	int r = buf_reserve(&c->in, READ_STEP);

	if (r < 0)
		return r;
	do
		n = recv(c->fd, buf_tail(&c->in), READ_STEP, 0);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN ? 0 : -errno;
	if (n == 0)
		return E_EOF;
	buf_grow(&c->in, (size_t)n);
	return 1;
}

int carrier_send(struct carrier *c, const struct link_frame *f)
{
	int r = link_put(&c->out, f);

	return r < 0 ? r : flush(c);
}

int carrier_wait(struct carrier *c, int timeout_ms, int wake_fd)
{
	struct pollfd p[2] = {
		{ .fd = c->fd, .events = POLLIN | (buf_len(&c->out) ? POLLOUT : 0) },
		{ .fd = wake_fd, .events = POLLIN },
	};
	int r = poll(p, 2, timeout_ms);

	if (r < 0)
		return errno == EINTR ? 0 : -errno;
	if (p[0].revents & POLLOUT) {
		r = flush(c);
		if (r < 0)
			return r;
	}
	return p[0].revents & (POLLIN | POLLHUP | POLLERR) ? fill(c) : 0;
}

int carrier_next(struct carrier *c, struct link_frame *ret)
{
	struct slice body;
	int r;

	buf_consume(&c->in, c->used);
	c->used = 0;
	r = link_split(buf_data(&c->in), &body, &c->used);
	if (r <= 0) {
		c->used = 0;
		return r;
	}
	c->arena = wire_arena_free(c->arena);
	c->arena = wire_arena_new();
	r = link_get(body, c->arena, ret);
	return r < 0 ? r : 1;
}

static int take_welcome(struct carrier *c, const struct link_frame *f)
{
	if (f->type == LINK_ERROR)
		return f->error.code < 0 ? f->error.code : E_DENIED;
	if (f->type != LINK_WELCOME)
		return E_SYNTAX;
	if (f->welcome.version != LINK_VERSION)
		return E_VERSION;
	slice_copy(c->welcome.engine, sizeof(c->welcome.engine), f->welcome.engine);
	c->welcome.durable = f->welcome.durable;
	c->welcome.oldest = f->welcome.oldest;
	c->welcome.cursor = f->welcome.cursor;
	return 0;
}

static int greet(struct carrier *c, struct slice consumer, int timeout_ms)
{
	struct link_frame f = { .type = LINK_HELLO, .hello = { LINK_VERSION, consumer } };
	int64_t until = clock_mono_ms() + timeout_ms;
	int r = carrier_send(c, &f);

	while (r >= 0) {
		int64_t left = until - clock_mono_ms();

		r = carrier_next(c, &f);
		if (r > 0)
			return take_welcome(c, &f);
		if (r == 0 && left <= 0)
			return E_TIMEOUT;
		if (r == 0)
			r = carrier_wait(c, (int)left, -1);
	}
	return r;
}

int carrier_open(struct carrier **ret, const char *path, struct slice consumer, int timeout_ms)
{
	OWNED(carrier) c = must_alloc(sizeof(*c));
	int r;

	buf_init(&c->in, LINK_FRAME_MAX + 2 * READ_STEP);
	buf_init(&c->out, 0);
	c->fd = connect_unix(path);
	if (c->fd < 0)
		return c->fd;
	r = greet(c, consumer, timeout_ms);
	if (r < 0)
		return r;
	*ret = TAKE(c);
	return 0;
}
