/* mta/reports/child.c - this program, executed again as the reader, at the end of a socket pair. */
#include "mta/reports/child.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mta/reports/reader.h"

struct child {
	struct conn_user conn_user;
	struct conn *conn;
	struct child_user *user;
	struct buf in;
	pid_t pid;
	bool ready, ended;
};

/* 1: an answer was at the front of what came; 0: there is none yet; E_LIMIT. */
static int hear_one(struct child *c)
{
	uint32_t n;

	if (buf_len(&c->in) < sizeof(n))
		return 0;
	memcpy(&n, buf_data(&c->in).p, sizeof(n));
	if (n > SAID_BYTES_MAX)
		return E_LIMIT;
	if (buf_len(&c->in) < sizeof(n) + n)
		return 0;
	if (!c->ready && n)
		return E_SYNTAX;
	if (c->ready && !c->user->said(c->user, slice_of(buf_data(&c->in).p + sizeof(n), n)))
		return E_SYNTAX;
	c->ready = true;
	buf_consume(&c->in, sizeof(n) + n);
	return 1;
}

static void gone(struct child *c)
{
	if (c->ended)
		return;
	c->ended = true;
	c->user->gone(c->user);
}

static void on_event(struct conn_user *u, enum conn_event e, int err UNUSED)
{
	struct child *c = container_of(u, struct child, conn_user);
	struct slice came;
	int r = 1;

	if (c->ended || e == CONN_OPEN || e == CONN_WRITABLE)
		return;
	if (e == CONN_FAILED) {
		gone(c);
		return;
	}
	came = conn_input(c->conn);
	buf_put(&c->in, came);
	conn_consume(c->conn, came.n);
	while (r > 0)
		r = hear_one(c);
	if (r < 0 || conn_eof(c->conn))
		gone(c);
}

static int spawn(int fd, const char *rules_path, pid_t *ret)
{
	char program[] = "postern-reader", argument[] = READER_ARGUMENT;
	char *argv[] = { program, argument, (char *)(uintptr_t)rules_path, NULL };
	char *env[] = { NULL };
	posix_spawn_file_actions_t files;
	posix_spawnattr_t how;
	sigset_t all, none;
	int r;

	(void)sigfillset(&all);
	(void)sigemptyset(&none);
	(void)posix_spawn_file_actions_init(&files);
	(void)posix_spawnattr_init(&how);
	(void)posix_spawn_file_actions_adddup2(&files, fd, STDIN_FILENO);
	(void)posix_spawn_file_actions_adddup2(&files, fd, STDOUT_FILENO);
	/* What a library says there could hold what a peer wrote. */
	(void)posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	(void)posix_spawnattr_setflags(&how, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
	(void)posix_spawnattr_setsigdefault(&how, &all);
	(void)posix_spawnattr_setsigmask(&how, &none);
	r = posix_spawn(ret, "/proc/self/exe", &files, &how, argv, env);
	(void)posix_spawn_file_actions_destroy(&files);
	(void)posix_spawnattr_destroy(&how);
	return -r;
}

static void reap(struct child *c)
{
	if (c->pid <= 0)
		return;
	(void)kill(c->pid, SIGKILL);
	while (waitpid(c->pid, NULL, 0) < 0 && errno == EINTR)
		;
	c->pid = 0;
}

struct child *child_free(struct child *c)
{
	if (!c)
		return NULL;
	c->ended = true;
	if (c->conn)
		conn_discard_output(c->conn);
	c->conn = conn_free(c->conn);
	reap(c);
	buf_free(&c->in);
	free(c);
	return NULL;
}

int child_start(struct child **ret, struct loop *l, const char *rules_path, struct child_user *u)
{
	OWNED(child) c = must_alloc(sizeof(*c));
	int pair[2], r;

	c->user = u;
	c->conn_user.event = on_event;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	r = spawn(pair[1], rules_path, &c->pid);
	(void)close(pair[1]);
	if (r == 0 && fcntl(pair[0], F_SETFL, O_NONBLOCK) < 0)
		r = -errno;
	if (r < 0) {
		(void)close(pair[0]);
		return r;
	}
	r = conn_adopt(&c->conn, l, pair[0], &c->conn_user);
	if (r < 0) {
		(void)close(pair[0]);
		return r;
	}
	*ret = TAKE(c);
	return 0;
}

bool child_ready(const struct child *c)
{
	return c->ready;
}

int child_send(struct child *c, struct slice message)
{
	uint32_t n = (uint32_t)message.n;
	int r = conn_write(c->conn, slice_of(&n, sizeof(n)));

	return r == 0 ? conn_write(c->conn, message) : r;
}
