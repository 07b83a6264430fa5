/* mta/egress/probe.c - a connection for its own sake, to a proxy or a host. */
#include "mta/egress/probe.h"

struct probe {
	struct loop *loop;
	struct probe_user *user;
	struct conn *conn;
	struct conn_user conn_user;
	struct detour talk;
	struct timer timer;
	struct turn_end end;
	bool over;
	int err;
};

static void at_turn_end(struct turn_end *t)
{
	struct probe *p = container_of(t, struct probe, end);

	p->user->done(p->user, p->err);
}

static void finish(struct probe *p, int err)
{
	if (p->over)
		return;
	p->over = true;
	p->err = err;
	timer_stop(p->loop->timers, &p->timer);
	loop_at_turn_end(p->loop, &p->end);
}

static void on_timer(struct timer *t)
{
	finish(container_of(t, struct probe, timer), E_TIMEOUT);
}

static void say(struct probe *p, struct buf *out)
{
	int r = buf_len(out) ? conn_write(p->conn, buf_data(out)) : 0;

	buf_free(out);
	if (r < 0)
		finish(p, r);
}

static void begin(struct probe *p)
{
	struct buf out = { 0 };

	if (!p->talk.proxy) {
		finish(p, 0);
		return;
	}
	bool well = detour_begin(&p->talk, &out);

	say(p, &out);
	if (well)
		finish(p, 0);
}

static void hear(struct probe *p)
{
	struct buf out = { 0 };
	size_t used;
	int r;

	do {
		r = detour_hear(&p->talk, conn_input(p->conn), &used, &out);
		conn_consume(p->conn, used);
	} while (r == 0 && used && !buf_len(&out));
	say(p, &out);
	if (r)
		finish(p, MIN_OF(r, 0));
	else if (conn_eof(p->conn))
		finish(p, E_EOF);
}

static void on_event(struct conn_user *u, enum conn_event e, int err)
{
	struct probe *p = container_of(u, struct probe, conn_user);

	if (p->over)
		return;
	if (e == CONN_OPEN)
		begin(p);
	else if (e == CONN_READABLE)
		hear(p);
	else if (e == CONN_FAILED)
		finish(p, err);
}

static struct probe *start(struct loop *l, const struct proxy *proxy, const struct conn_target *to,
			   struct probe_user *u)
{
	struct probe *p = must_alloc(sizeof(*p));
	int r;

	p->loop = l;
	p->user = u;
	p->talk = (struct detour){ .proxy = proxy, .only_hello = true };
	p->conn_user.event = on_event;
	timer_init(&p->timer, on_timer);
	list_init(&p->end.link);
	p->end.run = at_turn_end;
	timer_set(l->timers, &p->timer, PROBE_MS);
	r = conn_open(&p->conn, l, to, &p->conn_user);
	if (r < 0)
		finish(p, r);
	return p;
}

struct probe *probe_start(struct loop *l, const struct proxy *proxy, struct probe_user *u)
{
	return start(l, proxy, &(struct conn_target){ .ip = proxy->ip, .port = proxy->port }, u);
}

struct probe *probe_connect(struct loop *l, const struct conn_target *to, struct probe_user *u)
{
	return start(l, NULL, to, u);
}

struct probe *probe_free(struct probe *p)
{
	if (!p)
		return NULL;
	timer_stop(p->loop->timers, &p->timer);
	list_remove(&p->end.link);
	p->conn = conn_free(p->conn);
	free(p);
	return NULL;
}
