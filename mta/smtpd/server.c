/* A service on a lane: its listening sockets, new clients, and the end. */
#include <ev.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "mta/smtpd/listen.h"
#include "mta/smtpd/session.h"

enum { ACCEPTS_PER_TURN = 64, ACCEPT_AGAIN_MS = 200, SETTLE_MS = 1000 };

struct smtpd_listener {
	ev_io io;
	struct smtpd_server *on;
	const struct listener *at;
	int fd;
	bool tls; /* it begins at once */
};

const char *smtpd_server_event(const struct smtpd_server *on, const char *what, char *buf)
{
	(void)snprintf(buf, SMTPD_EVENT_MAX, "%s.%s", on->with.service->name, what);
	return buf;
}

/* ---- coming in --------------------------------------------------------------------------- */

/* Without a session: sends one line, as far as the socket takes it. */
static void turn_away(struct smtpd_server *on, int fd, struct slice text, const struct ip *ip,
		      const char *why)
{
	char address[IP_TEXT_MAX], event[SMTPD_EVENT_MAX];

	count_add(&on->with.counters->refused, 1);
	log_debug(smtpd_server_event(on, "refused", event),
		  kv_str("client", ip_format(ip, address)), kv_str("reason", why));
	(void)!send(fd, text.p, text.n, MSG_NOSIGNAL | MSG_DONTWAIT);
	(void)close(fd);
}

static struct slice why_not(const struct smtpd_server *on, const struct ip *ip)
{
	const struct smtpd_service *service = on->with.service;

	return service->connect ? service->connect(on->with.state, ip) : SMTPD_GO_ON;
}

void smtpd_server_let_in(struct smtpd_listener *l, int fd, const struct ip *ip)
{
	struct smtpd_server *on = l->on;
	const struct smtpd_settings *settings = on->with.settings;
	struct smtpd_clients *clients = on->with.service->clients;
	struct slice refusal = why_not(on, ip);
	struct smtpd_session *s;
	struct conn *conn;

	if (refusal.n) {
		turn_away(on, fd, refusal, ip, "network");
		return;
	}
	if (!smtpd_clients_enter(clients, ip, settings->max_sessions,
				 settings->max_sessions_client)) {
		turn_away(on, fd, SLICE("421 4.7.0 too many connections\r\n"), ip, "connections");
		return;
	}
	s = must_alloc(sizeof(*s) + on->with.service->own_size);
	if (conn_adopt(&conn, on->loop, fd, &s->user) < 0) {
		smtpd_clients_leave(clients, ip);
		(void)close(fd);
		free(s);
		return;
	}
	s->on = on;
	s->conn = conn;
	smtpd_session_begin(s, ip, l->tls);
}

static void come_in(struct smtpd_listener *l, int fd, const struct ip *ip)
{
	const struct net_list *proxies = l->on->with.settings->proxy_from;

	if (proxies && net_list_has(proxies, ip))
		smtpd_proxied_begin(l->on, l, fd, ip);
	else
		smtpd_server_let_in(l, fd, ip);
}

static void watch_listeners(struct smtpd_server *on, bool watch)
{
	for (unsigned i = 0; i < on->n_listeners; i++) {
		if (watch)
			ev_io_start(on->loop->ev, &on->listeners[i].io);
		else
			ev_io_stop(on->loop->ev, &on->listeners[i].io);
	}
}

static void on_accept_again(struct timer *t)
{
	struct smtpd_server *on = container_of(t, struct smtpd_server, accept_again);

	if (!on->quiet)
		watch_listeners(on, true);
}

/* The connection stays in the kernel's queue, so asking again at once would spin. */
static void pause_accepting(struct smtpd_server *on, int err)
{
	char event[SMTPD_EVENT_MAX];

	log_warn(smtpd_server_event(on, "accept", event), kv_err("reason", -err));
	watch_listeners(on, false);
	timer_set(on->loop->timers, &on->accept_again, ACCEPT_AGAIN_MS);
}

static void on_acceptable(struct ev_loop *ev, ev_io *w, int revents)
{
	struct smtpd_listener *l = w->data;
	struct sockaddr_storage ss;
	struct ip ip;
	uint16_t port;

	(void)ev, (void)revents;
	for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
		socklen_t n = sizeof(ss);
		int fd = accept4(l->fd, (struct sockaddr *)&ss, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0) {
			ip_from_sockaddr((struct sockaddr *)&ss, &ip, &port);
			come_in(l, fd, &ip);
			continue;
		}
		if (errno == EAGAIN)
			return;
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
			pause_accepting(l->on, errno);
			return;
		}
	}
}

/* ---- listeners and certificate ----------------------------------------------------------- */

static void log_listen(const struct smtpd_server *on, const struct listener *at, int err)
{
	char address[IP_TEXT_MAX], event[SMTPD_EVENT_MAX];

	log_error(smtpd_server_event(on, "listen", event),
		  kv_str("address", ip_format(&at->ip, address)), kv_int("port", at->port),
		  kv_err("reason", err));
}

static void close_listeners(struct smtpd_server *on)
{
	watch_listeners(on, false);
	timer_stop(on->loop->timers, &on->accept_again);
	for (unsigned i = 0; i < on->n_listeners; i++)
		smtpd_listen_close(on->listeners[i].at, on->listeners[i].fd);
	on->n_listeners = 0;
}

