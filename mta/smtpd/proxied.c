/* Connections of proxies that have not said yet for whom they speak.  The header is looked at in
 * the socket before it is taken, so that what follows it, which may be a TLS handshake, stays there
 * for the session. */
#include <ev.h>
#include <unistd.h>

#include "base/log.h"
#include "mta/smtpd/proxy.h"
#include "mta/smtpd/session.h"

enum { PROXIED_MAX = 1024, PROXIED_MS = 10000 };

struct smtpd_proxied {
	struct list link;
	ev_io io;
	struct timer timer;
	struct smtpd_server *on;
	struct smtpd_listener *listener;
	struct ip proxy;
	int fd;
	size_t n; /* bytes of `header` that are here already */
	char header[PROXY_HEADER_MAX];
};

/* Gives the socket to the caller. */
static int leave(struct smtpd_proxied *p)
{
	int fd = p->fd;

	ev_io_stop(p->on->loop->ev, &p->io);
	timer_stop(p->on->loop->timers, &p->timer);
	list_remove(&p->link);
	p->on->n_proxied--;
	free(p);
	return fd;
}

static void drop(struct smtpd_proxied *p, const char *why)
{
	char address[IP_TEXT_MAX], event[SMTPD_EVENT_MAX];

	count_add(&p->on->with.counters->refused, 1);
	log_info(smtpd_server_event(p->on, "proxy-bad", event),
		 kv_str("proxy", ip_format(&p->proxy, address)), kv_str("reason", why));
	(void)close(leave(p));
}

static void on_late(struct timer *t)
{
	drop(container_of(t, struct smtpd_proxied, timer), "no header came");
}

/* Takes `n` bytes that a look has shown to be there. */
static bool take(struct smtpd_proxied *p, size_t n)
{
	return recv(p->fd, p->header + p->n, n, MSG_DONTWAIT) == (ssize_t)n;
}

static void go_on(struct smtpd_proxied *p, const struct ip *client)
{
	struct smtpd_listener *l = p->listener;
	struct ip ip = client->family ? *client : p->proxy;

	smtpd_server_let_in(l, leave(p), &ip);
}

static void on_readable(struct ev_loop *ev, ev_io *w, int revents)
{
	struct smtpd_proxied *p = w->data;
	size_t room = sizeof(p->header) - p->n, used = 0;
	ssize_t got = recv(p->fd, p->header + p->n, room, MSG_PEEK | MSG_DONTWAIT);
	struct ip client;
	int r;

	(void)ev, (void)revents;
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0) {
		drop(p, "the connection ended before the header did");
		return;
	}
	r = proxy_parse(slice_of(p->header, p->n + (size_t)got), &client, &used);
	if (r < 0)
		drop(p, r == E_LIMIT ? "the header is too long" : "this is no PROXY header");
	else if (!take(p, r ? used - p->n : (size_t)got))
		drop(p, "the connection failed");
	else if (r)
		go_on(p, &client);
	else
		p->n += (size_t)got;
}

void smtpd_proxied_begin(struct smtpd_server *on, struct smtpd_listener *l, int fd,
			 const struct ip *proxy)
{
	struct smtpd_proxied *p;

	if (on->n_proxied >= PROXIED_MAX) {
		count_add(&on->with.counters->refused, 1);
		(void)close(fd);
		return;
	}
	p = must_alloc(sizeof(*p));
	p->on = on;
	p->listener = l;
	p->fd = fd;
	p->proxy = *proxy;
	timer_init(&p->timer, on_late);
	ev_io_init(&p->io, on_readable, fd, EV_READ);
	p->io.data = p;
	list_push(&on->proxied, &p->link);
	on->n_proxied++;
	ev_io_start(on->loop->ev, &p->io);
	timer_set(on->loop->timers, &p->timer, PROXIED_MS);
}

void smtpd_proxied_free_all(struct smtpd_server *on)
{
	struct smtpd_proxied *p;

	while ((p = list_first(&on->proxied, struct smtpd_proxied, link)))
		(void)close(leave(p));
}
