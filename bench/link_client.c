/* bench/link_client.c - a blocking client of the link. */
#include "bench/link_client.h"

#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static struct {
	int fd;
	uint64_t requests, answered;
	size_t used; /* bytes of `in` that the last frame heard takes */
	struct buf in, out;
	struct wire_arena *arena;
} me = { .fd = -1 };

static _Noreturn void die(const char *what, int r)
{
	fprintf(stderr, "%s: link: %s: %s\n", program_invocation_short_name, what, err_text(r));
	exit(1);
}

static void must(const char *what, int r)
{
	if (r < 0)
		die(what, r);
}

void bench_link_open(const char *path, const char *name)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	struct link_frame f = { .type = LINK_HELLO, .hello = { LINK_VERSION, slice_str(name) } };

	if (!path || strlen(path) >= sizeof(sa.sun_path))
		die("--socket", -EINVAL);
	(void)slice_copy(sa.sun_path, sizeof(sa.sun_path), slice_str(path));
	buf_init(&me.in, 0);
	buf_init(&me.out, 0);
	me.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (me.fd < 0 || connect(me.fd, (struct sockaddr *)&sa, sizeof(sa)) < 0)
		die(path, -errno);
	bench_link_put(&f);
	while (!bench_link_hear(&f))
		;
}

void bench_link_put(struct link_frame *f)
{
	f->request = ++me.requests;
	must("frame", link_put(&me.out, f));
	while (buf_len(&me.out)) {
		ssize_t n = send(me.fd, buf_data(&me.out).p, buf_len(&me.out), MSG_NOSIGNAL);
		if (n < 0 && errno != EINTR)
			die("send", -errno);
		buf_consume(&me.out, n > 0 ? (size_t)n : 0);
	}
}

bool bench_link_hear(struct link_frame *ret)
{
	struct slice body;
	size_t used;
	int r;

	buf_consume(&me.in, me.used);
	me.used = 0;
	me.arena = wire_arena_free(me.arena);
	me.arena = wire_arena_new();
	while ((r = link_split(buf_data(&me.in), &body, &used)) == 0) {
		must("receive", buf_reserve(&me.in, 65536));
		ssize_t n = recv(me.fd, buf_tail(&me.in), 65536, 0);
		if (n < 0 && errno == EINTR)
			return false;
		if (n <= 0)
			die("receive", n ? -errno : E_EOF);
		buf_grow(&me.in, (size_t)n);
	}
	must("frame", r);
	must("frame", link_get(body, me.arena, ret));
	me.used = used;
	if (ret->type == LINK_ERROR) {
		fprintf(stderr, "%s: the engine says %d: %.*s\n", program_invocation_short_name,
			ret->error.code, (int)ret->error.text.n, ret->error.text.p);
		exit(1);
	}
	me.answered += ret->type != LINK_EVENTS;
	return true;
}

uint64_t bench_link_requests(void)
{
	return me.requests;
}

uint64_t bench_link_answered(void)
{
	return me.answered;
}

void bench_link_close(void)
{
	close(me.fd);
	me.fd = -1;
	buf_free(&me.in);
	buf_free(&me.out);
	me.arena = wire_arena_free(me.arena);
}
