/* tests/replay/session_replay.c - plays one .rpl file: a session of ours against a scripted host,
 * in simulated time.
 *
 *	session KEY=VALUE...        tls=WORD, NAME=MS for a timeout (ehlo=5000), chunks=1: the host
 *	                            was seen to take groups and BDAT.  Words: never may encrypt (or
 *	                            must); verify: a certificate for mx.test; dane: one whose key is
 *	                            the TLSA record below; testing: as verify, but only looked at;
 *	                            requiretls: verify, and REQUIRETLS (RFC 8689)
 *	                            auth=plain|login|xoauth2|password: as "me" with "secret";
 *	                            at-once=1: TLS before the greeting
 *	send KEY=VALUE...           a message: rcpts=N bytes=N 8bit=1 utf8=1 idle=MS (before it)
 *	                            bare=1 (with a bare LF, which is sent as CRLF)
 *	host                        the host's script (tests/sim/conn_sim.h) follows, up to "end"
 *	want N.M KIND CODE DSN [site] [text PART]    recipient M of message N, both from 1
 *	want gone KIND CODE DSN [site] [text PART]
 *	want within MS              required: the session is over by then
 *	want again N.M HOW          no, next, lock-step, data: what may be tried at once
 *	want doubt N yes|no         did the message leave whole (sent_data)?
 *	want messages N             taken whole by the host; each must equal one that was sent
 *
 * Always held: every message comes back once, the session ends once, nothing stays open, the host
 * met what its script expects, and the session's memory stays within bounds. */
#include <stdio.h>

#include "base/clock.h"
#include "base/file.h"
#include "mta/smtp/session.h"
#include "tests/sim/conn_sim.h"

enum { SENDS = 16, RCPTS = 128 };
struct send {
	struct txn txn;
	struct buf message, bare;
	struct txn_rcpt rcpts[RCPTS];
	char addresses[RCPTS][32];
	int64_t idle_ms;
	int done;
};
struct play {
	struct session_user user;
	struct session *session;
	struct loop loop;
	struct session_options options;
	struct send sends[SENDS];
	unsigned n_sends, next, in_hand;
	struct timer idle;
	struct verdict gone;
	int gone_times, failures;
	int64_t start_ms, end_ms, within_ms;
	struct buf host, wants;
};

static void complain(struct play *p, const char *what, struct slice line)
{
	(void)fprintf(stderr, "FAIL: %s: %.*s\n", what, (int)line.n, line.p);
	p->failures++;
}

/* ---- the session's user ------------------------------------------------------------------ */

static void send_more(struct play *p, bool idled)
{
	while (p->next < p->n_sends && session_can_take(p->session)) {
		struct send *n = &p->sends[p->next];

		if (n->idle_ms && !idled) {
			if (!p->in_hand && !timer_running(&p->idle))
				timer_set(p->loop.timers, &p->idle, n->idle_ms);
			return;
		}
		idled = false;
		p->next++;
		p->in_hand++;
		if (session_send(p->session, &n->txn) < 0)
			complain(p, "session_send", SLICE("refused"));
	}
	if (p->next == p->n_sends && !p->in_hand)
		session_quit(p->session);
}

static void idle_over(struct timer *t)
{
	send_more(container_of(t, struct play, idle), true);
}

static void on_ready(struct session_user *u)
{
	send_more(container_of(u, struct play, user), false);
}

static void on_done(struct session_user *u, struct txn *t)
{
	struct play *p = container_of(u, struct play, user);

	container_of(t, struct send, txn)->done++;
	p->in_hand--;
}

static void on_gone(struct session_user *u, const struct verdict *v)
{
	struct play *p = container_of(u, struct play, user);

	verdict_copy(&p->gone, v);
	p->gone_times++;
	p->end_ms = clock_mono_ms();
	p->session = session_free(p->session);
	timer_stop(p->loop.timers, &p->idle);
}

/* ---- reading the file -------------------------------------------------------------------- */

static int64_t number(struct slice s)
{
	uint64_t n = 0;

	if (slice_u64(s, INT64_MAX, &n) < 0)
		abort();
	return (int64_t)n;
}

#define KEY "0123456789abcdef0123456789abcdef"

