/* bench/sink.c - the receiving side of demo, tests and benchmarks: one epoll loop that plays any
 * number of MX hosts on loopback addresses.
 *
 *	postern-sink --listen 127.0.1.1-20:2525 [--listen ...] [--store FILE] [--rules FILE]
 *	             [--stats FILE] [--cert PEM --key PEM] [--delay MS] [--no-pipelining]
 *
 * Every message is counted and looked at up to CRLF.CRLF.  With --store it is appended, un-stuffed,
 * to FILE as one JSON line {"rcpt":..,"from":..,"ip":..,"tls":..,"bytes":N} and N bytes and a newline.
 * Rules (sink_rules.h) say who is deferred, refused, slow or cut off.  On SIGTERM the counts go to
 * --stats as one JSON object; recipients of the form u<number>@... are checked for duplicates.
 * Limits: one thread; 65,536 sessions; commands of 4 KiB; 100 recipients a message. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/list.h"
#include "bench/sink_rules.h"

enum { LINE_LIMIT = 4096, RCPTS_LIMIT = 100, READ_SIZE = 64 * 1024, NUMBERS = 1 << 25 };

static struct {
	uint64_t connections, open, peak_open, messages, recipients, bytes, tls, resumed, deferred, refused,
		duplicates, cut;
	int64_t first_ms, last_ms;
} stats;

static struct {
	const char *store, *stats, *cert, *key;
	int64_t delay_ms;
	bool no_pipelining;
} conf;

static SSL_CTX *tls;
static struct sink_rules *rules;
static int epfd, store_fd = -1;
static struct buf store_buf;
static uint8_t *seen_numbers;
static volatile sig_atomic_t stopping;

struct listener {
	int fd;
	char ip[48];
};

struct peer {
	int fd;
	bool is_listener;
	SSL *ssl;
	char ip[48];
	struct buf in, out, body;
	bool in_data, handshaking, closing, wants_write;
	size_t scanned;            /* of the data, already looked at for its end */
	char from[512];
	unsigned n_rcpts;
	char rcpts[RCPTS_LIMIT][320];
	struct list delayed;       /* on the delay list while an answer is held back */
	int64_t due_ms;
	struct buf held;           /* the answer that is held back */
};
static struct list delay_list = LIST_INIT(delay_list);

static void peer_close(struct peer *p)
{
	list_remove(&p->delayed);
	if (p->ssl)
		SSL_free(p->ssl);
	close(p->fd);
	buf_free(&p->in);
	buf_free(&p->out);
	buf_free(&p->body);
	buf_free(&p->held);
	free(p);
	stats.open--;
}

static void say(struct peer *p, const char *text)
{
	buf_put(list_empty(&p->delayed) ? &p->out : &p->held, slice_str(text));
}

/* Answers the final dot: at once, or after --delay (then everything behind it waits too). */
static void say_late(struct peer *p, const char *text, int64_t delay_ms)
{
	if (delay_ms > 0 && list_empty(&p->delayed)) {
		p->due_ms = clock_mono_ms() + delay_ms;
		/* All delays of one run are equal or few: insertion from the back stays short. */
		struct list *at = delay_list.prev;
		while (at != &delay_list && container_of(at, struct peer, delayed)->due_ms > p->due_ms)
			at = at->prev;
		list_insert_before(at->next, &p->delayed);
	}
	say(p, text);
}

static ssize_t transport_read(struct peer *p, char *dst, size_t n)
{
	if (!p->ssl)
		return recv(p->fd, dst, n, 0);
	int r = SSL_read(p->ssl, dst, (int)n);
	if (r > 0)
		return r;
	int e = SSL_get_error(p->ssl, r);
	ERR_clear_error();
	errno = EAGAIN;
	return e == SSL_ERROR_WANT_READ || e == SSL_ERROR_WANT_WRITE ? -1 : 0;
}

static ssize_t transport_write(struct peer *p, const char *src, size_t n)
{
	if (!p->ssl)
		return send(p->fd, src, n, MSG_NOSIGNAL);
	int r = SSL_write(p->ssl, src, (int)n);
	if (r > 0)
		return r;
	int e = SSL_get_error(p->ssl, r);
	ERR_clear_error();
	errno = e == SSL_ERROR_WANT_READ || e == SSL_ERROR_WANT_WRITE ? EAGAIN : EPIPE;
	return -1;
}

