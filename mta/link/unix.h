/* mta/link/unix.h - a listening Unix socket of the front desk, and who may connect.
 * Owns:   unix_listen() gives the caller the listener; unix_listener_free() closes it and removes
 *         the socket's file.  accepted() gets the descriptors.
 * Blocks: on connect() to a stale socket of the same name, which answers at once.
 * Fails:  -EADDRINUSE: another process serves the path; -errno.
 * Limits: peers must be root, our own user, or (if a group is given) a member of the group. */
#pragma once
#include "mta/door/conn.h"

struct unix_listener;
struct unix_listener_options {
	const char *path;
	unsigned mode;     /* of the file */
	const char *group; /* "": none; its members may connect, and it gets the file */
	unsigned max;      /* connections at a time */
};
struct unix_listener_user {
	void (*accepted)(struct unix_listener_user *u, int fd);
};
int unix_listen(struct unix_listener **ret, struct loop *l, const struct unix_listener_options *o,
		struct unix_listener_user *u) MUST_CHECK;
void unix_listener_left(struct unix_listener *l); /* an accepted peer is gone */
struct unix_listener *unix_listener_free(struct unix_listener *l);
