/* tests/unit/dns/liar.c - the name server that answers as it is told. */
#include "tests/unit/dns/liar.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

static void put16(struct lie *lie, unsigned v)
{
	lie->bytes[lie->n++] = (uint8_t)(v >> 8);
	lie->bytes[lie->n++] = (uint8_t)v;
}

static size_t question_n(const struct liar_question *q)
{
	size_t at = 12;

	while (q->bytes[at])
		at += q->bytes[at] + 1u;
	return at + 5;
}

void lie_start(struct lie *lie, const struct liar_question *q)
{
	lie->n = question_n(q);
	memcpy(lie->bytes, q->bytes, lie->n);
	lie->bytes[2] |= 0x80;
	lie->bytes[3] = 0x80;
	memset(lie->bytes + 6, 0, 6);
}

void lie_record(struct lie *lie, const char *owner_wire, unsigned type, uint32_t ttl,
		const void *rdata, size_t n)
{
	unsigned count = (unsigned)lie->bytes[6] << 8 | lie->bytes[7];

	if (owner_wire) {
		size_t owner_n = strlen(owner_wire) + 1;
		memcpy(lie->bytes + lie->n, owner_wire, owner_n);
		lie->n += owner_n;
	} else {
		put16(lie, 0xc00c);
	}
	put16(lie, type);
	put16(lie, 1);
	put16(lie, ttl >> 16);
	put16(lie, ttl & 0xffff);
	put16(lie, (unsigned)n);
	memcpy(lie->bytes + lie->n, rdata, n);
	lie->n += n;
	count++;
	lie->bytes[6] = (uint8_t)(count >> 8);
	lie->bytes[7] = (uint8_t)count;
}

void lie_rcode(struct lie *lie, unsigned rcode)
{
	lie->bytes[3] = (uint8_t)((lie->bytes[3] & 0xf0) | rcode);
}

void lie_truncated(struct lie *lie)
{
	lie->bytes[2] |= 0x02;
}

void lie_send(const struct lie *lie, const struct liar_question *q)
{
	uint8_t length[2] = { (uint8_t)(lie->n >> 8), (uint8_t)lie->n };

	if (q->tcp < 0) {
		(void)sendto(q->server->udp, lie->bytes, lie->n, 0,
			     (const struct sockaddr *)&q->from, sizeof(q->from));
		return;
	}
	(void)send(q->tcp, length, 2, MSG_NOSIGNAL | MSG_MORE);
	(void)send(q->tcp, lie->bytes, lie->n, MSG_NOSIGNAL);
}

void tell_truth(const struct liar_question *q)
{
	struct lie lie;

	lie_start(&lie, q);
	lie_record(&lie, NULL, 1, 300, "\xc0\x00\x02\x50", 4);
	lie_send(&lie, q);
}

static void handle(struct liar *l, liar_fn fn, const uint8_t *bytes, size_t n, int tcp,
		   const struct sockaddr_in *from)
{
	struct liar_question q = { .server = l, .bytes = bytes, .n = n, .tcp = tcp, .from = *from };

	q.number = atomic_load(&l->questions);
	if (q.number < LIAR_KEEPS) {
		l->ids[q.number] = (uint16_t)(bytes[0] << 8 | bytes[1]);
		l->ports[q.number] = ntohs(from->sin_port);
	}
	atomic_fetch_add(&l->questions, 1);
	if (fn)
		fn(&q);
}

static void serve_udp(struct liar *l)
{
	struct sockaddr_in from = { 0 };
	socklen_t from_n = sizeof(from);
	uint8_t bytes[1024];
	ssize_t n = recvfrom(l->udp, bytes, sizeof(bytes), 0, (struct sockaddr *)&from, &from_n);

	if (n >= 17)
		handle(l, l->on_udp, bytes, (size_t)n, -1, &from);
}

static bool read_all(int fd, uint8_t *to, size_t n)
{
	return recv(fd, to, n, MSG_WAITALL) == (ssize_t)n;
}

static void serve_tcp(struct liar *l, int *held)
{
	struct sockaddr_in from = { 0 };
	socklen_t from_n = sizeof(from);
	uint8_t length[2], bytes[1024];
	int fd = accept4(l->listener, (struct sockaddr *)&from, &from_n, SOCK_CLOEXEC);
	size_t n;

	if (!read_all(fd, length, 2)) {
		close(fd);
		return;
	}
	n = (size_t)length[0] << 8 | length[1];
	if (n <= sizeof(bytes) && read_all(fd, bytes, n))
		handle(l, l->on_tcp, bytes, n, fd, &from);
	if (l->on_tcp || *held >= 0)
		close(fd);
	else
		*held = fd;
}

static void *run(void *arg)
{
	struct liar *l = arg;
	struct pollfd fds[3] = { { l->udp, POLLIN, 0 },
				 { l->listener, POLLIN, 0 },
				 { l->stop[0], POLLIN, 0 } };
	int held = -1;

	for (;;) {
		(void)poll(fds, 3, -1);
		if (fds[2].revents)
			break;
		if (fds[0].revents)
			serve_udp(l);
		if (fds[1].revents)
			serve_tcp(l, &held);
	}
	if (held >= 0)
		close(held);
	return NULL;
}

static bool open_sockets(struct liar *l)
{
	struct sockaddr_in sa = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t n = sizeof(sa);

	l->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	l->udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (bind(l->listener, (struct sockaddr *)&sa, n) == 0 && listen(l->listener, 16) == 0 &&
	    getsockname(l->listener, (struct sockaddr *)&sa, &n) == 0 &&
	    bind(l->udp, (struct sockaddr *)&sa, n) == 0) {
		l->port = ntohs(sa.sin_port);
		return true;
	}
	close(l->listener);
	close(l->udp);
	return false;
}

void liar_start(struct liar *l, liar_fn on_udp, liar_fn on_tcp)
{
	memset(l, 0, sizeof(*l));
	l->on_udp = on_udp;
	l->on_tcp = on_tcp;
	for (int i = 0; !open_sockets(l); i++)
		if (i == 20)
			abort();
	if (pipe(l->stop) < 0 || pthread_create(&l->thread, NULL, run, l) != 0)
		abort();
}

void liar_stop(struct liar *l)
{
	close(l->stop[1]);
	pthread_join(l->thread, NULL);
	close(l->stop[0]);
	close(l->udp);
	close(l->listener);
}
