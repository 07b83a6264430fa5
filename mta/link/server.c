/* mta/link/server.c - the link's listener and its life on the front desk. */
#include <unistd.h>

#include "base/log.h"
#include "base/random.h"
#include "mta/link/client.h"
#include "mta/link/link.h"
#include "mta/link/unix.h"
#include "mta/senders/senders.h"

struct uplink_state {
	struct uplink_server server;
	struct unix_listener_user user;
};

/* The engine's own name: drawn once, then a rule of the spool (mta/rules ignores it). */
static int read_id(void *arg, struct slice key, struct slice value)
{
	struct uplink_server *s = arg;

	(void)key;
	slice_copy(s->engine_id, sizeof(s->engine_id), value);
	return 0;
}

static int find_engine_id(struct uplink_server *s)
{
	struct spool *sp = engine_spool(s->engine);
	int r = spool_each_rule(sp, SLICE("engine/id"), read_id, s);

	if (r < 0 || *s->engine_id)
		return r;
	id_format((struct id128){ random_u64(), random_u64() }, s->engine_id);
	return spool_put_rule(sp, SLICE("engine/id"), slice_str(s->engine_id), &s->engine_id_lsn);
}

static void on_accepted(struct unix_listener_user *u, int fd)
{
	struct uplink_state *st = container_of(u, struct uplink_state, user);
	int r = uplink_client_begin(&st->server, fd);

	if (r < 0) {
		log_warn("link.accept", kv_err("reason", r));
		unix_listener_left(st->server.listener);
		(void)close(fd);
	}
}

static void uplink_stop(void *state)
{
	struct uplink_state *st = state;
	struct uplink_server *s = &st->server;
	struct uplink_client *c;
	struct list *l;

	list_each(&s->clients, c, struct uplink_client, link)
		uplink_client_end(c);
	while ((l = list_pop(&s->lost))) {
		struct uplink_order *o = container_of(l, struct uplink_order, link);
		lane_wait_cancel(s->front, &o->wait);
		uplink_order_give(o);
	}
	while ((l = list_pop(&s->spare))) {
		struct uplink_order *o = container_of(l, struct uplink_order, link);
		buf_free(&o->key);
		buf_free(&o->value);
		free(o);
	}
	s->listener = unix_listener_free(s->listener);
	free(st);
}

static int listen_at(struct uplink_state *st)
{
	const struct uplink_options *c = uplink_options(st->server.engine);
	struct unix_listener_options o = {
		.path = c->socket, .mode = 0660, .group = c->group, .max = LINK_CLIENTS_MAX
	};

	if (!*c->socket)
		return 0;
	senders_expect(senders_of(st->server.engine));
	st->user.accepted = on_accepted;
	return unix_listen(&st->server.listener, lane_loop(st->server.front), &o, &st->user);
}

static int uplink_start(struct lane *front, void **ret_state)
{
	struct uplink_state *st = must_alloc(sizeof(*st));
	struct uplink_server *s = &st->server;
	int r;

	s->front = front;
	s->engine = lane_engine(front);
	list_init(&s->clients);
	list_init(&s->lost);
	list_init(&s->spare);
	r = find_engine_id(s);
	if (r == 0)
		r = listen_at(st);
	if (r < 0) {
		uplink_stop(st);
		return r;
	}
	*ret_state = st;
	return 0;
}

/* SIGTERM: no new frame is heard; what was taken is still acknowledged, and events still leave. */
static void uplink_quiet(void *state)
{
	struct uplink_state *st = state;
	struct uplink_client *c;

	st->server.quiet = true;
	list_each(&st->server.clients, c, struct uplink_client, link)
		frames_pause(&c->frames, true);
}

const struct part uplink_part = {
	.name = "link",
	.front = true,
	.start = uplink_start,
	.quiet = uplink_quiet,
	.stop = uplink_stop,
};
