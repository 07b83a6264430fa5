/* mta/link/client.c - what a client says first, and what waits for the disk on its behalf. */
#include "mta/link/client.h"

#include "base/log.h"
#include "mta/link/link.h"
#include "mta/link/unix.h"
#include "mta/queue/queue.h"
#include "mta/rules/rules.h"
#include "mta/shape/part.h"
#include "mta/site/sites.h"
#include "mta/tenants/tenancy.h"

/* ---- what waits for the disk ------------------------------------------------------------- */

struct uplink_order *uplink_order_take(struct uplink_server *server)
{
	struct list *spare = list_pop(&server->spare);
	struct uplink_order *o =
	    spare ? container_of(spare, struct uplink_order, link) : must_alloc(sizeof(*o));

	list_init(&o->link);
	o->server = server;
	o->client = NULL;
	o->known = false;
	return o;
}

void uplink_order_give(struct uplink_order *o)
{
	list_remove(&o->link);
	buf_shrink(&o->key, 512);
	buf_shrink(&o->value, 512);
	list_push(&o->server->spare, &o->link);
}

/* Each room takes the rules that are its own. */
static void rule_changed(struct engine *e, struct slice key, struct slice value)
{
	rules_changed(e, key, value);
	shape_order_changed(e, key, value);
	sites_rule_changed(e, key, value);
	tenancy_rule_changed(e, key, value);
}

static void carry_out(struct uplink_order *o)
{
	struct engine *e = o->server->engine;

	if (o->kind == ORDER_JOB && !o->known)
		queue_job_added(e, o->job);
	else if (o->kind == ORDER_RULE)
		rule_changed(e, buf_data(&o->key), buf_data(&o->value));
}

static void on_durable(struct durable_wait *w, int err)
{
	struct uplink_order *o = container_of(w, struct uplink_order, wait);
	struct uplink_client *c = o->client;

	if (err == 0)
		carry_out(o);
	if (c && err == 0)
		uplink_client_acknowledge(c, o->request, w->lsn);
	else if (c)
		frames_send_error(&c->frames, o->request, err, (struct slice){ 0 });
	if (c) {
		c->waiting_bytes -= o->bytes;
		if (!c->server->quiet)
			frames_pause(&c->frames, false);
	}
	uplink_order_give(o);
}

void uplink_client_wait(struct uplink_client *c, struct uplink_order *o, uint64_t request,
			size_t bytes, lsn_t lsn)
{
	size_t max = (size_t)uplink_options(c->server->engine)->buffer;

	o->client = c;
	o->request = request;
	o->bytes = bytes;
	c->waiting_bytes += bytes;
	if (c->waiting_bytes > max)
		frames_pause(&c->frames, true);
	list_push(&c->orders, &o->link);
	durable_wait_init(&o->wait, on_durable);
	lane_wait_durable(c->server->front, &o->wait, lsn);
}

void uplink_client_acknowledge(struct uplink_client *c, uint64_t request, lsn_t lsn)
{
	struct link_frame ack = { .type = LINK_ACK, .request = request, .lsn = lsn };

	frames_send(&c->frames, &ack);
}

/* ---- greeting ---------------------------------------------------------------------------- */

static bool good_name(struct slice s)
{
	if (s.n > LINK_NAME_MAX)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789._-", s.p[i]) || !s.p[i])
			return false;
	return true;
}

static void on_welcome(struct durable_wait *w, int err)
{
	struct uplink_client *c = container_of(w, struct uplink_client, welcome);
	struct spool *sp = engine_spool(c->server->engine);
	lsn_t cursor = 0;

	if (err < 0) {
		frames_send_error(&c->frames, c->hello_request, err, (struct slice){ 0 });
		uplink_client_end(c);
		return;
	}
	if (*c->name && spool_consumer_get(sp, slice_str(c->name), &cursor) < 0)
		cursor = 0;
	c->welcomed = true;
	frames_send(&c->frames, &(struct link_frame){
				    .type = LINK_WELCOME,
				    .request = c->hello_request,
				    .welcome = { LINK_VERSION, slice_str(c->server->engine_id),
						 spool_durable(sp), spool_oldest(sp), cursor } });
	if (!c->server->quiet)
		frames_pause(&c->frames, false);
}

static void hear_hello(struct uplink_client *c, const struct link_frame *f)
{
	int r = 0;

	if (f->type != LINK_HELLO || c->hello)
		r = E_CONFLICT;
	else if (f->hello.version != LINK_VERSION)
		r = E_VERSION;
	else if (!good_name(f->hello.name))
		r = E_SYNTAX;
	if (r < 0) {
		frames_send_error(&c->frames, f->request, r,
				  SLICE("the link must begin with one valid HELLO"));
		uplink_client_end(c);
		return;
	}
	c->hello = true;
	c->hello_request = f->request;
	slice_copy(c->name, sizeof(c->name), f->hello.name);
	/* The engine's id is told when no crash can change it any more. */
	frames_pause(&c->frames, true);
	durable_wait_init(&c->welcome, on_welcome);
	lane_wait_durable(c->server->front, &c->welcome, c->server->engine_id_lsn);
}

/* ---- life -------------------------------------------------------------------------------- */

static void on_frame(struct frames *fr, const struct link_frame *f)
{
	struct uplink_client *c = container_of(fr, struct uplink_client, frames);

	if (!c->welcomed || f->type == LINK_HELLO)
		hear_hello(c, f);
	else
		uplink_client_order(c, f);
}

static void on_room(struct frames *fr)
{
	uplink_feed_go_on(container_of(fr, struct uplink_client, frames));
}

static void on_gone(struct frames *fr, int err)
{
	struct uplink_client *c = container_of(fr, struct uplink_client, frames);

	log_info("link.closed", kv_str("name", c->name), kv_err("reason", err));
	uplink_client_end(c);
}

static void reap(struct turn_end *t)
{
	struct uplink_client *c = container_of(t, struct uplink_client, reap);

	buf_free(&c->packed);
	free(c);
}

int uplink_client_begin(struct uplink_server *server, int fd)
{
	static const struct frames_user user = { on_frame, on_room, on_gone };
	struct uplink_client *c = must_alloc(sizeof(*c));
	int r = frames_begin(&c->frames, lane_loop(server->front), fd, &user);

	if (r < 0) {
		free(c);
		return r;
	}
	c->server = server;
	list_init(&c->orders);
	list_init(&c->reap.link);
	c->reap.run = reap;
	durable_wait_init(&c->welcome, on_welcome);
	list_init(&c->tail.link);
	list_push(&server->clients, &c->link);
	return 0;
}

void uplink_client_end(struct uplink_client *c)
{
	struct uplink_order *o;

	if (c->frames.ended)
		return;
	list_each(&c->orders, o, struct uplink_order, link) {
		list_remove(&o->link);
		o->client = NULL;
		list_push(&c->server->lost, &o->link);
	}
	if (c->server->asked)
		c->server->asked->gone(c->server->asked, &c->frames);
	lane_wait_cancel(c->server->front, &c->welcome);
	lane_wait_cancel(c->server->front, &c->tail);
	frames_end(&c->frames);
	list_remove(&c->link);
	if (c->server->listener)
		unix_listener_left(c->server->listener);
	loop_at_turn_end(lane_loop(c->server->front), &c->reap);
}