static bool flush(struct peer *p)
{
	while (buf_len(&p->out)) {
		ssize_t n = transport_write(p, buf_data(&p->out).p, buf_len(&p->out));
		if (n < 0 && errno == EAGAIN)
			break;
		if (n <= 0)
			return false;
		buf_consume(&p->out, (size_t)n);
	}
	bool want = buf_len(&p->out) > 0;
	if (want != p->wants_write) {
		struct epoll_event e = { .events = EPOLLIN | (want ? EPOLLOUT : 0), .data.ptr = p };
		epoll_ctl(epfd, EPOLL_CTL_MOD, p->fd, &e);
		p->wants_write = want;
	}
	return want || !p->closing;
}

static void count_number(const char *rcpt)
{
	char *end;
	unsigned long n;

	if (rcpt[0] != 'u')
		return;
	n = strtoul(rcpt + 1, &end, 10);
	if (end == rcpt + 1 || *end != '@' || n >= (unsigned long)NUMBERS * 8)
		return;
	if (seen_numbers[n / 8] & 1u << n % 8)
		stats.duplicates++;
	seen_numbers[n / 8] |= (uint8_t)(1u << n % 8);
}

static void unstuff(struct slice wire, struct buf *out)
{
	for (size_t at = 0; at < wire.n;) {
		const char *lf = memchr(wire.p + at, '\n', wire.n - at);
		size_t end = lf ? (size_t)(lf - wire.p) + 1 : wire.n;
		size_t skip = wire.p[at] == '.' ? 1 : 0;
		buf_put(out, slice_of(wire.p + at + skip, end - at - skip));
		at = end;
	}
}

static void flush_store(void)
{
	struct slice s = buf_data(&store_buf);

	while (s.n) {
		ssize_t n = write(store_fd, s.p, s.n);
		if (n < 0)
			break;
		s = slice_of(s.p + n, s.n - (size_t)n);
	}
	buf_clear(&store_buf);
}

static void json_text(struct buf *out, const char *text)
{
	buf_put(out, SLICE("\""));
	for (; *text; text++) {
		if (*text == '"' || *text == '\\' || (unsigned char)*text < 0x20)
			buf_putf(out, "\\u%04x", (unsigned char)*text);
		else
			buf_put(out, slice_of(text, 1));
	}
	buf_put(out, SLICE("\""));
}

static void keep(struct peer *p, struct slice wire)
{
	struct buf plain;

	if (store_fd < 0)
		return;
	buf_init(&plain, 0);
	unstuff(wire, &plain);
	for (unsigned i = 0; i < p->n_rcpts; i++) {
		buf_put(&store_buf, SLICE("{\"rcpt\":"));
		json_text(&store_buf, p->rcpts[i]);
		buf_put(&store_buf, SLICE(",\"from\":"));
		json_text(&store_buf, p->from);
		buf_putf(&store_buf, ",\"ip\":\"%s\",\"tls\":%s,\"bytes\":%zu}\n", p->ip,
			 p->ssl ? "true" : "false", buf_len(&plain));
		buf_put(&store_buf, buf_data(&plain));
		buf_put(&store_buf, SLICE("\n"));
	}
	buf_free(&plain);
	if (buf_len(&store_buf) > 1024 * 1024)
		flush_store();
}

/* A message is whole: wire holds it without the closing CRLF.CRLF but with its last CRLF. */
static void take_message(struct peer *p, struct slice wire)
{
	stats.messages++;
	stats.recipients += p->n_rcpts;
	stats.bytes += wire.n;
	stats.last_ms = clock_mono_ms();
	if (!stats.first_ms)
		stats.first_ms = stats.last_ms;
	for (unsigned i = 0; i < p->n_rcpts; i++)
		count_number(p->rcpts[i]);
	keep(p, wire);
	p->n_rcpts = 0;
}

/* Looks for CRLF.CRLF in p->body, of which `scanned` bytes are known not to start it. */
static bool find_end(struct peer *p, size_t *ret_end)
{
	struct slice s = buf_data(&p->body);

	if (s.n >= 3 && memcmp(s.p, ".\r\n", 3) == 0) {
		*ret_end = 0;
		return true;
	}
	size_t at = p->scanned > 4 ? p->scanned - 4 : 0;
	const char *hit = s.n >= 5 ? memmem(s.p + at, s.n - at, "\r\n.\r\n", 5) : NULL;
	p->scanned = s.n;
	if (!hit)
		return false;
	*ret_end = (size_t)(hit - s.p) + 2;
	return true;
}

