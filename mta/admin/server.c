/* mta/admin/server.c - the admin socket's listener, its clients and its life on the front desk. */
#include <stdio.h>
#include <sys/socket.h>
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
	char asker[96]; /* who it is, as the kernel says */
};
struct admin_state {
	struct admin_server server;
	struct unix_listener_user user;
};

static void reap(struct turn_end *t)
{
	free(container_of(t, struct admin_client, reap));
}

/* Nobody waits for the answers any more. */
static void asker_gone(struct admin_server *s, const struct frames *from)
{
	struct query *q;

	list_each(&s->queries, q, struct query, link)
		if (q->client == from)
			q->client = NULL;
}

static void client_end(struct admin_client *c)
{
	if (c->frames.ended)
		return;
	asker_gone(c->server, &c->frames);
	frames_end(&c->frames);
	list_remove(&c->link);
	unix_listener_left(c->server->listener);
	loop_at_turn_end(lane_loop(c->server->front), &c->reap);
}

static void on_frame(struct frames *fr, const struct link_frame *f)
{
	struct admin_client *c = container_of(fr, struct admin_client, frames);

	if (f->type == LINK_ADMIN)
		query_start(c->server, fr, c->asker, f);
	else
		frames_send_error(fr, f->request, E_DENIED,
				  SLICE("this socket takes ADMIN frames only"));
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

/* Only root and our own user may come in, and their numbers say which. */
static void name_peer(struct admin_client *c, int fd)
{
	struct ucred peer;
	socklen_t n = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) < 0)
		(void)snprintf(c->asker, sizeof(c->asker), "the admin socket");
	else
		(void)snprintf(c->asker, sizeof(c->asker), "uid %u", (unsigned)peer.uid);
}

/* The control plane asks over the link. */
static void on_uplink(struct uplink_asked *a, struct frames *from, const char *name,
		      const struct link_frame *f)
{
	char asker[96];

	(void)snprintf(asker, sizeof(asker), "link %.64s", *name ? name : "without a name");
	query_start(container_of(a, struct admin_server, uplink), from, asker, f);
}

static void on_uplink_gone(struct uplink_asked *a, struct frames *from)
{
	asker_gone(container_of(a, struct admin_server, uplink), from);
}

static void on_accepted(struct unix_listener_user *u, int fd)
{
	static const struct frames_user user = { on_frame, on_room, on_gone };
	struct admin_state *st = container_of(u, struct admin_state, user);
	struct admin_client *c = must_alloc(sizeof(*c));

	c->server = &st->server;
	name_peer(c, fd);
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
	uplink_tell_admin(st->server.engine, NULL);
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
	st->server.uplink = (struct uplink_asked){ on_uplink, on_uplink_gone };
	uplink_tell_admin(st->server.engine, &st->server.uplink);
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