static void read_tls(struct play *p, struct slice word)
{
	static const struct tls_record record = { TLS_DANE_EE, 1, 1, sizeof(KEY) - 1,
						  (const uint8_t *)KEY };
	static const struct {
		const char *word;
		enum tls_policy tls;
		struct tls_check check;
		bool require_tls;
	} rows[] = {
		{ "never", TLS_NEVER, { TLS_ANY }, false },
		{ "may", TLS_MAY, { TLS_ANY, .names = { "mx.test" }, .n_names = 1 }, false },
		{ "must", TLS_MUST, { TLS_ANY, .names = { "mx.test" }, .n_names = 1 }, false },
		{ "encrypt", TLS_MUST, { TLS_ANY, .names = { "mx.test" }, .n_names = 1 }, false },
		{ "verify", TLS_MUST, { TLS_CHAIN, .names = { "mx.test" }, .n_names = 1 }, false },
		{ "testing", TLS_MAY, { TLS_CHAIN, true, { "mx.test" }, 1 }, false },
		{ "dane", TLS_MUST, { TLS_DANE, false, { "mx.test" }, 1, &record, 1 }, false },
		{ "requiretls", TLS_MUST, { TLS_CHAIN, false, { "mx.test" }, 1 }, true },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (slice_eq(word, slice_str(rows[i].word))) {
			p->options.tls = rows[i].tls;
			p->options.tls_check = &rows[i].check;
			p->options.require_tls = rows[i].require_tls;
			return;
		}
	abort();
}

static void read_auth(struct play *p, struct slice name)
{
	static struct session_auth a = { .user = { "me", 2 }, .secret = { "secret", 6 } };

	for (unsigned m = 0; m < AUTH_MECHANISMS; m++)
		if (slice_eq(name, slice_str(smtp_auth_name((enum auth_mechanism)m))))
			a.mechanism = (enum auth_mechanism)m;
	p->options.auth = &a;
}

static void read_session(struct play *p, struct slice key, struct slice value)
{
	static const struct {
		const char *name;
		size_t at;
	} limits[] = {
		{ "connect", offsetof(struct smtp_timeouts, connect) },
		{ "greeting", offsetof(struct smtp_timeouts, greeting) },
		{ "ehlo", offsetof(struct smtp_timeouts, ehlo) },
		{ "dot", offsetof(struct smtp_timeouts, dot) },
		{ "block", offsetof(struct smtp_timeouts, block) },
	};

	if (slice_eq(key, SLICE("tls"))) {
		read_tls(p, value);
		return;
	}
	if (slice_eq(key, SLICE("auth")))
		read_auth(p, value);
	if (slice_eq(key, SLICE("at-once")))
		p->options.tls_at_once = true;
	if (slice_eq(key, SLICE("chunks")))
		p->options.chunks = p->options.pipelines = true;
	for (size_t i = 0; i < ARRAY_LEN(limits); i++)
		if (slice_eq(key, slice_str(limits[i].name)))
			*(int64_t *)(void *)((char *)&p->options.timeouts + limits[i].at) =
			    number(value);
}

static void write_message(struct send *n, unsigned no, int64_t bytes)
{
	buf_putf(&n->message, "Subject: message %u\r\n\r\n", no);
	for (unsigned i = 0; buf_len(&n->message) < (size_t)bytes; i++)
		buf_putf(&n->message, "%sline %u of message %u\r\n",
			 i % 7 == 3   ? "."
			 : i % 7 == 5 ? "..\r\n.\r\n"
				      : "",
			 i, no);
}

/* The first CR is left out of what is sent; the host has to get it. */
static struct slice without_a_cr(struct send *n, struct slice message)
{
	const char *cr = memchr(message.p, '\r', message.n);
	size_t before = (size_t)(cr - message.p);

	buf_put(&n->bare, slice_of(message.p, before));
	buf_put(&n->bare, slice_skip(message, before + 1));
	return buf_data(&n->bare);
}

static void read_send(struct play *p, struct slice s)
{
	unsigned no = ++p->n_sends, n_rcpts = 1;
	struct send *n = &p->sends[no - 1];
	int64_t bytes = 100;
	bool bare = false;

	while (s.n) {
		struct slice value = slice_take(&s, ' '), key = slice_take(&value, '=');

		if (slice_eq(key, SLICE("rcpts")))
			n_rcpts = (unsigned)number(value);
		else if (slice_eq(key, SLICE("bytes")))
			bytes = number(value);
		else if (slice_eq(key, SLICE("8bit")))
			n->txn.body_8bit = true;
		else if (slice_eq(key, SLICE("bare")))
			bare = true;
		else if (slice_eq(key, SLICE("utf8")))
			n->txn.utf8 = true;
		else if (slice_eq(key, SLICE("idle")))
			n->idle_ms = number(value);
	}
	assert(no <= SENDS && n_rcpts <= RCPTS);
	write_message(n, no, bytes);
	n->txn.mail_from = SLICE("sender@our.test");
	n->txn.message = buf_data(&n->message);
	if (bare)
		n->txn.message = without_a_cr(n, buf_data(&n->message));
	n->txn.n_rcpts = n_rcpts;
	n->txn.rcpts = n->rcpts;
	for (unsigned i = 0; i < n_rcpts; i++) {
		(void)snprintf(n->addresses[i], sizeof(n->addresses[i]), "r%u.%u@mx.test", no,
			       i + 1);
		n->rcpts[i].address = slice_str(n->addresses[i]);
	}
}

static void read_file(struct play *p, struct slice text)
{
	bool in_host = false;

	while (text.n) {
		struct slice line = slice_take(&text, '\n'), rest = line,
			     word = slice_take(&rest, ' ');

		if (in_host && slice_eq(line, SLICE("end"))) {
			in_host = false;
		} else if (in_host) {
			buf_put(&p->host, line);
			buf_put(&p->host, SLICE("\n"));
		} else if (slice_eq(word, SLICE("host"))) {
			in_host = true;
		} else if (slice_eq(word, SLICE("send"))) {
			read_send(p, rest);
		} else if (slice_eq(word, SLICE("want"))) {
			buf_put(&p->wants, rest);
			buf_put(&p->wants, SLICE("\n"));
		} else if (slice_eq(word, SLICE("session"))) {
			while (rest.n) {
				struct slice value = slice_take(&rest, ' '),
					     key = slice_take(&value, '=');

				read_session(p, key, value);
			}
		} else if (line.n && *line.p != '#') {
			complain(p, "no line of a replay", line);
		}
	}
}

/* ---- what is wanted ---------------------------------------------------------------------- */

static void check_verdict(struct play *p, const struct verdict *v, struct slice want)
{
	static const char *const kinds[] = { "none", "delivered", "deferred", "bounced" };
	char line[VERDICT_TEXT_MAX + 128];
	struct slice rest = want, got, text = { NULL, 0 };
	char *part;

	(void)snprintf(line, sizeof(line), "%s %u %u.%u.%u%s text %.*s", kinds[v->kind], v->code,
		       v->status.class, v->status.subject, v->status.detail, v->site ? " site" : "",
		       (int)v->text_n, v->text);
	part = memmem(want.p, want.n, " text ", 6);
	if (part) {
		text = slice_of(part + 6, (size_t)(want.p + want.n - part - 6));
		rest.n = (size_t)(part - want.p);
	}
	part = strstr(line, " text ");
	got = slice_of(line, (size_t)(part - line));
	if (slice_eq(rest, got) && (!text.n || memmem(part, strlen(part), text.p, text.n)))
		return;
	complain(p, "wanted", want);
	complain(p, "   got", slice_str(line));
}

static bool was_sent(struct play *p, struct slice message)
{
	for (unsigned i = 0; i < p->n_sends; i++)
		if (slice_eq(message, buf_data(&p->sends[i].message)))
			return true;
	return false;
}

static void check_again(struct play *p, struct slice want)
{
	static const char *const hows[] = { "no", "next", "lock-step", "data" };
	struct slice rest = want, place = slice_take(&rest, ' ');
	unsigned n = (unsigned)number(slice_take(&place, '.')), m = (unsigned)number(place);

	assert(n && n <= p->n_sends && m && m <= p->sends[n - 1].txn.n_rcpts);
	if (!slice_eq(rest, slice_str(hows[p->sends[n - 1].rcpts[m - 1].again])))
		complain(p, "another way to go again", want);
}

static void check_doubt(struct play *p, struct slice want)
{
	struct slice rest = want;
	unsigned n = (unsigned)number(slice_take(&rest, ' '));

	assert(n && n <= p->n_sends);
	if (slice_eq(rest, SLICE("yes")) != p->sends[n - 1].txn.sent_data)
		complain(p, "whether it left", want);
}

static void check_want(struct play *p, struct slice want)
{
	struct slice rest = want, word = slice_take(&rest, ' ');

	if (slice_eq(word, SLICE("gone"))) {
		check_verdict(p, &p->gone, rest);
	} else if (slice_eq(word, SLICE("within"))) {
		p->within_ms = number(rest);
	} else if (slice_eq(word, SLICE("again"))) {
		check_again(p, rest);
	} else if (slice_eq(word, SLICE("doubt"))) {
		check_doubt(p, rest);
	} else if (slice_eq(word, SLICE("messages"))) {
		if (conn_sim_messages() != (unsigned)number(rest))
			complain(p, "another number of messages was taken", want);
	} else {
		unsigned n = (unsigned)number(slice_take(&word, '.')), m = (unsigned)number(word);

		assert(n && n <= p->n_sends && m && m <= p->sends[n - 1].txn.n_rcpts);
		check_verdict(p, &p->sends[n - 1].rcpts[m - 1].verdict, rest);
	}
}

static void check_always(struct play *p)
{
	for (unsigned i = 0; i < p->next; i++)
		if (p->sends[i].done != 1)
			complain(p, "a message did not come back once", SLICE(""));
	for (unsigned i = 0; i < conn_sim_messages(); i++)
		if (conn_sim_message(i).n && !was_sent(p, conn_sim_message(i)))
			complain(p, "the host took what was never sent", conn_sim_message(i));
	if (p->gone_times != 1)
		complain(p, "the session did not end once", SLICE(""));
	if (conn_sim_live())
		complain(p, "a connection stayed open", SLICE(""));
	if (conn_sim_mistake())
		complain(p, "the host", slice_str(conn_sim_mistake()));
	if (!p->within_ms || p->end_ms - p->start_ms > p->within_ms)
		complain(p, "the session took longer than it may", SLICE(""));
}

int main(int argc, char **argv)
{
	static struct play p = { .user = { on_ready, on_done, on_gone } };
	struct buf file = { 0 };

	if (argc != 2 || file_read(argv[1], 1 << 20, &file) < 0) {
		(void)fprintf(stderr, "session_replay FILE.rpl\n");
		return 2;
	}
	smtp_timeouts_default(&p.options.timeouts);
	p.options.mx_host = "mx.test";
	p.options.ehlo = "our.test";
	p.options.tls = TLS_NEVER;
	timer_init(&p.idle, idle_over);
	read_file(&p, buf_data(&file));
	loop_sim_init(&p.loop);
	if (tls_client_new(&p.options.tls_context, NULL) < 0 ||
	    ip_port_parse(SLICE("192.0.2.1:25"), &p.options.to.ip, &p.options.to.port) < 0 ||
	    conn_sim_host(SLICE("192.0.2.1:25"), buf_data(&p.host)) < 0) {
		complain(&p, "host script", slice_str(conn_sim_mistake()));
		return 2;
	}
	p.start_ms = clock_mono_ms();
	if (session_new(&p.session, &p.loop, &p.options, &p.user) < 0)
		return 2;
	loop_sim_run(&p.loop, 30LL * 24 * 3600 * 1000);
	while (p.wants.end > p.wants.start) {
		struct slice rest = buf_data(&p.wants), line = slice_take(&rest, '\n');

		check_want(&p, line);
		buf_consume(&p.wants, line.n + 1);
	}
	check_always(&p);
	loop_sim_end(&p.loop);
	conn_sim_reset();
	(void)tls_context_free(p.options.tls_context);
	for (unsigned i = 0; i < p.n_sends; i++) {
		buf_free(&p.sends[i].message);
		buf_free(&p.sends[i].bare);
	}
	buf_free(&p.host);
	buf_free(&p.wants);
	buf_free(&file);
	return p.failures != 0;
}