static void end_of_data(struct peer *p)
{
	char domain[256] = "";

	if (p->n_rcpts) {
		const char *at = strrchr(p->rcpts[0], '@');
		(void)slice_copy(domain, sizeof(domain), slice_str(at ? at + 1 : ""));
	}
	struct sink_verdict v = sink_rules_at_dot(rules, domain);
	if (v.action == SINK_CLOSE) {
		stats.cut++;
		p->closing = true;
		return;
	}
	take_message(p, slice_of(buf_data(&p->body).p, p->scanned));
	say_late(p, "250 2.0.0 Ok: kept\r\n", v.delay_ms ? v.delay_ms : conf.delay_ms);
}

static bool data_arrived(struct peer *p)
{
	size_t end;

	if (!find_end(p, &end))
		return false;
	size_t used = end + 3;
	p->scanned = end;
	end_of_data(p);
	/* What follows the end is the next command. */
	buf_clear(&p->in);
	buf_put(&p->in, slice_of(buf_data(&p->body).p + used, buf_len(&p->body) - used));
	buf_shrink(&p->body, 64 * 1024);
	p->scanned = 0;
	p->in_data = false;
	return true;
}

static void hear_rcpt(struct peer *p, struct slice line)
{
	const char *open = memchr(line.p, '<', line.n), *close_at = memchr(line.p, '>', line.n);

	if (!open || !close_at || close_at < open || p->n_rcpts == RCPTS_LIMIT) {
		say(p, "501 5.1.3 Bad recipient\r\n");
		return;
	}
	char *rcpt = p->rcpts[p->n_rcpts];
	(void)slice_copy(rcpt, sizeof(p->rcpts[0]), slice_of(open + 1, (size_t)(close_at - open - 1)));
	struct sink_verdict v = sink_rules_at_rcpt(rules, rcpt);
	switch (v.action) {
	case SINK_DEFER:
		stats.deferred++;
		say(p, "451 4.7.1 Greylisted, try again later\r\n");
		return;
	case SINK_REFUSE:
		stats.refused++;
		say(p, "550 5.1.1 User unknown\r\n");
		return;
	case SINK_CLOSE:
		stats.cut++;
		p->closing = true;
		return;
	case SINK_BUSY:
		say(p, "421 4.3.2 Too busy\r\n");
		p->closing = true;
		return;
	case SINK_ACCEPT:
		break;
	}
	p->n_rcpts++;
	say(p, "250 2.1.5 Ok\r\n");
}

static bool is_verb(struct slice line, const char *verb)
{
	return slice_starts_nocase(line, slice_str(verb));
}

static void start_tls(struct peer *p)
{
	p->ssl = SSL_new(tls);
	SSL_set_fd(p->ssl, p->fd);
	SSL_set_accept_state(p->ssl);
	p->handshaking = true;
}

static void command(struct peer *p, struct slice line)
{
	if (is_verb(line, "EHLO")) {
		say(p, "250-sink.test\r\n");
		if (!conf.no_pipelining)
			say(p, "250-PIPELINING\r\n");
		if (tls && !p->ssl)
			say(p, "250-STARTTLS\r\n");
		say(p, "250-8BITMIME\r\n250-ENHANCEDSTATUSCODES\r\n250 SIZE 52428800\r\n");
	} else if (is_verb(line, "HELO")) {
		say(p, "250 sink.test\r\n");
	} else if (is_verb(line, "MAIL FROM:")) {
		const char *open = memchr(line.p, '<', line.n), *end = memchr(line.p, '>', line.n);
		(void)slice_copy(p->from, sizeof(p->from),
				 open && end && end > open ? slice_of(open + 1, (size_t)(end - open - 1)) : SLICE(""));
		p->n_rcpts = 0;
		say(p, "250 2.1.0 Ok\r\n");
	} else if (is_verb(line, "RCPT TO:")) {
		hear_rcpt(p, line);
	} else if (is_verb(line, "DATA")) {
		if (p->n_rcpts == 0) {
			say(p, "554 5.5.1 No valid recipients\r\n");
			return;
		}
		say(p, "354 Go on\r\n");
		p->in_data = true;
		p->scanned = 0;
	} else if (is_verb(line, "STARTTLS") && tls && !p->ssl) {
		say(p, "220 2.0.0 Go ahead\r\n");
		(void)flush(p);
		start_tls(p);
	} else if (is_verb(line, "RSET") || is_verb(line, "NOOP")) {
		p->n_rcpts = is_verb(line, "RSET") ? 0 : p->n_rcpts;
		say(p, "250 2.0.0 Ok\r\n");
	} else if (is_verb(line, "QUIT")) {
		say(p, "221 2.0.0 Bye\r\n");
		p->closing = true;
	} else {
		say(p, "502 5.5.2 Not known\r\n");
	}
}

