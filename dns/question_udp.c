/* dns/question_udp.c - one try over UDP. */
#include <sys/socket.h>
#include <unistd.h>

#include "base/random.h"
#include "dns/question.h"

enum { PORT_FIRST = 16384, PORTS = 65536 - PORT_FIRST, BIND_TRIES = 4, PACKETS_A_TURN = 32 };

/* Any port in our range, all equally likely.  The kernel chooses only when too many are taken. */
static int bind_random(int fd, uint8_t family)
{
	struct ip any = { .family = family };
	struct sockaddr_storage sa;
	socklen_t n;

	for (int i = 0; i < BIND_TRIES; i++) {
		n = ip_sockaddr(&any, (uint16_t)(PORT_FIRST + random_below(PORTS)), &sa);
		if (bind(fd, (struct sockaddr *)&sa, n) == 0)
			return 0;
		if (errno != EADDRINUSE && errno != EACCES)
			return -errno;
	}
	return 0;
}

static int open_socket(const struct ip *ip, uint16_t port)
{
	struct sockaddr_storage sa;
	socklen_t n = ip_sockaddr(ip, port, &sa);
	int fd = socket(ip->family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), r;

	if (fd < 0)
		return -errno;
	r = bind_random(fd, ip->family);
	/* The socket is connected: the kernel drops packets from another address or port. */
	if (r == 0 && connect(fd, (struct sockaddr *)&sa, n) < 0)
		r = -errno;
	if (r < 0) {
		(void)close(fd);
		return r;
	}
	return fd;
}

/* Wrong packets only cost the time to read them: the right one may still come. */
static void on_packet(struct ev_loop *loop UNUSED, ev_io *io, int events UNUSED)
{
	struct question *q = container_of(io, struct question, io);
	struct resolver *r = q->r;

	for (int i = 0; i < PACKETS_A_TURN; i++) {
		ssize_t n = recv(q->fd, r->packet, sizeof(r->packet), 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0) { /* the host of the server says that the port is closed */
			question_next_try(q);
			return;
		}
		if (packet_answers(q->sent, r->packet, (size_t)n) &&
		    question_take_packet(q, r->packet, (size_t)n))
			return;
		r->stats.ignored++;
	}
}

int question_send_udp(struct question *q)
{
	struct resolver *r = q->r;
	int fd = open_socket(&r->o.servers[q->server].ip, r->o.servers[q->server].port);

	if (fd < 0)
		return fd;
	q->sent_n = packet_question(q->sent, (uint16_t)random_u64(), slice_str(q->alias), q->type,
				    !q->no_edns);
	r->stats.sent++;
	if (send(fd, q->sent, q->sent_n, MSG_NOSIGNAL) < 0) {
		int err = -errno;
		(void)close(fd);
		return err;
	}
	question_arm(q, fd, EV_READ, on_packet);
	return 0;
}
