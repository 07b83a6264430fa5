/* mta/metrics/server.c - who asks for metrics, over HTTP and from the front desk. */
#include <ev.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "mta/link/unix.h"
#include "mta/metrics/web.h"
#include "mta/metrics/metrics.h"
#include "mta/metrics/write.h"
#include "mta/smtpd/listen.h"

enum { WEB_HEAD_MS = 10000, WEB_ANSWER_MS = 30000, LEAVE_LOOK_MS = 20, ACCEPT_AGAIN_MS = 200 };

struct metrics_state {
	struct lane *front;
	struct gather gather;
	struct writer writer;
	struct list askers;
	struct buf text;

	struct unix_listener *unix_listener;
	struct unix_listener_user user;
	struct listener at;
	int fd; /* of a TCP listener; -1 */
	ev_io io;
	struct timer again;
	struct list clients;
	unsigned n_clients;
};

struct metrics_client {
	struct list link;
	struct metrics_state *state;
	struct conn *conn;
	struct conn_user user;
	struct timer timer;
	struct turn_end reap;
	struct metrics_asker asker;
	bool answering, head_only, ended;
	int64_t until_ms;
	struct buf out;
	size_t off;
};

/* ---- questions --------------------------------------------------------------------------- */

static void on_gathered(struct gather *g)
{
	struct metrics_state *st = container_of(g, struct metrics_state, gather);
	struct list *l;

	buf_clear(&st->text);
	writer_write(&st->writer, &st->text);
	while ((l = list_pop(&st->askers)) != NULL) {
		struct metrics_asker *a = container_of(l, struct metrics_asker, link);
		a->done(a, buf_data(&st->text));
	}
	buf_shrink(&st->text, 0);
}

void metrics_ask(struct engine *e, struct metrics_asker *a)
{
	struct metrics_state *st = lane_state(engine_front(e), &metrics_part);

	list_init(&a->link);
	list_push(&st->askers, &a->link);
	if (!st->gather.left)
		gather_begin(&st->gather);
}

void metrics_cancel(struct metrics_asker *a)
{
	list_remove(&a->link);
}

void metrics_heads(const struct part *const *parts, unsigned n, struct buf *out)
{
	struct writer w;

	writer_init(&w, NULL, NULL);
	w.parts = parts;
	w.n_parts = n;
	writer_write(&w, out);
	writer_end(&w);
}

/* ---- a client ---------------------------------------------------------------------------- */

static struct timers *timers_of(const struct metrics_client *c)
{
	return lane_loop(c->state->front)->timers;
}

static void on_reap(struct turn_end *t)
{
	free(container_of(t, struct metrics_client, reap));
}

static void client_end(struct metrics_client *c)
{
	struct metrics_state *st = c->state;

	if (c->ended)
		return;
	c->ended = true;
	metrics_cancel(&c->asker);
	timer_stop(timers_of(c), &c->timer);
	c->conn = conn_free(c->conn);
	buf_free(&c->out);
	list_remove(&c->link);
	st->n_clients--;
	if (st->unix_listener)
		unix_listener_left(st->unix_listener);
	loop_at_turn_end(lane_loop(st->front), &c->reap);
}

/* As much as the conn has room for; it ends once all has left. */
static void pump(struct metrics_client *c)
{
	struct slice rest = slice_skip(buf_data(&c->out), c->off);
	size_t n = MIN_OF(rest.n, conn_room(c->conn));

	if (n && conn_write(c->conn, slice_of(rest.p, n)) < 0) {
		client_end(c);
		return;
	}
	c->off += n;
	if (c->off == buf_len(&c->out) && !conn_unsent(c->conn))
		client_end(c);
	else
		timer_set(timers_of(c), &c->timer, LEAVE_LOOK_MS);
}

static void answer(struct metrics_client *c, int status, struct slice body)
{
	buf_putf(&c->out,
		 "HTTP/1.1 %s\r\n%sContent-Type: text/plain; %scharset=utf-8\r\n"
		 "Content-Length: %zu\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n",
		 web_status(status), status == 405 ? "Allow: GET, HEAD\r\n" : "",
		 status == 200 ? "version=0.0.4; " : "", body.n);
	if (!c->head_only)
		buf_put(&c->out, body);
	c->answering = true;
	c->until_ms = timers_now(timers_of(c)) + WEB_ANSWER_MS;
	pump(c);
}

static void refuse(struct metrics_client *c, int status)
{
	char text[64];

	slice_copy(text, sizeof(text), slice_str(web_status(status)));
	answer(c, status, slice_str(strcat(text, "\n")));
}

static void on_text(struct metrics_asker *a, struct slice text)
{
	answer(container_of(a, struct metrics_client, asker), 200, text);
}

static void hear(struct metrics_client *c)
{
	struct web_request q;
	int r = web_parse(conn_input(c->conn), &q);

	if (r == 0) {
		if (conn_eof(c->conn))
			client_end(c);
		return;
	}
	conn_pause_reading(c->conn, true);
	c->answering = true;
	timer_set(timers_of(c), &c->timer, WEB_ANSWER_MS);
	c->head_only = r > 0 && q.method == WEB_HEAD;
	if (r < 0)
		refuse(c, -r);
	else if (!slice_eq(q.path, SLICE("/metrics")))
		refuse(c, 404);
	else if (q.method == WEB_OTHER)
		refuse(c, 405);
	else
		metrics_ask(lane_engine(c->state->front), &c->asker);
}

