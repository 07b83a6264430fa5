/* bench/sink.c - the receiving side of demo, tests and benchmarks: one epoll loop that plays any
 * number of MX hosts on loopback addresses.
 *
 *	postern-sink --listen 127.0.1.1-20:2525 [--listen ...] [--store FILE] [--rules FILE]
 *	             [--stats FILE] [--cert PEM --key PEM] [--delay MS] [--no-pipelining]
 *	             [--chunking] [--away MS]
 *
 * Every message is read up to CRLF.CRLF and counted.  With --store it is appended to FILE
 * without dot stuffing: one JSON line {"rcpt":..,"from":..,"ip":..,"tls":..,"bytes":N}, N bytes
 * and a newline.  Rules (sink_rules.h) say who is deferred, refused, slow or cut off.
 * --chunking offers and takes BDAT.  --away MS is a distance: each answer comes MS after what it
 * answers, and the next commands are heard after that.
 * Recipients of the form u<number>@... are checked for duplicates.  On SIGTERM the counts go to
 * --stats as one JSON object.
 *
 * Limits: one thread; 65,536 sessions; commands of 4 KiB; 100 recipients per message. */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/sink_peer.h"
#include "bench/sink_session.h"
#include "bench/sink_store.h"

struct sink_program sink;

static volatile sig_atomic_t stopping, report;

static void accept_all(struct peer *l)
{
	for (;;) {
		int fd = accept4(l->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), one = 1;
		if (fd < 0)
			return;
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		struct peer *p = peer_new(fd, l->ip);
		struct epoll_event e = { .events = EPOLLIN, .data.ptr = p };
		epoll_ctl(sink.epfd, EPOLL_CTL_ADD, fd, &e);
		sink_session_greet(p);
		if (!peer_flush(p))
			peer_close(p);
	}
}

static void listen_on(const char *ip, uint16_t port)
{
	struct sockaddr_in sa = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), one = 1;
	struct peer *l = must_alloc(sizeof(*l));

	if (inet_pton(AF_INET, ip, &sa.sin_addr) != 1) {
		fprintf(stderr, "postern-sink: %s is not an IPv4 address\n", ip);
		exit(2);
	}
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0 || listen(fd, 4096) < 0) {
		fprintf(stderr, "postern-sink: %s:%u: %s\n", ip, port, strerror(errno));
		exit(1);
	}
	l->fd = fd;
	l->is_listener = true;
	(void)slice_copy(l->ip, sizeof(l->ip), slice_str(ip));
	struct epoll_event e = { .events = EPOLLIN, .data.ptr = l };
	epoll_ctl(sink.epfd, EPOLL_CTL_ADD, fd, &e);
}

/* 127.0.1.1-20:2525: a range over the last number. */
static void listen_range(const char *text)
{
	unsigned a, b, c, first, last, port;
	char ip[48];

	if (sscanf(text, "%u.%u.%u.%u-%u:%u", &a, &b, &c, &first, &last, &port) != 6) {
		last = 0;
		if (sscanf(text, "%u.%u.%u.%u:%u", &a, &b, &c, &first, &port) != 5) {
			fprintf(stderr,
				"postern-sink: --listen takes an address and port such as "
				"127.0.1.1-20:2525, not %s\n",
				text);
			exit(2);
		}
		last = first;
	}
	for (unsigned i = first; i <= last && i < 255; i++) {
		(void)snprintf(ip, sizeof(ip), "%u.%u.%u.%u", a % 256, b % 256, c % 256, i);
		listen_on(ip, (uint16_t)port);
	}
}

