/* mta/link/unix.c - listening on a Unix socket, and who may come in. */
#include "mta/link/unix.h"

#include <ev.h>
#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

enum { BACKLOG = 64, GROUPS_MAX = 256, ACCEPT_AGAIN_MS = 200 };

struct unix_listener {
	ev_io io;
	struct timer again;
	struct loop *loop;
	struct unix_listener_user *user;
	char *path;
	int fd;
	unsigned here, max;
	bool any_group;
	gid_t group;
};

static bool in_group(int fd, gid_t primary, gid_t group)
{
	gid_t groups[GROUPS_MAX];
	socklen_t n = sizeof(groups);

	if (primary == group)
		return true;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &n) < 0)
		return false;
	for (size_t i = 0; i < n / sizeof(groups[0]); i++)
		if (groups[i] == group)
			return true;
	return false;
}

static bool may_come_in(const struct unix_listener *l, int fd)
{
	struct ucred peer;
	socklen_t n = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) < 0)
		return false;
	if (peer.uid == 0 || peer.uid == geteuid())
		return true;
	if (l->any_group && in_group(fd, peer.gid, l->group))
		return true;
	log_warn("socket.refused", kv_str("path", l->path), kv_int("uid", peer.uid),
		 kv_int("pid", peer.pid));
	return false;
}

static void pause_accepting(struct unix_listener *l)
{
	ev_io_stop(l->loop->ev, &l->io);
	timer_set(l->loop->timers, &l->again, ACCEPT_AGAIN_MS);
}

static void on_again(struct timer *t)
{
	struct unix_listener *l = container_of(t, struct unix_listener, again);

	ev_io_start(l->loop->ev, &l->io);
}

static void on_acceptable(struct ev_loop *ev, ev_io *w, int revents)
{
	struct unix_listener *l = container_of(w, struct unix_listener, io);
	int fd = accept4(l->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void)ev, (void)revents;
	if (fd < 0) {
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
			pause_accepting(l);
		return;
	}
	if (l->here >= l->max || !may_come_in(l, fd)) {
		(void)close(fd);
		return;
	}
	l->here++;
	l->user->accepted(l->user, fd);
}

void unix_listener_left(struct unix_listener *l)
{
	l->here--;
}

/* A socket nobody serves is left over from a process that was killed. */
static int remove_stale(const struct sockaddr_un *at)
{
	OWNED_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct stat st;

	if (fd < 0)
		return -errno;
	if (lstat(at->sun_path, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return -EEXIST;
	if (connect(fd, (const struct sockaddr *)(const void *)at, sizeof(*at)) == 0)
		return -EADDRINUSE;
	return unlink(at->sun_path) < 0 && errno != ENOENT ? -errno : 0;
}

static int bind_at(int fd, const char *path, unsigned mode)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	mode_t before;
	int r;

	if (strlen(path) >= sizeof(at.sun_path))
		return -ENAMETOOLONG;
	memcpy(at.sun_path, path, strlen(path) + 1);
	r = remove_stale(&at);
	if (r < 0)
		return r;
	/* The file must never exist with more rights than asked for. */
	before = umask(~mode & 0777);
	r = bind(fd, (struct sockaddr *)(void *)&at, sizeof(at)) < 0 ? -errno : 0;
	(void)umask(before);
	if (r == 0 && listen(fd, BACKLOG) < 0)
		r = -errno;
	return r;
}

static void take_group(struct unix_listener *l, const char *name)
{
	struct group *g = *name ? getgrnam(name) : NULL;

	if (!g) {
		if (*name)
			log_warn("socket.group-unknown", kv_str("group", name));
		return;
	}
	l->any_group = true;
	l->group = g->gr_gid;
	if (chown(l->path, (uid_t)-1, g->gr_gid) < 0)
		log_warn("socket.group", kv_str("path", l->path), kv_err("reason", -errno));
}

int unix_listen(struct unix_listener **ret, struct loop *loop,
		const struct unix_listener_options *o, struct unix_listener_user *u)
{
	OWNED_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct unix_listener *l;
	int r;

	if (fd < 0)
		return -errno;
	r = bind_at(fd, o->path, o->mode);
	if (r < 0)
		return r;
	l = must_alloc(sizeof(*l));
	l->loop = loop;
	l->user = u;
	l->max = o->max;
	l->path = must_copy(slice_str(o->path));
	l->fd = fd;
	fd = -1;
	take_group(l, o->group);
	timer_init(&l->again, on_again);
	ev_io_init(&l->io, on_acceptable, l->fd, EV_READ);
	ev_io_start(loop->ev, &l->io);
	*ret = l;
	return 0;
}

struct unix_listener *unix_listener_free(struct unix_listener *l)
{
	if (!l)
		return NULL;
	ev_io_stop(l->loop->ev, &l->io);
	timer_stop(l->loop->timers, &l->again);
	(void)close(l->fd);
	(void)unlink(l->path);
	free(l->path);
	free(l);
	return NULL;
}
