/* mta/link/frames.h - frames of schema/wire/link.h over a conn.  Link and admin share it, and know
 * nothing else of what carries them.
 *
 * Owns:   frames_begin() takes the descriptor.  frames_end() closes it and must be called once; it
 *         may be called inside a callback.  A frame's slices and values are valid only during
 *         frame().
 * Blocks: never.
 * Fails:  gone() once, with E_EOF, E_SYNTAX or -errno; then call frames_end().
 * Limits: LINK_FRAME_MAX per frame; a frame is read as a whole before frame() is called; a peer
 *         that leaves 4 MiB unread is not read from. */
#pragma once
#include "mta/door/conn.h"
#include "schema/wire/link.h"

struct frames;
struct frames_user {
	void (*frame)(struct frames *f, const struct link_frame *frame);
	void (*room)(struct frames *f); /* the peer reads again: what was queued has left */
	void (*gone)(struct frames *f, int err);
};
struct frames {
	struct conn *conn;
	struct conn_user on_conn;
	const struct frames_user *user;
	struct loop *loop;
	struct buf in, out;
	struct wire_arena *arena;
	struct turn_end turn; /* goes on after a pause, from the loop */
	bool paused, running, ended;
};
int frames_begin(struct frames *f, struct loop *l, int fd,
		 const struct frames_user *user) MUST_CHECK;
void frames_end(struct frames *f);
/* A failure comes as gone(), later. */
void frames_send(struct frames *f, const struct link_frame *frame);
void frames_send_error(struct frames *f, uint64_t request, int code, struct slice text);
void frames_pause(struct frames *f, bool pause); /* hears nothing while it is paused */