static void write_stats(void)
{
	FILE *f = sink.conf.stats ? fopen(sink.conf.stats, "w") : stdout;

	if (!f)
		return;
	fprintf(f,
		"{\"connections\":%lu,\"peak_open\":%lu,\"messages\":%lu,\"recipients\":%lu,"
		"\"bytes\":%lu,"
		"\"tls\":%lu,\"resumed\":%lu,\"deferred\":%lu,\"refused\":%lu,\"cut\":%lu,"
		"\"duplicates\":%lu,"
		"\"seconds\":%.3f}\n",
		sink.stats.connections, sink.stats.peak_open, sink.stats.messages,
		sink.stats.recipients, sink.stats.bytes, sink.stats.tls, sink.stats.resumed,
		sink.stats.deferred, sink.stats.refused, sink.stats.cut, sink.stats.duplicates,
		(double)(sink.stats.last_ms - sink.stats.first_ms) / 1000);
	fclose(f);
}

static void on_signal(int sig)
{
	if (sig == SIGUSR1)
		report = 1;
	else
		stopping = 1;
}

static void serve(void)
{
	struct epoll_event events[256];

	while (!stopping) {
		int n = epoll_wait(sink.epfd, events, 256, peer_release_delayed());
		for (int i = 0; i < n; i++) {
			struct peer *p = events[i].data.ptr;
			if (p->is_listener) {
				accept_all(p);
				continue;
			}
			bool alive = !(events[i].events & EPOLLOUT) || peer_flush(p);
			if (alive && events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))
				alive = peer_readable(p);
			if (!alive)
				peer_close(p);
		}
		if (n == 0)
			store_flush();
		if (report) {
			report = 0;
			store_flush();
			write_stats();
		}
	}
}

static void setup_tls(void)
{
	if (!sink.conf.cert)
		return;
	sink.tls = SSL_CTX_new(TLS_server_method());
	SSL_CTX_set_mode(sink.tls,
			 SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	if (SSL_CTX_use_certificate_chain_file(sink.tls, sink.conf.cert) != 1 ||
	    SSL_CTX_use_PrivateKey_file(sink.tls, sink.conf.key, SSL_FILETYPE_PEM) != 1) {
		fprintf(stderr, "postern-sink: cannot use the certificate %s with the key %s\n",
			sink.conf.cert, sink.conf.key);
		exit(1);
	}
}

int main(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "listen", 1, 0, 'l' },
		{ "store", 1, 0, 'o' },
		{ "rules", 1, 0, 'r' },
		{ "stats", 1, 0, 's' },
		{ "cert", 1, 0, 'c' },
		{ "key", 1, 0, 'k' },
		{ "delay", 1, 0, 'd' },
		{ "no-pipelining", 0, 0, 'P' },
		{ "chunking", 0, 0, 'C' },
		{ "away", 1, 0, 'a' },
		{ 0 },
	};
	struct rlimit files = { 70000, 70000 };
	struct sigaction sa = { .sa_handler = on_signal };
	int c, r;

	(void)setrlimit(RLIMIT_NOFILE, &files);
	sink.epfd = epoll_create1(EPOLL_CLOEXEC);
	sink.rules = sink_rules_new();
	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case 'l':
			listen_range(optarg);
			break;
		case 'o':
			sink.conf.store = optarg;
			break;
		case 's':
			sink.conf.stats = optarg;
			break;
		case 'c':
			sink.conf.cert = optarg;
			break;
		case 'k':
			sink.conf.key = optarg;
			break;
		case 'd':
			sink.conf.delay_ms = atoi(optarg);
			break;
		case 'P':
			sink.conf.no_pipelining = true;
			break;
		case 'C':
			sink.conf.chunking = true;
			break;
		case 'a':
			sink.conf.away_ms = atoi(optarg);
			break;
		case 'r':
			if (sink_rules_read(sink.rules, optarg) < 0) {
				fprintf(stderr, "postern-sink: %s: cannot read rules\n", optarg);
				return 2;
			}
			break;
		default:
			return 2;
		}
	}
	setup_tls();
	r = sink.conf.store ? store_open(sink.conf.store) : 0;
	if (r < 0) {
		fprintf(stderr, "postern-sink: %s: %s\n", sink.conf.store, strerror(-r));
		return 1;
	}
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGUSR1, &sa, NULL);
	signal(SIGPIPE, SIG_IGN);
	serve();
	store_flush();
	write_stats();
	return 0;
}
