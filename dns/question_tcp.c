/* dns/question_tcp.c - one try over TCP. */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/random.h"
#include "dns/question.h"

/* RFC 1035 section 4.2.2: every message has its length in two bytes before it. */

static int write_question(struct question *q)
{
	uint8_t out[2 + PACKET_QUESTION_MAX] = { (uint8_t)(q->sent_n >> 8), (uint8_t)q->sent_n };
	ssize_t n;

	memcpy(out + 2, q->sent, q->sent_n);
	n = send(q->fd, out + q->tcp.out, q->sent_n + 2 - q->tcp.out, MSG_NOSIGNAL);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	q->tcp.out += (size_t)n;
	return q->tcp.out == q->sent_n + 2;
}

static size_t packet_length(const struct question *q)
{
	return (size_t)q->tcp.length[0] << 8 | q->tcp.length[1];
}

/* 1 when the packet is whole, 0 when more must come. */
static int read_answer(struct question *q)
{
	struct tcp_state *t = &q->tcp;
	size_t want = t->in < 2 ? 2 - t->in : packet_length(q) + 2 - t->in;
	uint8_t *to = t->in < 2 ? t->length + t->in : t->packet + t->in - 2;
	ssize_t n = recv(q->fd, to, want, 0);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	if (n == 0)
		return E_EOF;
	t->in += (size_t)n;
	if (t->in < 2)
		return 0;
	if (t->in == 2) {
		if (packet_length(q) == 0)
			return E_SYNTAX;
		t->packet = malloc(packet_length(q));
		return t->packet ? 0 : -ENOMEM;
	}
	return t->in == packet_length(q) + 2;
}

static void on_readable(struct ev_loop *loop UNUSED, ev_io *io, int events UNUSED)
{
	struct question *q = container_of(io, struct question, io);
	uint8_t *packet;
	int r = read_answer(q);

	if (r == 0)
		return;
	if (r < 0) {
		question_next_try(q);
		return;
	}
	packet = TAKE(q->tcp.packet);
	/* A connection has no other packets to wait for. */
	if (!packet_answers(q->sent, packet, packet_length(q)) ||
	    !question_take_packet(q, packet, packet_length(q))) {
		q->r->stats.ignored++;
		question_next_try(q);
	}
	free(packet);
}

static void on_writable(struct ev_loop *loop, ev_io *io, int events UNUSED)
{
	struct question *q = container_of(io, struct question, io);
	int r = write_question(q);

	if (r < 0) {
		question_next_try(q);
	} else if (r > 0) {
		ev_io_stop(loop, io);
		ev_io_init(io, on_readable, q->fd, EV_READ);
		ev_io_start(loop, io);
	}
}

static int open_connection(const struct ip *ip, uint16_t port)
{
	struct sockaddr_storage sa;
	socklen_t n = ip_sockaddr(ip, port, &sa);
	int fd = socket(ip->family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), r;

	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&sa, n) < 0 && errno != EINPROGRESS) {
		r = -errno;
		(void)close(fd);
		return r;
	}
	return fd;
}

int question_send_tcp(struct question *q)
{
	struct resolver *r = q->r;
	int fd;

	question_drop_socket(q);
	fd = open_connection(&r->o.servers[q->server].ip, r->o.servers[q->server].port);
	if (fd < 0)
		return fd;
	q->sent_n = packet_question(q->sent, (uint16_t)random_u64(), slice_str(q->alias), q->type,
				    !q->no_edns);
	q->tcp.on = true;
	r->stats.tcp++;
	question_arm(q, fd, EV_WRITE, on_writable);
	return 0;
}
