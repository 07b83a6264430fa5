/* mta/admin/server.c - the admin socket's listener, its clients and its life on the front desk. */
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "mta/admin/admin.h"
#include "mta/admin/query.h"
#include "mta/link/unix.h"

struct admin_client {
	struct list link;
	struct admin_server *server;
	struct frames frames;
	struct turn_end reap;
};
struct admin_state {
	struct admin_server server;
	struct unix_listener_user user;
};

void admin_report(struct admin_client *c, uint64_t request, const struct value *v)
{
	frames_send(&c->frames,
		    &(struct link_frame){ .type = LINK_REPORT, .request = request, .report = *v });
}

void admin_refuse(struct admin_client *c, uint64_t request, int err, const char *text)
{
	frames_send_error(&c->frames, request, err, slice_str(text));
}

static void reap(struct turn_end *t)
{
	free(container_of(t, struct admin_client, reap));
}

static void client_end(struct admin_client *c)
{
	struct query *q;

	if (c->frames.ended)
		return;
	list_each(&c->server->queries, q, struct query, link)
		if (q->client == c)
			q->client = NULL;
	frames_end(&c->frames);
	list_remove(&c->link);
	unix_listener_left(c->server->listener);
	loop_at_turn_end(lane_loop(c->server->front), &c->reap);
}

static void on_frame(struct frames *fr, const struct link_frame *f)
{
	struct admin_client *c = container_of(fr, struct admin_client, frames);

	if (f->type == LINK_ADMIN)
		query_start(c->server, c, f);
	else
		admin_refuse(c, f->request, E_DENIED, "this socket takes ADMIN frames only");
}

static void on_room(struct frames *fr)
{
	(void)fr;
}

static void on_gone(struct frames *fr, int err)
{
	(void)err;
	client_end(container_of(fr, struct admin_client, frames));
}

static void on_accepted(struct unix_listener_user *u, int fd)
{
	static const struct frames_user user = { on_frame, on_room, on_gone };
	struct admin_state *st = container_of(u, struct admin_state, user);
	struct admin_client *c = must_alloc(sizeof(*c));

	c->server = &st->server;
	c->reap.run = reap;
	list_init(&c->reap.link);
	list_init(&c->link);
	if (frames_begin(&c->frames, lane_loop(st->server.front), fd, &user) < 0) {
		unix_listener_left(st->server.listener);
		(void)close(fd);
		free(c);
		return;
	}
	list_push(&st->server.clients, &c->link);
}

static void admin_stop(void *state)
{
	struct admin_state *st = state;
	struct admin_client *c;
	struct query *q;

	list_each(&st->server.clients, c, struct admin_client, link)
		client_end(c);
	list_each(&st->server.queries, q, struct query, link)
		query_free(q);
	unix_listener_free(st->server.listener);
	free(st);
}

static int admin_start(struct lane *front, void **ret_state)
{
	const struct admin_options *c =
	    settings_of(engine_settings(lane_engine(front)), &admin_option_set);
	struct unix_listener_options o = {
		.path = c->socket, .mode = 0600, .group = "", .max = ADMIN_CLIENTS_MAX
	};
	struct admin_state *st = must_alloc(sizeof(*st));
	int r = 0;

	st->server.front = front;
	st->server.engine = lane_engine(front);
	st->server.started_ms = clock_wall_ms();
	st->user.accepted = on_accepted;
	list_init(&st->server.clients);
	list_init(&st->server.queries);
	if (*c->socket)
		r = unix_listen(&st->server.listener, lane_loop(front), &o, &st->user);
	if (r < 0) {
		log_error("admin.socket", kv_str("path", c->socket), kv_err("reason", r));
		admin_stop(st);
		return r;
	}
	*ret_state = st;
	return 0;
}

const struct part admin_part = {
	.name = "admin",
	.front = true,
	.start = admin_start,
	.stop = admin_stop,
};
