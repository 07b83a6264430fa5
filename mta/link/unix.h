/* mta/link/unix.h - a listening Unix socket of the front desk, and who may come in.
 * Owns:   unix_listen() gives the caller the listener; unix_listener_free() closes it and removes
 *         the socket's file.  Accepted descriptors belong to accepted().
 * Blocks: on connect() to a stale socket of the same name, which answers at once.
 * Fails:  -EADDRINUSE when another process serves the path, -errno.
 * Limits: peers are root, our own user, or (when a group is given) members of the group. */
#pragma once
#include "mta/door/conn.h"

struct unix_listener;
struct unix_listener_options {
	const char *path;
	unsigned mode;     /* of the file */
	const char *group; /* "" for none: its members may come in, and the file is theirs */
	unsigned max;      /* connections at a time */
};
struct unix_listener_user {
	void (*accepted)(struct unix_listener_user *u, int fd);
};
int unix_listen(struct unix_listener **ret, struct loop *l, const struct unix_listener_options *o,
		struct unix_listener_user *u) MUST_CHECK;
void unix_listener_left(struct unix_listener *l); /* an accepted one is gone */
struct unix_listener *unix_listener_free(struct unix_listener *l);
