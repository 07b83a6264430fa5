/* mta/link/frames.c - frames in and out of a conn. */
#include "mta/link/frames.h"

enum { KEEP_BYTES = 256 * 1024 };

/* A peer with more than this unread is not heard: its questions must not cost memory. */
enum { UNREAD_MAX = 4 * 1024 * 1024 };

static bool may_hear(const struct frames *f)
{
	return !f->paused && !f->ended && conn_unsent(f->conn) < UNREAD_MAX;
}

/* Hears one frame at the front of `in`.  1: one was heard; 0: it is not complete; or negative. */
static int hear_one(struct frames *f, struct slice in, size_t *ret_used)
{
	struct link_frame frame;
	struct slice body;
	int r = link_split(in, &body, ret_used);

	if (r <= 0)
		return r;
	if (!f->arena)
		f->arena = wire_arena_new();
	r = link_get(body, f->arena, &frame);
	if (r < 0)
		return r;
	f->user->frame(f, &frame);
	if (frame.type == LINK_ADMIN || frame.type == LINK_REPORT) /* only these have trees */
		f->arena = wire_arena_free(f->arena);
	return 1;
}

/* Frames that are complete in the conn's own buffer are heard in place; others are put together. */
static int hear_in_place(struct frames *f)
{
	int r = 1;

	while (r > 0 && may_hear(f)) {
		size_t used;
		r = hear_one(f, conn_input(f->conn), &used);
		if (r > 0 && !f->ended)
			conn_consume(f->conn, used);
	}
	return r;
}

static int hear_put_together(struct frames *f)
{
	int r = 1;

	while (r > 0 && may_hear(f) && buf_len(&f->in)) {
		size_t used;
		r = hear_one(f, buf_data(&f->in), &used);
		if (r > 0)
			buf_consume(&f->in, used);
	}
	if (!f->ended && !buf_len(&f->in))
		buf_shrink(&f->in, KEEP_BYTES);
	return r;
}

static int hear(struct frames *f)
{
	struct slice in;
	int r = buf_len(&f->in) ? 0 : hear_in_place(f);

	if (r < 0 || !may_hear(f))
		return r;
	in = conn_input(f->conn);
	if (in.n) {
		r = buf_append(&f->in, in);
		if (r < 0)
			return r;
		conn_consume(f->conn, in.n);
	}
	return hear_put_together(f);
}

static void run(struct frames *f)
{
	int r;

	if (f->running || !may_hear(f))
		return;
	f->running = true;
	r = hear(f);
	f->running = false;
	if (f->ended) {
		buf_free(&f->in);
		f->arena = wire_arena_free(f->arena);
		return;
	}
	if (r >= 0 && may_hear(f) && conn_eof(f->conn))
		r = E_EOF;
	if (r < 0)
		f->user->gone(f, r);
}

static void on_turn_end(struct turn_end *t)
{
	run(container_of(t, struct frames, turn));
}

static void on_conn(struct conn_user *u, enum conn_event e, int err)
{
	struct frames *f = container_of(u, struct frames, on_conn);

	if (e == CONN_FAILED)
		f->user->gone(f, err);
	else if (e == CONN_WRITABLE)
		f->user->room(f);
	if (e != CONN_FAILED)
		run(f);
}

int frames_begin(struct frames *f, struct loop *l, int fd, const struct frames_user *user)
{
	*f = (struct frames){ .user = user, .loop = l, .on_conn.event = on_conn };
	buf_init(&f->in, LINK_FRAME_MAX + 4 + CONN_IN_MAX);
	list_init(&f->turn.link);
	f->turn.run = on_turn_end;
	return conn_adopt(&f->conn, l, fd, &f->on_conn);
}

/* Inside frame() the bytes being heard must stay: run() frees them when it gets back. */
void frames_end(struct frames *f)
{
	if (f->ended)
		return;
	f->ended = true;
	f->conn = conn_free(f->conn);
	list_remove(&f->turn.link);
	buf_free(&f->out);
	if (f->running)
		return;
	buf_free(&f->in);
	f->arena = wire_arena_free(f->arena);
}

void frames_send(struct frames *f, const struct link_frame *frame)
{
	if (f->ended)
		return;
	buf_clear(&f->out);
	if (link_put(&f->out, frame) < 0) {
		/* Only an answer of ours that is too large: say so instead. */
		frames_send_error(f, frame->request, E_LIMIT,
				  SLICE("the answer is too large for a frame"));
		return;
	}
	(void)!conn_write(f->conn, buf_data(&f->out)); /* a broken conn tells of itself */
	buf_shrink(&f->out, KEEP_BYTES);
}

void frames_send_error(struct frames *f, uint64_t request, int code, struct slice text)
{
	struct link_frame e = { .type = LINK_ERROR,
				.request = request,
				.error = { code, text.n ? text : slice_str(err_text(code)) } };

	frames_send(f, &e);
}

void frames_pause(struct frames *f, bool pause)
{
	if (f->ended || f->paused == pause)
		return;
	f->paused = pause;
	conn_pause_reading(f->conn, pause);
	if (!pause)
		loop_at_turn_end(f->loop, &f->turn);
}
