/* mta/link/server.c - the link's listener and its life on the front desk. */
#include <inttypes.h>
#include <stdio.h>
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

/* The engine's own name: a rule of the spool (mta/rules ignores it).  It is drawn once.  After a
 * repair its second half is drawn again, so that those who fed the engine look at what was lost;
 * the first half says that the positions in the log are still what they were. */
struct known_name {
	struct id128 id;
	uint64_t repaired; /* the repair after which it was drawn */
};

static int read_name(void *arg, struct slice key, struct slice value)
{
	struct known_name *known = arg;

	if (slice_eq(key, SLICE("engine/id")))
		return id_parse(value, &known->id);
	if (slice_eq(key, SLICE("engine/repaired")))
		return slice_u64(value, UINT64_MAX, &known->repaired);
	return 0; /* another room's */
}

static int put_name(struct uplink_server *s, struct id128 id, lsn_t repaired)
{
	struct spool *sp = engine_spool(s->engine);
	char text[24];
	int r;

	(void)snprintf(text, sizeof(text), "%" PRIu64, repaired);
	id_format(id, s->engine_id);
	r = spool_put_rule(sp, SLICE("engine/repaired"), slice_str(text), NULL);
	return r < 0 ? r
		     : spool_put_rule(sp, SLICE("engine/id"), slice_str(s->engine_id),
				      &s->engine_id_lsn);
}

static int find_engine_id(struct uplink_server *s)
{
	struct spool *sp = engine_spool(s->engine);
	struct known_name known = { .repaired = 0 };
	lsn_t repaired = spool_repaired(sp);
	int r = spool_each_rule(sp, SLICE("engine/"), read_name, &known);

	if (r < 0)
		return r;
	if (known.id.hi && repaired <= known.repaired) {
		id_format(known.id, s->engine_id);
		return 0;
	}
	if (known.id.hi)
		log_warn("link.renamed", kv_str("why", "the spool was repaired"));
	else
		known.id.hi = random_u64() | 1;
	return put_name(s, (struct id128){ known.id.hi, random_u64() }, repaired);
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

void uplink_tell_admin(struct engine *e, struct uplink_asked *a)
{
	struct uplink_state *st = lane_state(engine_front(e), &uplink_part);

	if (st)
		st->server.asked = a;
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