static bool commands_arrived(struct peer *p)
{
	bool progress = false;

	while (!p->in_data && !p->handshaking && !p->closing) {
		struct slice s = buf_data(&p->in);
		const char *lf = s.n ? memchr(s.p, '\n', s.n) : NULL;
		if (!lf) {
			if (s.n > LINE_LIMIT)
				p->closing = true;
			break;
		}
		size_t n = (size_t)(lf - s.p) + 1;
		command(p, slice_of(s.p, n));
		buf_consume(&p->in, n);
		progress = true;
	}
	if (p->in_data && buf_len(&p->in)) {
		buf_put(&p->body, buf_data(&p->in));
		buf_clear(&p->in);
		progress = true;
	}
	return progress;
}

static bool handshake(struct peer *p)
{
	int r = SSL_accept(p->ssl);

	if (r == 1) {
		p->handshaking = false;
		stats.tls++;
		stats.resumed += (uint64_t)SSL_session_reused(p->ssl);
		return true;
	}
	int e = SSL_get_error(p->ssl, r);
	ERR_clear_error();
	return e == SSL_ERROR_WANT_READ || e == SSL_ERROR_WANT_WRITE;
}

/* False when the peer is gone. */
static bool readable(struct peer *p)
{
	for (int turns = 0; turns < 16; turns++) {
		if (p->handshaking) {
			if (!handshake(p))
				return false;
			if (p->handshaking)
				return true;
		}
		struct buf *to = p->in_data ? &p->body : &p->in;
		if (buf_reserve(to, READ_SIZE) < 0)
			return false;
		ssize_t n = transport_read(p, buf_tail(to), READ_SIZE);
		if (n == 0 || (n < 0 && errno != EAGAIN))
			return false;
		if (n < 0)
			break;
		buf_grow(to, (size_t)n);
		while ((p->in_data && buf_len(&p->body) && data_arrived(p)) || commands_arrived(p))
			;
		if (!p->ssl && n < READ_SIZE)
			break;
	}
	return flush(p);
}

static void accept_all(struct peer *l)
{
	for (;;) {
		int fd = accept4(l->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), one = 1;
		if (fd < 0)
			return;
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		struct peer *p = must_alloc(sizeof(*p));
		p->fd = fd;
		list_init(&p->delayed);
		memcpy(p->ip, l->ip, sizeof(p->ip));
		stats.connections++;
		stats.open++;
		stats.peak_open = MAX_OF(stats.peak_open, stats.open);
		struct epoll_event e = { .events = EPOLLIN, .data.ptr = p };
		epoll_ctl(epfd, EPOLL_CTL_ADD, fd, &e);
		if (sink_rules_at_connect(rules, p->ip).action == SINK_BUSY) {
			say(p, "421 4.3.2 Not now\r\n");
			p->closing = true;
		} else {
			say(p, "220 sink.test ESMTP\r\n");
		}
		if (!flush(p))
			peer_close(p);
	}
}

static void listen_on(const char *ip, uint16_t port)
{
	struct sockaddr_in sa = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), one = 1;
	struct peer *l = must_alloc(sizeof(*l));

	if (inet_pton(AF_INET, ip, &sa.sin_addr) != 1) {
		fprintf(stderr, "postern-sink: %s is no IPv4 address\n", ip);
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
	epoll_ctl(epfd, EPOLL_CTL_ADD, fd, &e);
}

/* 127.0.1.1-20:2525: a range over the last number. */
static void listen_range(const char *text)
{
	unsigned a, b, c, first, last, port;
	char ip[48];

	if (sscanf(text, "%u.%u.%u.%u-%u:%u", &a, &b, &c, &first, &last, &port) != 6) {
		last = 0;
		if (sscanf(text, "%u.%u.%u.%u:%u", &a, &b, &c, &first, &port) != 5) {
			fprintf(stderr, "postern-sink: --listen wants 127.0.1.1-20:2525, not %s\n", text);
			exit(2);
		}
		last = first;
	}
	for (unsigned i = first; i <= last && i < 255; i++) {
		(void)snprintf(ip, sizeof(ip), "%u.%u.%u.%u", a % 256, b % 256, c % 256, i);
		listen_on(ip, (uint16_t)port);
	}
}

