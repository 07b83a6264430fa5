/* spool/cli/ask.c - the admin socket, blocking: one question, one answer. */
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "spool/cli/cli.h"

enum {
	READ_BYTES = 64 * 1024,
	FIRST_MS = 5000,    /* for a question that any engine answers at once */
	ANSWER_MS = 120000, /* a cancel sweeps the queue for up to a minute */
};

/* For one call on the socket: what is left until the deadline. */
static int set_patience(int fd, int64_t until_ms)
{
	int64_t left = until_ms - clock_mono_ms();
	struct timeval t = { .tv_sec = left / 1000, .tv_usec = left % 1000 * 1000 };

	if (left <= 0)
		return E_TIMEOUT;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof(t)) < 0)
		return -errno;
	return 0;
}

/* When the whole answer must have come. */
static int64_t deadline(const struct cli *c, int64_t usual_ms)
{
	return clock_mono_ms() + (c->timeout_ms ? c->timeout_ms : usual_ms);
}

static int connect_to(const char *path, int64_t until_ms, int *ret)
{
	int r;
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	OWNED_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	if (!*path || strlen(path) >= sizeof(at.sun_path))
		return -ENOENT;
	memcpy(at.sun_path, path, strlen(path) + 1);
	r = set_patience(fd, until_ms);
	if (r < 0)
		return r;
	if (connect(fd, (struct sockaddr *)(void *)&at, sizeof(at)) < 0)
		return -errno;
	*ret = fd;
	fd = -1;
	return 0;
}

static int send_all(int fd, struct slice s)
{
	while (s.n) {
		ssize_t n = send(fd, s.p, s.n, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? E_TIMEOUT : -errno;
		s = slice_skip(s, (size_t)n);
	}
	return 0;
}

static int send_question(struct cli *c, const char *command, struct tree *args)
{
	struct link_frame f = { .type = LINK_ADMIN,
				.request = ++c->request,
				.admin = { slice_str(command), *tree_value(args) } };
	struct buf out = { 0 };
	int r = link_put(&out, &f);

	if (r == 0)
		r = send_all(c->fd, buf_data(&out));
	buf_free(&out);
	return r;
}

static int read_frame(struct cli *c, int64_t until_ms, struct link_frame *ret)
{
	struct slice body;
	size_t used;
	int r;

	buf_clear(&c->in);
	while ((r = link_split(buf_data(&c->in), &body, &used)) == 0) {
		r = set_patience(c->fd, until_ms);
		if (r == 0)
			r = buf_reserve(&c->in, READ_BYTES);
		if (r < 0)
			return r;
		ssize_t n = recv(c->fd, buf_tail(&c->in), READ_BYTES, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n == 0 ? E_EOF : errno == EAGAIN ? E_TIMEOUT : -errno;
		buf_grow(&c->in, (size_t)n);
	}
	return r < 0 ? r : link_get(body, c->arena, ret);
}

static int refusal(struct cli *c, const struct link_frame *f)
{
	if (f->type != LINK_ERROR || f->error.code >= 0)
		return E_SYNTAX;
	(void)snprintf(c->error, sizeof(c->error), "%.*s",
		       (int)MIN_OF(f->error.text.n, (size_t)400), f->error.text.p);
	return f->error.code;
}

static int no_connection(struct cli *c, int r)
{
	bool nobody = r == -ENOENT || r == -ECONNREFUSED;

	(void)snprintf(c->error, sizeof(c->error), "%s %s: %s; %s",
		       nobody ? "no engine answers at" : "cannot connect to", c->socket_path,
		       err_text(r),
		       nobody ? "start it, or name its socket with --socket"
			      : "root and the engine's user may");
	return nobody ? -ECONNREFUSED : r;
}

static int no_answer(struct cli *c, int r)
{
	if (r == E_TIMEOUT || r == -EAGAIN) /* as connect() has it when nobody accepts */
		(void)snprintf(c->error, sizeof(c->error),
			       "the engine at %s does not answer; it is suspended or overloaded.  "
			       "--spool %s reads the files instead",
			       c->socket_path, c->spool_path);
	else
		(void)snprintf(c->error, sizeof(c->error),
			       "the engine ended the connection: %s; its log may say why",
			       err_text(r));
	return r == -EAGAIN ? E_TIMEOUT : r;
}

static int question(struct cli *c, const char *command, struct tree *args, int64_t until_ms,
		    struct link_frame *ret)
{
	int r = send_question(c, command, args);

	return r < 0 ? r : read_frame(c, until_ms, ret);
}

/* Connects, and finds out whether the engine is one that answers. */
static int meet(struct cli *c)
{
	OWNED(tree) nothing = tree_new();
	struct link_frame f;
	const int64_t until_ms = deadline(c, FIRST_MS);
	int r = connect_to(c->socket_path, until_ms, &c->fd);

	if (r < 0)
		return r == -EAGAIN ? no_answer(c, r) : no_connection(c, r);
	(void)tree_map(nothing);
	r = question(c, "books", nothing, until_ms, &f);
	return r < 0 ? no_answer(c, r) : 0;
}

int cli_ask(struct cli *c, const char *command, struct tree *args, struct value *ret)
{
	struct link_frame f;
	int r;

	wire_arena_free(c->arena);
	c->arena = wire_arena_new();
	if (c->fd < 0) {
		r = meet(c);
		if (r < 0)
			return r;
	}
	r = question(c, command, args, deadline(c, ANSWER_MS), &f);
	if (r < 0)
		return no_answer(c, r);
	if (f.type != LINK_REPORT)
		return refusal(c, &f);
	*ret = f.report;
	return 0;
}