static void on_event(struct conn_user *u, enum conn_event e, int err)
{
	struct metrics_client *c = container_of(u, struct metrics_client, user);

	(void)err;
	if (c->ended)
		return;
	if (e == CONN_FAILED)
		client_end(c);
	else if (e == CONN_READABLE && !c->answering)
		hear(c);
	else if (e == CONN_WRITABLE && buf_len(&c->out))
		pump(c);
}

static void on_timer(struct timer *t)
{
	struct metrics_client *c = container_of(t, struct metrics_client, timer);

	if (!c->answering)
		refuse(c, 408);
	else if (!buf_len(&c->out) || timers_now(timers_of(c)) >= c->until_ms)
		client_end(c);
	else
		pump(c);
}

static void begin(struct metrics_state *st, int fd)
{
	struct metrics_client *c = must_alloc(sizeof(*c));

	c->state = st;
	c->user.event = on_event;
	c->reap.run = on_reap;
	c->asker.done = on_text;
	list_init(&c->asker.link);
	list_init(&c->reap.link);
	timer_init(&c->timer, on_timer);
	if (conn_adopt(&c->conn, lane_loop(st->front), fd, &c->user) < 0) {
		(void)close(fd);
		if (st->unix_listener)
			unix_listener_left(st->unix_listener);
		free(c);
		return;
	}
	list_push(&st->clients, &c->link);
	st->n_clients++;
	timer_set(timers_of(c), &c->timer, WEB_HEAD_MS);
}

/* ---- listening --------------------------------------------------------------------------- */

static void on_accepted(struct unix_listener_user *u, int fd)
{
	begin(container_of(u, struct metrics_state, user), fd);
}

static void on_again(struct timer *t)
{
	struct metrics_state *st = container_of(t, struct metrics_state, again);

	ev_io_start(lane_loop(st->front)->ev, &st->io);
}

static void on_acceptable(struct ev_loop *ev, ev_io *w, int revents)
{
	struct metrics_state *st = container_of(w, struct metrics_state, io);
	int fd = accept4(st->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void)revents;
	if (fd >= 0 && st->n_clients < METRICS_CLIENTS_MAX) {
		begin(st, fd);
	} else if (fd >= 0) {
		(void)close(fd);
	} else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
		ev_io_stop(ev, w);
		timer_set(lane_loop(st->front)->timers, &st->again, ACCEPT_AGAIN_MS);
	}
}

static int open_listener(struct metrics_state *st, const struct metrics_options *o)
{
	struct unix_listener_options at = { .path = o->listen,
					    .mode = *o->group ? 0660 : 0600,
					    .group = o->group,
					    .max = METRICS_CLIENTS_MAX };
	int r;

	if (!*o->listen)
		return 0;
	if (*o->listen == '/')
		return unix_listen(&st->unix_listener, lane_loop(st->front), &at, &st->user);
	r = smtpd_listen_open(&o->at, &st->fd);
	if (r < 0)
		return r;
	st->at = o->at;
	ev_io_init(&st->io, on_acceptable, st->fd, EV_READ);
	ev_io_start(lane_loop(st->front)->ev, &st->io);
	return 0;
}

static void close_listener(struct metrics_state *st)
{
	st->unix_listener = unix_listener_free(st->unix_listener);
	timer_stop(lane_loop(st->front)->timers, &st->again);
	if (st->fd < 0)
		return;
	ev_io_stop(lane_loop(st->front)->ev, &st->io);
	smtpd_listen_close(&st->at, st->fd);
}

/* ---- life -------------------------------------------------------------------------------- */

static void metrics_stop(void *state)
{
	struct metrics_state *st = state;
	struct metrics_client *c;

	list_each(&st->clients, c, struct metrics_client, link)
		client_end(c);
	close_listener(st);
	gather_end(&st->gather);
	writer_end(&st->writer);
	buf_free(&st->text);
	free(st);
}

static int metrics_start(struct lane *front, void **ret_state)
{
	const struct metrics_options *o =
	    settings_of(engine_settings(lane_engine(front)), &metrics_option_set);
	struct metrics_state *st = must_alloc(sizeof(*st));
	int r;

	st->front = front;
	st->fd = -1;
	st->gather = (struct gather){ .engine = lane_engine(front), .done = on_gathered };
	writer_init(&st->writer, lane_engine(front), &st->gather);
	list_init(&st->askers);
	list_init(&st->clients);
	buf_init(&st->text, 0);
	st->user.accepted = on_accepted;
	timer_init(&st->again, on_again);
	*ret_state = st;
	r = open_listener(st, o);
	if (r < 0)
		log_error("metrics.listen", kv_str("at", o->listen), kv_err("reason", r));
	return r;
}

const struct part metrics_part = {
	.name = "metrics",
	.front = true,
	.start = metrics_start,
	.stop = metrics_stop,
};
