/* dns/question.c - the life of one question: tries, servers, aliases, its end. */
#include "dns/question.h"

#include <unistd.h>

#include "base/clock.h"

void question_drop_socket(struct question *q)
{
	if (q->fd < 0)
		return;
	ev_io_stop(q->r->loop, &q->io);
	ev_timer_stop(q->r->loop, &q->timer);
	(void)close(q->fd);
	q->fd = -1;
	free(q->tcp.packet);
	q->tcp = (struct tcp_state){ .on = false };
}

static void on_timeout(struct ev_loop *loop UNUSED, ev_timer *timer, int events UNUSED)
{
	struct question *q = container_of(timer, struct question, timer);
	struct resolver *r = q->r;

	r->stats.timeouts++;
	if (r->server == q->server) /* the next questions start with another */
		r->server = (r->server + 1) % r->o.n_servers;
	question_next_try(q);
}

void question_arm(struct question *q, int fd, int events,
		  void (*cb)(struct ev_loop *, ev_io *, int))
{
	q->fd = fd;
	ev_io_init(&q->io, cb, fd, events);
	ev_io_start(q->r->loop, &q->io);
	/* Outside of a callback the loop's time may be old. */
	ev_timer_init(&q->timer, on_timeout,
		      q->r->o.timeout_ms / 1e3 + ev_time() - ev_now(q->r->loop), 0.);
	ev_timer_start(q->r->loop, &q->timer);
}

/* Without a socket there is nothing to wait for: the next server is asked at once. */
static void send_question(struct question *q)
{
	while (question_send_udp(q) < 0) {
		if (++q->tries >= q->r->o.tries) {
			question_finish(q, answer_status(E_DNS_TEMP, 0));
			return;
		}
		q->server = (q->server + 1) % q->r->o.n_servers;
	}
}

void question_start(struct question *q)
{
	q->server = q->r->server;
	send_question(q);
}

void question_next_try(struct question *q)
{
	question_drop_socket(q);
	if (++q->tries >= q->r->o.tries) {
		question_finish(q, answer_status(E_DNS_TEMP, 0));
		return;
	}
	q->server = (q->server + 1) % q->r->o.n_servers;
	send_question(q);
}

/* SERVFAIL, REFUSED and the like: when all servers say so, that is the answer for a short time. */
static void take_refusal(struct question *q)
{
	struct answer *w;

	if (++q->refusals < q->r->o.n_servers) {
		question_next_try(q);
		return;
	}
	w = answer_status(E_DNS_TEMP, 0);
	w->keep = true;
	question_drop_socket(q);
	question_finish(q, w);
}

/* An old server without EDNS: it is asked again without it. */
static void retry_plain(struct question *q)
{
	q->no_edns = true;
	question_drop_socket(q);
	send_question(q);
}

static void follow(struct question *q, struct answer *w)
{
	(void)slice_copy(q->alias, sizeof(q->alias), w->a.canonical);
	q->aliases = w->aliases;
	q->ttl_s = MIN_OF(q->ttl_s, w->a.ttl_s);
	q->authentic = q->authentic && w->a.authentic;
	q->tries = 0; /* at most PACKET_ALIASES_MAX times */
	answer_unref(w);
	question_drop_socket(q);
	send_question(q);
}

static bool take_answer(struct question *q, const uint8_t *packet, size_t n, bool authentic)
{
	struct answer *w;

	if (packet_parse(packet, n, q->type, q->aliases, &w) < 0)
		return false;
	w->a.authentic = authentic && (q->r->o.servers[q->server].trusted ||
				       ip_is_loopback(&q->r->o.servers[q->server].ip));
	if (w->again) {
		follow(q, w);
		return true;
	}
	question_drop_socket(q);
	w->a.ttl_s = MIN_OF(w->a.ttl_s, q->ttl_s);
	w->a.authentic = w->a.authentic && q->authentic;
	question_finish(q, w);
	return true;
}

bool question_take_packet(struct question *q, const uint8_t *packet, size_t n)
{
	struct packet_flags f = packet_flags(packet);

	if (f.truncated && !q->tcp.on) {
		if (question_send_tcp(q) < 0)
			question_next_try(q);
		return true;
	}
	if (f.rcode == RCODE_NOERROR || f.rcode == RCODE_NXDOMAIN)
		return take_answer(q, packet, n, f.authentic);
	if (f.rcode == RCODE_FORMERR && !q->no_edns)
		retry_plain(q);
	else
		take_refusal(q);
	return true;
}

static uint32_t clamp_ttl(const struct resolver_options *o, const struct answer *w)
{
	uint32_t max = w->a.status == 0 ? o->ttl_max_s : o->negative_ttl_max_s;

	return MAX_OF(MIN_OF(w->a.ttl_s, max), o->ttl_min_s);
}

void question_finish(struct question *q, struct answer *w)
{
	struct resolver *r = q->r;
	struct list *l;

	assert(q->fd < 0);
	w->a.ttl_s = clamp_ttl(&r->o, w);
	w->expires_ms = clock_mono_ms() + (int64_t)w->a.ttl_s * 1000;
	if (w->keep)
		cache_store(&r->cache, w, slice_str(q->name), q->type);
	while ((l = list_pop(&q->askers))) {
		container_of(l, struct dns_query, link)->state = answer_ref(w);
		list_push(&r->ready, l);
	}
	answer_unref(w);
	map_remove(&r->questions, &q->link);
	list_remove(&q->list);
	list_push(&r->finished, &q->list);
	r->n_active--;
	resolver_kick(r);
}
