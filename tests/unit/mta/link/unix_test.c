/* tests/unit/mta/link/unix_test.c - a listening Unix socket, and who may come in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mta/link/unix.h"
#include "tests/skip.h"
#include "tests/unit/mta/door/door_pair.h"

struct desk {
	struct unix_listener_user user;
	struct loop loop;
	struct unix_listener_options o;
	struct unix_listener *listener;
	char dir[64], path[96];
	int fds[8];
	unsigned n;
};

static void on_accepted(struct unix_listener_user *u, int fd)
{
	struct desk *d = container_of(u, struct desk, user);

	d->fds[d->n++] = fd;
}

static void desk_make(struct desk *d, const char *group)
{
	*d = (struct desk){ .user.accepted = on_accepted };
	loop_init(&d->loop);
	(void)strcpy(d->dir, "/tmp/postern-unix-XXXXXX");
	assert_non_null(mkdtemp(d->dir));
	assert_int_equal(chmod(d->dir, 0755), 0);
	(void)snprintf(d->path, sizeof(d->path), "%s/s", d->dir);
	d->o = (struct unix_listener_options){
		.path = d->path, .mode = 0666, .group = group, .max = 2
	};
}

static int desk_listen(struct desk *d)
{
	return unix_listen(&d->listener, &d->loop, &d->o, &d->user);
}

static void desk_end(struct desk *d)
{
	d->listener = unix_listener_free(d->listener);
	while (d->n)
		(void)close(d->fds[--d->n]);
	loop_end(&d->loop);
	(void)unlink(d->path);
	assert_int_equal(rmdir(d->dir), 0);
}

static int connect_to(const char *path)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)strcpy(at.sun_path, path);
	if (connect(fd, (const struct sockaddr *)(const void *)&at, sizeof(at)) == 0)
		return fd;
	(void)close(fd);
	return -1;
}

static void no_more_come_in_than_may_until_one_leaves(void **state)
{
	struct desk d;
	int fds[4];
	char c;

	(void)state;
	desk_make(&d, "");
	assert_int_equal(desk_listen(&d), 0);
	for (int i = 0; i < 3; i++)
		fds[i] = connect_to(d.path);
	settle(&d.loop);
	assert_int_equal(d.n, 2);
	assert_int_equal(recv(fds[2], &c, 1, 0), 0); /* turned away */
	unix_listener_left(d.listener);
	fds[3] = connect_to(d.path);
	settle(&d.loop);
	assert_int_equal(d.n, 3);
	for (int i = 0; i < 4; i++)
		(void)close(fds[i]);
	desk_end(&d);
}

static void a_socket_left_over_is_replaced_and_nothing_else_is(void **state)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	struct desk d, other;
	int fd;

	(void)state;
	desk_make(&d, "");
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	(void)strcpy(at.sun_path, d.path);
	assert_int_equal(bind(fd, (const struct sockaddr *)(const void *)&at, sizeof(at)), 0);
	assert_int_equal(close(fd), 0); /* the file stays, and nobody serves it */
	assert_int_equal(desk_listen(&d), 0);
	desk_make(&other, "");
	other.o.path = d.path;
	assert_int_equal(desk_listen(&other), -EADDRINUSE);
	settle(&d.loop);
	assert_int_equal(unlink(d.path), 0);
	fd = open(other.path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(close(fd), 0);
	other.o.path = other.path;
	assert_int_equal(desk_listen(&other), -EEXIST);
	assert_int_equal(access(other.path, F_OK), 0); /* somebody's file */
	desk_end(&other);
	desk_end(&d);
}

static void a_path_that_cannot_be_is_said(void **state)
{
	char path[200];
	struct desk d;

	(void)state;
	desk_make(&d, "");
	memset(path, 'x', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	d.o.path = path;
	assert_int_equal(desk_listen(&d), -ENAMETOOLONG);
	d.o.path = "/tmp/postern-there-is-no-such-folder/s";
	assert_int_equal(desk_listen(&d), -ENOENT);
	(void)snprintf(path, sizeof(path), "%s/s/s", d.dir);
	int fd = open(d.path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(close(fd), 0);
	d.o.path = path;
	assert_int_equal(desk_listen(&d), -ENOTDIR);
	assert_null(d.listener);
	desk_end(&d);
}

/* Connects as another user, who may be of the group; true when nobody hung up on it. */
static bool stranger_comes_in(struct desk *d, bool of_the_group, bool primary)
{
	unsigned before = d->n;
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		gid_t group = getgrnam("daemon")->gr_gid, none = 65533;
		if (setgroups(of_the_group && !primary, &group) < 0 ||
		    setgid(of_the_group && primary ? group : none) < 0 || setuid(65532) < 0)
			_exit(1);
		_exit(connect_to(d->path) < 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	settle(&d->loop);
	return d->n > before;
}

static void strangers_come_in_by_their_group_only(void **state)
{
	struct group *group = getgrnam("daemon");
	struct stat st;
	struct desk d;

	(void)state;
	if (geteuid() != 0 || !group)
		SKIP_CASE("only root may become a stranger, and one of a group daemon");
	desk_make(&d, "daemon");
	d.o.max = 8;
	assert_int_equal(desk_listen(&d), 0);
	assert_int_equal(stat(d.path, &st), 0);
	assert_true(st.st_gid == group->gr_gid && (st.st_mode & 0777) == 0666);
	assert_false(stranger_comes_in(&d, false, false));
	assert_true(stranger_comes_in(&d, true, true));
	assert_true(stranger_comes_in(&d, true, false)); /* one of its further groups */
	desk_end(&d);
	desk_make(&d, "no-such-group-anywhere");
	assert_int_equal(desk_listen(&d), 0); /* then nobody of it may */
	assert_false(stranger_comes_in(&d, true, true));
	desk_end(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_more_come_in_than_may_until_one_leaves),
		cmocka_unit_test(a_socket_left_over_is_replaced_and_nothing_else_is),
		cmocka_unit_test(a_path_that_cannot_be_is_said),
		cmocka_unit_test(strangers_come_in_by_their_group_only),
	};

	return cmocka_run_group_tests_name("unix sockets", tests, NULL, NULL);
}
