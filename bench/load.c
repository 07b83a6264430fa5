/* bench/load.c - the sending side of benchmarks: many SMTP clients in one epoll loop.
 *
 *	postern-load --to 127.0.0.1:2525 --messages N [--connections 50] [--size 10240]
 *	             [--domains 100] [--first 0] [--rate PER_SECOND] [--per-connection N]
 *	             [--rcpt ADDRESS] [--message FILE] [--stats FILE] [--tls] [--login]
 *
 * Message i goes to u<i>@d<i mod domains>.test, so that the sink can find duplicates; with --rcpt
 * all go to one address.  --message: what they say, behind a field with their number.  MAIL, RCPT
 * and DATA leave in one write, and the next envelope follows the final dot.  It writes one JSON
 * object: sent, refused, failed, seconds (from the first envelope), rate, and the latency of
 * acceptance (from dot to 250) in microseconds.  --tls: TLS begins with the first byte, any
 * certificate will do; --login: AUTH PLAIN with the base64 in the environment's POSTERN_LOGIN.
 * Limits: one thread, 10,000 connections. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/address.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"

static struct {
	struct ip ip;
	uint16_t port;
	uint64_t messages, first, rate, per_connection;
	unsigned connections, domains, size;
	const char *stats, *rcpt, *message, *login;
	SSL_CTX *tls; /* NULL: none */
} conf = { .messages = 1000, .connections = 50, .domains = 100, .size = 10240 };

static struct {
	uint64_t next, sent, refused, failed;
	int64_t start_us, end_us;
	uint32_t *latency_us; /* one a message answered */
	uint64_t n_latency;
} run;

enum load_state { GREETING, EHLO, LOGIN, ENVELOPE, BODY, IDLE };
struct client {
	int fd;
	SSL *ssl; /* NULL: plain */
	enum load_state state;
	unsigned replies_due; /* of the envelope: MAIL, RCPT, DATA */
	bool data_ok, blocked;
	uint64_t number, on_connection;
	int64_t dot_us;
	struct buf in, out;
};
static struct client *clients;
static unsigned alive;
static int epfd;
static struct buf body;

static void make_body(void)
{
	buf_init(&body, 0);
	if (conf.message) {
		if (file_read(conf.message, 50000000, &body) < 0)
			exit(EXIT_FAILURE);
		return;
	}
	while (buf_len(&body) + 74 < conf.size)
		buf_putf(
		    &body,
		    "Line %06zu of a letter that is as long as letters of its kind tend to be.\r\n",
		    buf_len(&body) % 1000000);
	while (buf_len(&body) + 3 < conf.size)
		buf_put(&body, SLICE("x"));
	buf_put(&body, SLICE("\r\n"));
}

static bool take_number(struct client *c)
{
	if (run.next == conf.messages)
		return false;
	if (conf.rate) {
		int64_t due = run.start_us + (int64_t)(run.next * 1000000 / conf.rate);
		if (due > clock_mono_us())
			return false;
	}
	if (!run.next && !conf.rate)
		run.start_us = clock_mono_us();
	c->number = conf.first + run.next++;
	return true;
}

static void put_envelope(struct client *c)
{
	if (conf.rcpt)
		buf_putf(&c->out, "MAIL FROM:<>\r\nRCPT TO:<%s>\r\nDATA\r\n", conf.rcpt);
	else
		buf_putf(&c->out,
			 "MAIL FROM:<bounce@sender.test>\r\nRCPT TO:<u%" PRIu64 "@d%04" PRIu64
			 ".test>\r\nDATA\r\n",
			 c->number, c->number % conf.domains + 1);
	c->replies_due = 3;
	c->data_ok = false;
	c->state = ENVELOPE;
}

static void put_message(struct client *c)
{
	if (conf.message)
		buf_putf(&c->out, "X-Number: %" PRIu64 "\r\n", c->number);
	else
		buf_putf(&c->out,
			 "From: Sender <news@sender.test>\r\nTo: u%" PRIu64 "@d%04" PRIu64
			 ".test\r\n"
			 "Subject: Letter number %" PRIu64
			 "\r\nDate: Fri, 20 Nov 2026 12:00:00 +0000\r\n"
			 "Message-ID: <%" PRIu64 ".load@sender.test>\r\nMIME-Version: 1.0\r\n"
			 "Content-Type: text/plain; charset=utf-8\r\n\r\n",
			 c->number, c->number % conf.domains + 1, c->number, c->number);
	buf_put(&c->out, buf_data(&body));
	buf_put(&c->out, SLICE(".\r\n"));
	c->dot_us = clock_mono_us();
	c->state = BODY;
	c->on_connection++;
}

/* As send(2) and recv(2) on a socket that does not block. */
static ssize_t tls_result(struct client *c, int r)
{
	int e = SSL_get_error(c->ssl, r);

	if (r > 0)
		return r;
	errno = EAGAIN;
	return e == SSL_ERROR_WANT_READ || e == SSL_ERROR_WANT_WRITE ? -1 : 0;
}

