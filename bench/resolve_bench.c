/* bench/resolve_bench.c - CPU time of the asking thread per question, with 256 in flight: sent to a
 * server on loopback (a thread that always answers with two MX records), and answered by the cache.
 *
 *	resolve_bench [--json]
 */
#include <arpa/inet.h>
#include <ev.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "dns/resolver.h"

enum { IN_FLIGHT = 256, QUESTIONS = 40000 };

static double cpu_us(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* ---- the server -------------------------------------------------------------------------- */

static const uint8_t two_mx[] =
    "\xc0\x0c\x00\x0f\x00\x01\x00\x00\x0e\x10\x00\x08\x00\x0a\x03mx1\xc0\x0c"
    "\xc0\x0c\x00\x0f\x00\x01\x00\x00\x0e\x10\x00\x08\x00\x14\x03mx2\xc0\x0c";

static void *serve(void *arg)
{
	int fd = *(int *)arg;
	struct sockaddr_in from;
	uint8_t packet[1024];

	for (;;) {
		socklen_t from_n = sizeof(from);
		ssize_t n = recvfrom(fd, packet, 512, 0, (struct sockaddr *)&from, &from_n);
		size_t end = 12;

		if (n < 17)
			return NULL;
		while (packet[end])
			end += packet[end] + 1u;
		end += 5;
		packet[2] |= 0x80;
		packet[7] = 2;
		packet[11] = 0;
		memcpy(packet + end, two_mx, sizeof(two_mx) - 1);
		(void)sendto(fd, packet, end + sizeof(two_mx) - 1, 0, (struct sockaddr *)&from,
			     from_n);
	}
}

static int open_server(uint16_t *ret_port)
{
	struct sockaddr_in sa = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t n = sizeof(sa);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&sa, n) < 0 ||
	    getsockname(fd, (struct sockaddr *)&sa, &n) < 0)
		abort();
	*ret_port = ntohs(sa.sin_port);
	return fd;
}

/* ---- the asker --------------------------------------------------------------------------- */

struct asker {
	struct resolver *r;
	unsigned next, answered;
	struct dns_query queries[IN_FLIGHT];
};
static struct asker asker;

static void ask(struct dns_query *q)
{
	char name[40];
	int n = snprintf(name, sizeof(name), "domain-%u.example", asker.next++);

	if (resolver_ask(asker.r, q, slice_of(name, (size_t)n), DNS_MX) < 0)
		abort();
}

static void on_answer(struct dns_query *q, const struct dns_answer *a)
{
	if (a->status != 0 || a->n != 2)
		abort();
	asker.answered++;
	if (asker.next < QUESTIONS)
		ask(q);
}

static double run(struct ev_loop *loop)
{
	double start = cpu_us();

	asker.next = asker.answered = 0;
	for (unsigned i = 0; i < IN_FLIGHT; i++) {
		dns_query_init(&asker.queries[i], on_answer);
		ask(&asker.queries[i]);
	}
	while (asker.answered < QUESTIONS)
		ev_run(loop, EVRUN_ONCE);
	return (cpu_us() - start) / QUESTIONS;
}

int main(int argc, char **argv)
{
	bool json = argc > 1 && strcmp(argv[1], "--json") == 0;
	struct ev_loop *loop = ev_loop_new(EVFLAG_AUTO);
	struct resolver_options o;
	struct resolver_stats stats;
	pthread_t thread;
	double asked, cached;
	int fd;

	resolver_options_default(&o);
	o.n_servers = 1;
	fd = open_server(&o.servers[0].port);
	if (ip_parse(SLICE("127.0.0.1"), &o.servers[0].ip) < 0 ||
	    resolver_new(&asker.r, loop, &o) < 0 || pthread_create(&thread, NULL, serve, &fd) != 0)
		abort();
	asked = run(loop);
	cached = run(loop);
	resolver_stats(asker.r, &stats);
	printf(json ? "{\"resolve_us\": %.2f, \"cached_us\": %.2f, \"sent\": %llu}\n"
		    : "resolve %.2f us, from the cache %.2f us of CPU (%llu questions sent)\n",
	       asked, cached, (unsigned long long)stats.sent);
	resolver_free(asker.r);
	ev_loop_destroy(loop);
	(void)shutdown(fd, SHUT_RDWR);
	(void)pthread_cancel(thread);
	(void)pthread_join(thread, NULL);
	close(fd);
	return 0;
}
