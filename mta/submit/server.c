/* Listening sockets of a lane, and who may come in. */
#include <ev.h>
#include <netinet/in.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "mta/submit/session.h"

enum { BACKLOG = 1024, ACCEPTS_A_TURN = 64, ACCEPT_AGAIN_MS = 200, SETTLE_MS = 1000 };

struct submit_listener {
	ev_io io;
	struct submit_lane *on;
	int fd;
};

/* ---- coming in --------------------------------------------------------------------------- */

static bool may_submit(const struct mta_config *c, const struct ip *ip)
{
	for (unsigned i = 0; i < c->submission_nets.n; i++)
		if (ip_net_has(&c->submission_nets.nets[i], ip))
			return true;
	return false;
}

/* Before there is a session: one line, as far as the socket takes it. */
static void turn_away(struct submit_lane *on, int fd, struct slice text, const struct ip *ip,
		      const char *why)
{
	char address[IP_TEXT_MAX];

	atomic_fetch_add_explicit(&on->stats.refused, 1, memory_order_relaxed);
	log_debug("submit.refused", kv_str("client", ip_format(ip, address)),
		  kv_str("reason", why));
	(void)!send(fd, text.p, text.n, MSG_NOSIGNAL | MSG_DONTWAIT);
	(void)close(fd);
}

static void come_in(struct submit_lane *on, int fd, const struct ip *ip)
{
	const struct mta_config *c = engine_config(on->engine);
	struct submit_session *s;
	struct conn *conn;

	if (!may_submit(c, ip)) {
		turn_away(on, fd, SLICE("554 5.7.1 no mail is taken from your address\r\n"), ip,
			  "network");
		return;
	}
	if (!clients_enter(ip, c->submission_max_sessions, c->submission_max_sessions_client)) {
		turn_away(on, fd, SLICE("421 4.7.0 too many connections\r\n"), ip, "connections");
		return;
	}
	s = must_alloc(sizeof(*s));
	if (conn_adopt(&conn, lane_loop(on->lane), fd, &s->user) < 0) {
		clients_leave(ip);
		(void)close(fd);
		free(s);
		return;
	}
	smtpd_session_begin(on, conn, s);
}

static void watch_listeners(struct submit_lane *on, bool watch)
{
	struct ev_loop *ev = lane_loop(on->lane)->ev;

	for (unsigned i = 0; i < on->n_listeners; i++) {
		if (watch)
			ev_io_start(ev, &on->listeners[i].io);
		else
			ev_io_stop(ev, &on->listeners[i].io);
	}
}

static void on_accept_again(struct timer *t)
{
	struct submit_lane *on = container_of(t, struct submit_lane, accept_again);

	if (!on->quiet)
		watch_listeners(on, true);
}

static void on_acceptable(struct ev_loop *ev, ev_io *w, int revents)
{
	struct submit_listener *l = w->data;
	struct sockaddr_storage ss;
	struct ip ip;
	uint16_t port;

	(void)ev, (void)revents;
	for (int i = 0; i < ACCEPTS_A_TURN; i++) {
		socklen_t n = sizeof(ss);
		int fd = accept4(l->fd, (struct sockaddr *)&ss, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0) {
			ip_from_sockaddr((struct sockaddr *)&ss, &ip, &port);
			come_in(l->on, fd, &ip);
			continue;
		}
		if (errno == EAGAIN)
			return;
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
			/* The connection stays in the kernel's line; asking again at once would
			 * spin. */
			log_warn("submit.accept", kv_err("reason", -errno));
			watch_listeners(l->on, false);
			timer_set(lane_loop(l->on->lane)->timers, &l->on->accept_again,
				  ACCEPT_AGAIN_MS);
			return;
		}
	}
}

/* ---- life -------------------------------------------------------------------------------- */

static int open_listener(const struct listener *at, int *ret)
{
	struct sockaddr_storage ss;
	socklen_t n = ip_sockaddr(&at->ip, at->port, &ss);
	OWNED_FD int fd = socket(ss.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int one = 1;

	if (fd < 0)
		return -errno;
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)) < 0)
		return -errno;
	if (ss.ss_family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&ss, n) < 0 || listen(fd, BACKLOG) < 0)
		return -errno;
	*ret = fd;
	fd = -1;
	return 0;
}

static void close_listeners(struct submit_lane *on)
{
	watch_listeners(on, false);
	timer_stop(lane_loop(on->lane)->timers, &on->accept_again);
	for (unsigned i = 0; i < on->n_listeners; i++)
		(void)close(on->listeners[i].fd);
	on->n_listeners = 0;
}