static int open_listeners(struct smtpd_server *on, const struct listener *at, unsigned n, bool tls)
{
	for (unsigned i = 0; i < n; i++) {
		struct smtpd_listener *l = &on->listeners[on->n_listeners];
		int r;

		l->at = &at[i];
		l->tls = tls;
		r = smtpd_listen_open(l->at, &l->fd);
		if (r < 0) {
			log_listen(on, l->at, r);
			return r;
		}
		l->on = on;
		ev_io_init(&l->io, on_acceptable, l->fd, EV_READ);
		l->io.data = l;
		on->n_listeners++;
	}
	return 0;
}

static int open_all_listeners(struct smtpd_server *on)
{
	const struct smtpd_server_options *o = &on->with;
	int r;

	if (o->n_listen_tls && !on->tls)
		return E_TLS;
	on->listeners =
	    must_alloc(MAX_OF(o->n_listen + o->n_listen_tls, 1u) * sizeof(*on->listeners));
	r = open_listeners(on, o->listen, o->n_listen, false);
	if (r == 0)
		r = open_listeners(on, o->listen_tls, o->n_listen_tls, true);
	if (r == 0)
		watch_listeners(on, true);
	return r;
}

static int load_tls(struct smtpd_server *on)
{
	const struct smtpd_settings *settings = on->with.settings;
	struct tls_context *fresh = NULL;
	char event[SMTPD_EVENT_MAX];
	int r = 0;

	if (*settings->tls_cert)
		r = tls_server_new(&fresh, settings->tls_cert, settings->tls_key);
	if (r < 0) {
		log_error(smtpd_server_event(on, "tls", event), kv_str("file", settings->tls_cert),
			  kv_err("reason", r));
		return r;
	}
	if (!fresh && on->with.n_listen_tls && on->tls)
		return 0; /* these listeners go on with the one they have */
	tls_context_free(on->tls);
	on->tls = fresh;
	return 0;
}

void smtpd_server_reload(struct smtpd_server *on)
{
	(void)!load_tls(on); /* it is logged; the old certificate stays */
}

/* ---- life -------------------------------------------------------------------------------- */

int smtpd_server_new(struct smtpd_server **ret, const struct smtpd_server_options *o)
{
	OWNED(smtpd_server) on = must_alloc(sizeof(*on));
	int r;

	on->with = *o;
	on->loop = lane_loop(o->lane);
	list_init(&on->sessions);
	list_init(&on->acceptances);
	list_init(&on->spare);
	list_init(&on->proxied);
	timer_init(&on->accept_again, on_accept_again);
	r = load_tls(on);
	if (r < 0)
		return r;
	r = open_all_listeners(on);
	if (r < 0)
		return r;
	*ret = TAKE(on);
	return 0;
}

void smtpd_server_quiet(struct smtpd_server *on)
{
	struct smtpd_session *s;

	on->quiet = true;
	close_listeners(on);
	smtpd_proxied_free_all(on);
	list_each(&on->sessions, s, struct smtpd_session, link)
		if ((s->life == SMTPD_STRANGER || s->life == SMTPD_IDLE || s->life == SMTPD_AUTH) &&
		    !s->skipping)
			smtpd_session_bye(s, SLICE("421 4.3.2 shutting down\r\n"));
}

/* What is in the spool already is synced within a moment.  Its clients are still told, so that they
 * do not send it again.  The lane has ended, so nobody else waits for this. */
static void settle(struct smtpd_server *on, struct smtpd_session *s)
{
	const struct timespec moment = { 0, 1000000 };
	struct spool *sp = engine_spool(lane_engine(on->with.lane));
	struct smtpd_acceptance *a;
	int64_t until = clock_mono_ms() + SETTLE_MS;

	while ((a = list_first(&s->waiting, struct smtpd_acceptance, link))) {
		while (spool_durable(sp) < a->wait.lsn && !spool_failed(sp) &&
		       clock_mono_ms() < until)
			(void)nanosleep(&moment, NULL);
		if (spool_durable(sp) < a->wait.lsn)
			return;
		lane_wait_cancel(on->with.lane, &a->wait);
		a->wait.done(&a->wait, 0);
	}
}

static void free_acceptances(struct smtpd_server *on)
{
	struct list *l;

	while ((l = list_pop(&on->acceptances))) {
		struct smtpd_acceptance *a = container_of(l, struct smtpd_acceptance, link);
		lane_wait_cancel(on->with.lane, &a->wait);
		smtpd_acceptance_free(a);
	}
	while ((l = list_pop(&on->spare))) {
		struct smtpd_acceptance *a = container_of(l, struct smtpd_acceptance, link);
		buf_free(&a->after);
		free(a);
	}
}

struct smtpd_server *smtpd_server_free(struct smtpd_server *on)
{
	struct smtpd_session *s;

	if (!on)
		return NULL;
	close_listeners(on);
	smtpd_proxied_free_all(on);
	list_each(&on->sessions, s, struct smtpd_session, link) {
		settle(on, s);
		smtpd_session_end(s);
	}
	free_acceptances(on);
	tls_context_free(on->tls);
	buf_free(&on->greeting);
	free(on->listeners);
	free(on);
	return NULL;
}
