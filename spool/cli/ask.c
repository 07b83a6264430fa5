/* spool/cli/ask.c - the admin socket, blocking: one question, one answer. */
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "spool/cli/cli.h"

enum { READ_BYTES = 64 * 1024 };

static int connect_to(const char *path, int *ret)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	OWNED_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	if (!*path || strlen(path) >= sizeof(at.sun_path))
		return -ENOENT;
	memcpy(at.sun_path, path, strlen(path) + 1);
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
			return -errno;
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

static int read_frame(struct cli *c, struct link_frame *ret)
{
	struct slice body;
	size_t used;
	int r;

	buf_clear(&c->in);
	while ((r = link_split(buf_data(&c->in), &body, &used)) == 0) {
		r = buf_reserve(&c->in, READ_BYTES);
		if (r < 0)
			return r;
		ssize_t n = recv(c->fd, buf_tail(&c->in), READ_BYTES, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : E_EOF;
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

int cli_ask(struct cli *c, const char *command, struct tree *args, struct value *ret)
{
	struct link_frame f;
	int r = 0;

	if (c->fd < 0)
		r = connect_to(c->socket_path, &c->fd);
	if (r < 0) {
		bool nobody = r == -ENOENT || r == -ECONNREFUSED;
		(void)snprintf(c->error, sizeof(c->error), "%s %s: %s; %s",
			       nobody ? "no engine answers at" : "cannot connect to",
			       c->socket_path, err_text(r),
			       nobody ? "start it, or name its socket with --socket"
				      : "root and the engine's user may");
		return nobody ? -ECONNREFUSED : r;
	}
	wire_arena_free(c->arena);
	c->arena = wire_arena_new();
	r = send_question(c, command, args);
	if (r == 0)
		r = read_frame(c, &f);
	if (r < 0) {
		(void)snprintf(c->error, sizeof(c->error),
			       "the engine ended the connection: %s; its log may say why",
			       err_text(r));
		return r;
	}
	if (f.type != LINK_REPORT)
		return refusal(c, &f);
	*ret = f.report;
	return 0;
}