static int load_tls(struct submit_lane *on)
{
	const struct mta_config *c = engine_config(on->engine);
	struct tls_context *fresh = NULL;
	int r = 0;

	if (*c->tls_cert)
		r = tls_server_new(&fresh, c->tls_cert, c->tls_key);
	if (r < 0) {
		log_error("submit.tls", kv_str("file", c->tls_cert), kv_err("reason", r));
		return r;
	}
	tls_context_free(on->tls);
	on->tls = fresh;
	return 0;
}

static int open_listeners(struct submit_lane *on)
{
	const struct mta_config *c = engine_config(on->engine);

	on->listeners = must_alloc(MAX_OF(c->n_submission, 1u) * sizeof(*on->listeners));
	for (unsigned i = 0; i < c->n_submission; i++) {
		struct submit_listener *l = &on->listeners[i];
		int r = open_listener(&c->submission[i], &l->fd);
		if (r < 0)
			return r;
		l->on = on;
		ev_io_init(&l->io, on_acceptable, l->fd, EV_READ);
		l->io.data = l;
		on->n_listeners++;
	}
	watch_listeners(on, true);
	return 0;
}

static bool is_settled(struct submit_lane *on, lsn_t lsn)
{
	struct spool *sp = engine_spool(on->engine);

	return spool_durable(sp) >= lsn || spool_failed(sp);
}

/* What is in the log already is synced within a moment: its clients are still told, so that they do
 * not send it again.  The lane has ended, nobody else is kept waiting. */
static void settle(struct submit_lane *on, struct submit_session *s)
{
	const struct timespec moment = { 0, 1000000 };
	struct acceptance *a;
	int64_t until = clock_mono_ms() + SETTLE_MS;

	while ((a = list_first(&s->waiting, struct acceptance, link))) {
		while (!is_settled(on, a->wait.lsn) && clock_mono_ms() < until)
			(void)nanosleep(&moment, NULL);
		if (spool_durable(engine_spool(on->engine)) < a->wait.lsn)
			return;
		lane_wait_cancel(on->lane, &a->wait);
		a->wait.done(&a->wait, 0);
	}
}

static void submit_stop(void *state)
{
	struct submit_lane *on = state;
	struct submit_session *s;
	struct list *l;

	clients_part(on);
	close_listeners(on);
	list_each(&on->sessions, s, struct submit_session, link) {
		settle(on, s);
		smtpd_session_end(s);
	}
	while ((l = list_pop(&on->acceptances))) {
		struct acceptance *a = container_of(l, struct acceptance, link);
		lane_wait_cancel(on->lane, &a->wait);
		smtpd_session_free_acceptance(a);
	}
	while ((l = list_pop(&on->spare))) {
		struct acceptance *a = container_of(l, struct acceptance, link);
		buf_free(&a->after);
		free(a);
	}
	tls_context_free(on->tls);
	buf_free(&on->scratch);
	buf_free(&on->content_meta);
	buf_free(&on->job_meta);
	free(on->listeners);
	free(on);
}

static int submit_start(struct lane *lane, void **ret_state)
{
	struct submit_lane *on = must_alloc(sizeof(*on));
	int r;

	on->lane = lane;
	on->engine = lane_engine(lane);
	list_init(&on->sessions);
	list_init(&on->acceptances);
	list_init(&on->spare);
	timer_init(&on->accept_again, on_accept_again);
	clients_join(on);
	r = load_tls(on);
	if (r == 0)
		r = open_listeners(on);
	if (r < 0) {
		submit_stop(on);
		return r;
	}
	*ret_state = on;
	return 0;
}

/* SIGTERM: who is in the middle of a message may finish it, the next MAIL is answered with 421. */
static void submit_quiet(void *state)
{
	struct submit_lane *on = state;
	struct submit_session *s;

	on->quiet = true;
	close_listeners(on);
	list_each(&on->sessions, s, struct submit_session, link)
		if (!s->has_from && s->phase == PHASE_COMMAND)
			smtpd_session_bye(s, SLICE("421 4.3.2 shutting down\r\n"));
}

static void submit_reload(void *state)
{
	struct submit_lane *on = state;

	(void)!load_tls(on); /* said in the log; the old certificate stays */
}

const struct input submit_input = {
	.name = "submission",
	.front = false,
	.start = submit_start,
	.quiet = submit_quiet,
	.stop = submit_stop,
	.reload = submit_reload,
};