static int release_delayed(void)
{
	int64_t now = clock_mono_ms();

	while (!list_empty(&delay_list)) {
		struct peer *p = container_of(delay_list.next, struct peer, delayed);
		if (p->due_ms > now)
			return (int)(p->due_ms - now);
		list_remove(&p->delayed);
		buf_put(&p->out, buf_data(&p->held));
		buf_clear(&p->held);
		if (!flush(p))
			peer_close(p);
	}
	return 200;
}

static void write_stats(void)
{
	FILE *f = conf.stats ? fopen(conf.stats, "w") : stdout;

	if (!f)
		return;
	fprintf(f,
		"{\"connections\":%lu,\"peak_open\":%lu,\"messages\":%lu,\"recipients\":%lu,\"bytes\":%lu,"
		"\"tls\":%lu,\"resumed\":%lu,\"deferred\":%lu,\"refused\":%lu,\"cut\":%lu,\"duplicates\":%lu,"
		"\"seconds\":%.3f}\n",
		stats.connections, stats.peak_open, stats.messages, stats.recipients, stats.bytes,
		stats.tls, stats.resumed, stats.deferred, stats.refused, stats.cut, stats.duplicates,
		(double)(stats.last_ms - stats.first_ms) / 1000);
	fclose(f);
}

static volatile sig_atomic_t report;
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
		int n = epoll_wait(epfd, events, 256, release_delayed());
		for (int i = 0; i < n; i++) {
			struct peer *p = events[i].data.ptr;
			if (p->is_listener) {
				accept_all(p);
				continue;
			}
			bool alive = !(events[i].events & EPOLLOUT) || flush(p);
			if (alive && events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))
				alive = readable(p);
			if (!alive)
				peer_close(p);
		}
		if (n == 0 && store_fd >= 0 && buf_len(&store_buf))
			flush_store();
		if (report) {
			report = 0;
			if (store_fd >= 0)
				flush_store();
			write_stats();
		}
	}
}

static void setup_tls(void)
{
	if (!conf.cert)
		return;
	tls = SSL_CTX_new(TLS_server_method());
	SSL_CTX_set_mode(tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	if (SSL_CTX_use_certificate_chain_file(tls, conf.cert) != 1 ||
	    SSL_CTX_use_PrivateKey_file(tls, conf.key, SSL_FILETYPE_PEM) != 1) {
		fprintf(stderr, "postern-sink: %s or %s is unusable\n", conf.cert, conf.key);
		exit(1);
	}
}

int main(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "listen", 1, 0, 'l' }, { "store", 1, 0, 'o' }, { "rules", 1, 0, 'r' },
		{ "stats", 1, 0, 's' },	 { "cert", 1, 0, 'c' },	 { "key", 1, 0, 'k' },
		{ "delay", 1, 0, 'd' },	 { "no-pipelining", 0, 0, 'P' }, { 0 },
	};
	struct rlimit files = { 70000, 70000 };
	struct sigaction sa = { .sa_handler = on_signal };
	int c;

	(void)setrlimit(RLIMIT_NOFILE, &files);
	epfd = epoll_create1(EPOLL_CLOEXEC);
	rules = sink_rules_new();
	seen_numbers = must_alloc(NUMBERS);
	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case 'l': listen_range(optarg); break;
		case 'o': conf.store = optarg; break;
		case 's': conf.stats = optarg; break;
		case 'c': conf.cert = optarg; break;
		case 'k': conf.key = optarg; break;
		case 'd': conf.delay_ms = atoi(optarg); break;
		case 'P': conf.no_pipelining = true; break;
		case 'r':
			if (sink_rules_read(rules, optarg) < 0) {
				fprintf(stderr, "postern-sink: %s: cannot read rules\n", optarg);
				return 2;
			}
			break;
		default: return 2;
		}
	}
	setup_tls();
	if (conf.store) {
		store_fd = open(conf.store, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
		if (store_fd < 0) {
			fprintf(stderr, "postern-sink: %s: %s\n", conf.store, strerror(errno));
			return 1;
		}
	}
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGUSR1, &sa, NULL);
	signal(SIGPIPE, SIG_IGN);
	serve();
	if (store_fd >= 0)
		flush_store();
	write_stats();
	return 0;
}
