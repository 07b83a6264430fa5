/* control/saml/ask.c - starts the process, asks, listens, ends it. */
#include "control/saml/ask.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "control/saml/reader.h"

static int spawn(int fd, pid_t *ret)
{
	char program[] = "postern-saml", argument[] = SAML_READER_ARGUMENT;
	char *argv[] = { program, argument, NULL }, *env[] = { NULL };
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
	/* What a library says there could hold what a stranger wrote. */
	(void)posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	(void)posix_spawnattr_setflags(&how, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
	(void)posix_spawnattr_setsigdefault(&how, &all);
	(void)posix_spawnattr_setsigmask(&how, &none);
	r = posix_spawn(ret, "/proc/self/exe", &files, &how, argv, env);
	(void)posix_spawn_file_actions_destroy(&files);
	(void)posix_spawnattr_destroy(&how);
	return -r;
}

/* ---- the conversation -------------------------------------------------------------------- */

static bool wait_for(int fd, short what, int64_t until_ms)
{
	struct pollfd p = { fd, what, 0 };
	int64_t left = until_ms - clock_mono_ms();
	int r;

	if (left <= 0)
		return false;
	r = poll(&p, 1, (int)left);
	return r > 0 || (r < 0 && errno == EINTR);
}

static bool say(int fd, struct slice s, int64_t until_ms)
{
	while (s.n) {
		ssize_t n = send(fd, s.p, s.n, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n > 0)
			s = slice_skip(s, (size_t)n);
		else if (n == 0 || (errno != EAGAIN && errno != EINTR) ||
			 !wait_for(fd, POLLOUT, until_ms))
			return false;
	}
	return true;
}

/* Until it closes its end. */
static bool hear(int fd, struct buf *in, int64_t until_ms)
{
	for (;;) {
		ssize_t n;

		if (buf_len(in) > SAML_ANSWER_MAX || buf_reserve(in, 4096) < 0)
			return false;
		n = recv(fd, buf_tail(in), 4096, MSG_DONTWAIT);
		if (n > 0)
			buf_grow(in, (size_t)n);
		else if (n == 0)
			return true;
		else if ((errno != EAGAIN && errno != EINTR) || !wait_for(fd, POLLIN, until_ms))
			return false;
	}
}

/* What it said is one answer and nothing else. */
static bool understand(struct buf *in, struct saml_answer *ret)
{
	uint32_t n;

	if (buf_len(in) < sizeof(n))
		return false;
	memcpy(&n, buf_data(in).p, sizeof(n));
	buf_consume(in, sizeof(n));
	return buf_len(in) == n && saml_answer_get(buf_data(in), ret) == 0;
}

static bool converse(int fd, struct slice question, int64_t until_ms, struct buf *room,
		     struct saml_answer *ret)
{
	uint32_t n = (uint32_t)question.n;

	return say(fd, slice_of(&n, sizeof(n)), until_ms) && say(fd, question, until_ms) &&
	       hear(fd, room, until_ms) && understand(room, ret);
}

static void reap(pid_t pid)
{
	(void)kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

/* ---- a few at a time --------------------------------------------------------------------- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned running;

static bool enter(void)
{
	bool room;

	(void)pthread_mutex_lock(&lock);
	room = running < SAML_ASK_MOST;
	running += room;
	(void)pthread_mutex_unlock(&lock);
	return room;
}

static void leave(void)
{
	(void)pthread_mutex_lock(&lock);
	running--;
	(void)pthread_mutex_unlock(&lock);
}

static int start_and_ask(struct slice question, int64_t ms, struct buf *room,
			 struct saml_answer *ret)
{
	int64_t until_ms = clock_mono_ms() + ms;
	int pair[2], r;
	pid_t pid = 0;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return E_FULL;
	r = spawn(pair[1], &pid);
	(void)close(pair[1]);
	if (r < 0)
		log_error("saml.reader_not_started", kv_err("error", r));
	else {
		if (!converse(pair[0], question, until_ms, room, ret)) {
			log_warn("saml.reader_failed", kv_int("pid", pid));
			*ret = (struct saml_answer){ .fault = SAML_BROKEN };
		}
		reap(pid);
	}
	(void)close(pair[0]);
	return r < 0 ? E_FULL : 0;
}

int saml_ask(const struct saml_question *q, int64_t ms, struct buf *room, struct saml_answer *ret)
{
	struct buf question = { 0 };
	int r = saml_question_put(&question, q);

	if (r == 0 && !enter())
		r = E_FULL;
	else if (r == 0) {
		r = start_and_ask(buf_data(&question), ms, room, ret);
		leave();
	}
	buf_free(&question);
	return r;
}