static ssize_t put_bytes(struct client *c, struct slice s)
{
	if (c->ssl)
		return tls_result(c, SSL_write(c->ssl, s.p, (int)s.n));
	return send(c->fd, s.p, s.n, MSG_NOSIGNAL);
}

static ssize_t get_bytes(struct client *c, char *p, size_t n)
{
	if (c->ssl)
		return tls_result(c, SSL_read(c->ssl, p, (int)n));
	return recv(c->fd, p, n, 0);
}

static int begin_tls(struct client *c)
{
	c->ssl = SSL_new(conf.tls);
	SSL_set_fd(c->ssl, c->fd);
	return SSL_connect(c->ssl) == 1 ? 0 : E_TLS;
}

static void close_conn(struct client *c)
{
	SSL_free(c->ssl);
	c->ssl = NULL;
	close(c->fd);
}

static void flush(struct client *c)
{
	while (buf_len(&c->out)) {
		ssize_t n = put_bytes(c, buf_data(&c->out));
		if (n <= 0)
			break;
		buf_consume(&c->out, (size_t)n);
	}
	bool want = buf_len(&c->out) > 0;
	if (want != c->blocked) {
		struct epoll_event e = { .events = EPOLLIN | (want ? EPOLLOUT : 0), .data.ptr = c };
		epoll_ctl(epfd, EPOLL_CTL_MOD, c->fd, &e);
		c->blocked = want;
	}
}

static int dial(struct client *c)
{
	struct sockaddr_storage sa;
	socklen_t n = ip_sockaddr(&conf.ip, conf.port, &sa);
	int one = 1;

	c->fd = socket(conf.ip.family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&sa, n) < 0)
		return -errno;
	if (conf.tls && begin_tls(c) < 0)
		return E_TLS;
	(void)fcntl(c->fd, F_SETFL, O_NONBLOCK);
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	c->state = GREETING;
	c->on_connection = 0;
	c->blocked = false;
	buf_clear(&c->in);
	buf_clear(&c->out);
	struct epoll_event e = { .events = EPOLLIN, .data.ptr = c };
	epoll_ctl(epfd, EPOLL_CTL_ADD, c->fd, &e);
	return 0;
}

static void hang_up(struct client *c, bool failed)
{
	if (failed && c->state == BODY)
		run.failed++;
	close_conn(c);
	c->fd = -1;
	alive--;
}

static void next_message(struct client *c)
{
	if (conf.per_connection && c->on_connection >= conf.per_connection &&
	    run.next < conf.messages) {
		close_conn(c);
		if (dial(c) < 0)
			hang_up(c, true);
		return;
	}
	if (take_number(c))
		put_envelope(c);
	else if (run.next == conf.messages)
		hang_up(c, false);
	else
		c->state = IDLE;
}

static void answered(struct client *c, int code)
{
	int64_t now = clock_mono_us();

	if (code / 100 == 2) {
		run.sent++;
		run.end_us = now;
		run.latency_us[run.n_latency++] = (uint32_t)(now - c->dot_us);
	} else {
		run.refused++;
	}
}

static void reply(struct client *c, int code)
{
	switch (c->state) {
	case GREETING:
		buf_put(&c->out, SLICE("EHLO load.sender.test\r\n"));
		c->state = EHLO;
		break;
	case EHLO:
		if (!conf.login) {
			next_message(c);
			break;
		}
		buf_putf(&c->out, "AUTH PLAIN %s\r\n", conf.login);
		c->state = LOGIN;
		break;
	case LOGIN:
		if (code == 235)
			next_message(c);
		else
			hang_up(c, true);
		break;
	case ENVELOPE:
		c->replies_due--;
		if (code == 354)
			put_message(c);
		else if (c->replies_due == 0) {
			run.refused++;
			next_message(c);
		}
		break;
	case BODY:
		answered(c, code);
		next_message(c);
		break;
	case IDLE:
		hang_up(c, true);
		break;
	}
}

static void hear(struct client *c)
{
	if (buf_reserve(&c->in, 4096) < 0)
		return;
	ssize_t n = get_bytes(c, buf_tail(&c->in), 4096);
	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0) {
		hang_up(c, true);
		return;
	}
	buf_grow(&c->in, (size_t)n);
	while (c->fd >= 0) {
		struct slice s = buf_data(&c->in);
		const char *lf = s.n ? memchr(s.p, '\n', s.n) : NULL;
		if (!lf)
			break;
		int code = s.n > 3 ? atoi(s.p) : 0;
		bool last = s.n > 3 && s.p[3] != '-';
		buf_consume(&c->in, (size_t)(lf - s.p) + 1);
		if (last)
			reply(c, code);
	}
	if (c->fd >= 0)
		flush(c);
}

static void readable(struct client *c)
{
	do
		hear(c);
	while (c->fd >= 0 && c->ssl && SSL_pending(c->ssl));
}

static void wake_idle(void)
{
	for (unsigned i = 0; i < conf.connections; i++) {
		struct client *c = &clients[i];
		if (c->fd < 0 || c->state != IDLE)
			continue;
		next_message(c);
		if (c->fd >= 0)
			flush(c);
		if (c->fd >= 0 && c->state == IDLE)
			return; /* nothing is due yet */
	}
}

