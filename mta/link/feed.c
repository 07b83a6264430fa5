/* mta/link/feed.c - events out: the durable log from the client's position on, frame by frame, and
 * then as it grows. */
#include "base/log.h"
#include "mta/link/client.h"
#include "spool/late.h"

enum { EVENTS_A_FRAME = 1024, FULL_FRAME = 16 * 1024 * 1024 };
_Static_assert((int)EVENTS_A_FRAME <= (int)LINK_EVENTS_MAX, "a frame must be readable");

struct packing {
	struct buf *packed;
	uint32_t n;
};

/* What came back as mail: a report about a domain is the text of its event. */
static void put_late(struct link_event *out, const struct late_fact *f,
		     char status[STATUS_TEXT_MAX])
{
	out->at_ms = f->at_ms;
	out->code = f->code;
	out->flags = f->flags;
	out->dsn = slice_str(status_format(f->status, status));
	out->text = f->report.n ? f->report : f->evidence;
	out->host = f->host;
	out->ip = f->ip;
	out->source = f->to;
	out->rcpt = f->rcpt;
	out->class = f->class;
	out->rule = f->rule;
}

static int pack_event(void *arg, const struct event *e)
{
	struct packing *p = arg;
	char status[STATUS_TEXT_MAX];
	struct link_event out = { .lsn = e->lsn,
				  .kind = e->kind,
				  .job = e->job,
				  .tenant = e->tenant,
				  .campaign = e->campaign,
				  .row = e->row };
	int r;

	if (e->late) {
		put_late(&out, e->late, status);
	} else if (e->kind != EVENT_ACCEPTED) {
		const struct outcome *o = &e->o;
		out.attempt = o->attempt;
		out.at_ms = o->at_ms;
		out.next_ms = o->next_ms;
		out.code = o->code;
		out.flags = o->flags;
		out.dsn = slice_str(status_format(o->status, status));
		out.text = o->text;
		out.host = o->host;
		out.ip = o->ip;
		out.source = o->source;
		out.rcpt = o->rcpt;
		out.class = o->class;
		out.rule = o->rule;
		out.tls = o->tls;
		out.cipher = o->cipher;
		out.policy = o->policy;
		out.proof = o->proof;
	}
	r = link_event_put(p->packed, &out);
	p->n += r == 0;
	return r == 0 && buf_len(p->packed) > FULL_FRAME ? SPOOL_ENOUGH : r;
}

static void on_tail(struct durable_wait *w, int err)
{
	struct uplink_client *c = container_of(w, struct uplink_client, tail);

	if (err == 0)
		uplink_feed_go_on(c);
}

/* 1: a frame of events was sent; 0: this is the end of the durable log; or negative.  Records that
 * are not events (contents, rules, cursors) also move the client's position, and it is told: a
 * client that waits for WELCOME's `durable` gets there. */
static int send_some(struct uplink_client *c)
{
	struct spool *sp = engine_spool(c->server->engine);
	struct packing p = { .packed = &c->packed };
	lsn_t next = c->next;
	int r;

	buf_clear(&c->packed);
	r = spool_events(sp, c->next, EVENTS_A_FRAME, pack_event, &p, &next);
	if (r < 0)
		return r;
	if (!p.n && next == c->next)
		return 0;
	c->next = next;
	frames_send(&c->frames,
		    &(struct link_frame){
			.type = LINK_EVENTS,
			.request = c->subscription,
			.events = { .next = next, .n = p.n, .packed = buf_data(&c->packed) } });
	return p.n > 0;
}

/* A frame fills the conn's room many times.  After one the peer must read (on_room), so that one
 * client does not keep the front desk from the others. */
void uplink_feed_go_on(struct uplink_client *c)
{
	struct spool *sp = engine_spool(c->server->engine);
	lsn_t seen = 0;
	int r = 1;

	if (!c->subscribed || c->frames.ended)
		return;
	while (r > 0 && conn_room(c->frames.conn) > 0) {
		seen = spool_durable(sp); /* before reading: what comes later wakes us */
		r = send_some(c);
	}
	if (r < 0) {
		c->subscribed = false;
		log_warn("link.events", kv_str("name", c->name), kv_err("reason", r));
		frames_send_error(&c->frames, c->subscription, r,
				  SLICE("the events cannot be read from the spool"));
		return;
	}
	buf_shrink(&c->packed, 1024 * 1024);
	if (r == 0 && list_empty(&c->tail.link)) {
		durable_wait_init(&c->tail, on_tail);
		lane_wait_durable(c->server->front, &c->tail, seen + 1);
	}
}

/* From now on the log is kept for it from `from` on, even if it had read on before.  *from moves up
 * if the log is kept only from later on. */
static int keep_log(struct spool *sp, struct slice name, lsn_t *from, bool exact)
{
	lsn_t cursor;
	int r = spool_consumer_get(sp, name, &cursor);

	if (r == E_UNKNOWN || (r == 0 && cursor > *from))
		r = spool_consumer_set(sp, name, *from);
	if (r < 0)
		return r;
	/* What was removed before the cursor was set is gone; nothing after it is. */
	if (spool_oldest(sp) > *from && exact)
		return E_UNKNOWN;
	*from = MAX_OF(*from, spool_oldest(sp));
	return 0;
}

int uplink_feed_begin(struct uplink_client *c, uint64_t request, lsn_t from)
{
	struct spool *sp = engine_spool(c->server->engine);
	bool exact = from != 0;
	int r;

	if (c->subscribed)
		return E_CONFLICT;
	if (!exact)
		from = spool_oldest(sp);
	if (from > spool_durable(sp))
		return E_SYNTAX;
	if (from < spool_oldest(sp) && exact)
		return E_UNKNOWN;
	if (*c->name) {
		r = keep_log(sp, slice_str(c->name), &from, exact);
		if (r < 0)
			return r;
	}
	c->subscribed = true;
	c->subscription = request;
	c->next = from;
	uplink_client_acknowledge(c, request, from);
	uplink_feed_go_on(c);
	return 0;
}