static int by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static uint32_t percentile(double p)
{
	return run.n_latency ? run.latency_us[(uint64_t)((double)(run.n_latency - 1) * p)] : 0;
}

static void write_stats(void)
{
	FILE *f = conf.stats ? fopen(conf.stats, "w") : stdout;
	double seconds = (double)(run.end_us - run.start_us) / 1e6;

	qsort(run.latency_us, run.n_latency, sizeof(uint32_t), by_value);
	if (!f)
		return;
	fprintf(f,
		"{\"sent\":%" PRIu64 ",\"refused\":%" PRIu64 ",\"failed\":%" PRIu64
		",\"seconds\":%.4f,"
		"\"rate\":%.1f,\"p50_us\":%u,\"p99_us\":%u,\"max_us\":%u}\n",
		run.sent, run.refused, run.failed, seconds,
		seconds > 0 ? (double)run.sent / seconds : 0, percentile(0.5), percentile(0.99),
		percentile(1));
	if (f != stdout)
		fclose(f);
}

static uint64_t number_arg(const char *name, const char *text, uint64_t max)
{
	uint64_t v;

	if (slice_u64(slice_str(text), max, &v) < 0) {
		fprintf(stderr, "postern-load: --%s takes a number up to %" PRIu64 "\n", name, max);
		exit(2);
	}
	return v;
}

static void arguments(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "to", 1, 0, 't' },          { "messages", 1, 0, 'n' },
		{ "connections", 1, 0, 'c' }, { "size", 1, 0, 's' },
		{ "domains", 1, 0, 'd' },     { "first", 1, 0, 'f' },
		{ "rate", 1, 0, 'r' },        { "per-connection", 1, 0, 'p' },
		{ "rcpt", 1, 0, 'R' },        { "message", 1, 0, 'm' },
		{ "stats", 1, 0, 'o' },       { "tls", 0, 0, 'T' },
		{ "login", 0, 0, 'l' },       { 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case 't':
			if (ip_port_parse(slice_str(optarg), &conf.ip, &conf.port) < 0) {
				fprintf(stderr, "postern-load: --to takes ADDRESS:PORT, for "
						"example 127.0.0.1:2525\n");
				exit(2);
			}
			break;
		case 'n':
			conf.messages = number_arg("messages", optarg, 100000000);
			break;
		case 'c':
			conf.connections = (unsigned)number_arg("connections", optarg, 10000);
			break;
		case 's':
			conf.size = (unsigned)number_arg("size", optarg, 50000000);
			break;
		case 'd':
			conf.domains = (unsigned)MAX_OF(number_arg("domains", optarg, 1000000), 1);
			break;
		case 'f':
			conf.first = number_arg("first", optarg, 1000000000);
			break;
		case 'r':
			conf.rate = number_arg("rate", optarg, 1000000);
			break;
		case 'p':
			conf.per_connection = number_arg("per-connection", optarg, 1000000);
			break;
		case 'R':
			conf.rcpt = optarg;
			break;
		case 'm':
			conf.message = optarg;
			break;
		case 'o':
			conf.stats = optarg;
			break;
		case 'T':
			conf.tls = SSL_CTX_new(TLS_client_method());
			SSL_CTX_set_mode(conf.tls, SSL_MODE_ENABLE_PARTIAL_WRITE |
						       SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
			break;
		case 'l':
			conf.login = getenv("POSTERN_LOGIN");
			break;
		default:
			exit(2);
		}
	}
	if (!conf.port) {
		fprintf(stderr, "usage: postern-load --to ADDRESS:PORT --messages N [options]\n");
		exit(2);
	}
}

int main(int argc, char **argv)
{
	struct rlimit files = { 20000, 20000 };
	struct epoll_event events[256];

	arguments(argc, argv);
	(void)setrlimit(RLIMIT_NOFILE, &files);
	signal(SIGPIPE, SIG_IGN);
	epfd = epoll_create1(EPOLL_CLOEXEC);
	make_body();
	run.latency_us = must_alloc((conf.messages + 1) * sizeof(uint32_t));
	clients = must_alloc(conf.connections * sizeof(*clients));
	for (unsigned i = 0; i < conf.connections; i++)
		clients[i].fd = -1;
	run.start_us = clock_mono_us();
	for (unsigned i = 0; i < conf.connections; i++) {
		int r = dial(&clients[i]);
		if (r < 0) {
			fprintf(stderr, "postern-load: connect: %s\n", err_text(r));
			return 1;
		}
		alive++;
	}
	while (alive) {
		int n = epoll_wait(epfd, events, 256, conf.rate ? 1 : 1000);
		for (int i = 0; i < n; i++) {
			struct client *c = events[i].data.ptr;
			if (c->fd >= 0 && events[i].events & EPOLLOUT)
				flush(c);
			if (c->fd >= 0 && events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))
				readable(c);
		}
		if (conf.rate || n == 0)
			wake_idle();
	}
	write_stats();
	return run.failed || run.sent + run.refused != conf.messages;
}
