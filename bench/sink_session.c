/* bench/sink_session.c - commands and messages as the sink hears them. */
#include "base/clock.h"
#include "bench/sink_session.h"
#include "bench/sink_store.h"

enum { LINE_LIMIT = 4096 };

void sink_session_greet(struct peer *p)
{
	if (sink_rules_at_connect(sink.rules, p->ip).action == SINK_BUSY) {
		peer_say(p, "421 4.3.2 Not now\r\n");
		p->closing = true;
	} else {
		peer_say(p, "220 sink.test ESMTP\r\n");
	}
}

/* A message is whole: wire holds it without the closing CRLF.CRLF but with its last CRLF. */
static void take_message(struct peer *p, struct slice wire)
{
	sink.stats.messages++;
	sink.stats.recipients += p->n_rcpts;
	sink.stats.bytes += wire.n;
	sink.stats.last_ms = clock_mono_ms();
	if (!sink.stats.first_ms)
		sink.stats.first_ms = sink.stats.last_ms;
	for (unsigned i = 0; i < p->n_rcpts; i++)
		sink.stats.duplicates += store_seen_before(p->rcpts[i]);
	store_message(p, wire);
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
	struct sink_verdict v = sink_rules_at_dot(sink.rules, domain);
	if (v.action == SINK_CLOSE) {
		sink.stats.cut++;
		p->closing = true;
		return;
	}
	take_message(p, slice_of(buf_data(&p->body).p, p->scanned));
	peer_say_late(p, "250 2.0.0 Ok: kept\r\n", v.delay_ms ? v.delay_ms : sink.conf.delay_ms);
}

static bool data_arrived(struct peer *p)
{
	size_t end;

	if (!find_end(p, &end))
		return false;
	size_t used = end + 3;
	p->scanned = end;
	end_of_data(p);
	/* What follows is the next command. */
	buf_clear(&p->in);
	buf_put(&p->in, slice_of(buf_data(&p->body).p + used, buf_len(&p->body) - used));
	buf_shrink(&p->body, 64 * 1024);
	p->scanned = 0;
	p->in_data = false;
	return true;
}

/* "BDAT n [LAST]" */
static void hear_bdat(struct peer *p, struct slice line)
{
	struct slice rest = slice_trim_set(line, " \r\n");
	uint64_t n;

	(void)slice_take(&rest, ' ');
	if (!sink.conf.chunking || slice_u64(slice_take(&rest, ' '), 64 << 20, &n) < 0) {
		peer_say(p, "501 5.5.4 Bad size\r\n");
		p->closing = true;
		return;
	}
	p->chunk = (size_t)n;
	p->in_chunk = true;
	p->last_chunk = slice_eq_nocase(rest, SLICE("LAST"));
}

static bool chunk_arrived(struct peer *p)
{
	size_t n = MIN_OF(p->chunk, buf_len(&p->in));

	buf_put(&p->body, slice_of(buf_data(&p->in).p, n));
	buf_consume(&p->in, n);
	p->chunk -= n;
	if (p->chunk)
		return false;
	p->in_chunk = false;
	if (!p->n_rcpts) {
		peer_say(p, "503 5.5.1 No valid recipients\r\n");
	} else if (!p->last_chunk) {
		peer_say(p, "250 2.0.0 Ok\r\n");
		return true;
	} else {
		p->scanned = buf_len(&p->body);
		end_of_data(p);
		p->scanned = 0;
	}
	buf_shrink(&p->body, 64 * 1024);
	return true;
}

static void hear_rcpt(struct peer *p, struct slice line)
{
	const char *open = memchr(line.p, '<', line.n), *close_at = memchr(line.p, '>', line.n);

	if (!open || !close_at || close_at < open || p->n_rcpts == SINK_RCPTS_LIMIT) {
		peer_say(p, "501 5.1.3 Bad recipient\r\n");
		return;
	}
	char *rcpt = p->rcpts[p->n_rcpts];
	(void)slice_copy(rcpt, sizeof(p->rcpts[0]),
			 slice_of(open + 1, (size_t)(close_at - open - 1)));
	struct sink_verdict v = sink_rules_at_rcpt(sink.rules, rcpt);
	switch (v.action) {
	case SINK_DEFER:
		sink.stats.deferred++;
		peer_say(p, "451 4.7.1 Greylisted, try again later\r\n");
		return;
	case SINK_REFUSE:
		sink.stats.refused++;
		peer_say(p, "550 5.1.1 User unknown\r\n");
		return;
	case SINK_CLOSE:
		sink.stats.cut++;
		p->closing = true;
		return;
	case SINK_BUSY:
		peer_say(p, "421 4.3.2 Too busy\r\n");
		p->closing = true;
		return;
	case SINK_ACCEPT:
		break;
	}
	p->n_rcpts++;
	peer_say(p, "250 2.1.5 Ok\r\n");
}

static bool is_verb(struct slice line, const char *verb)
{
	return slice_starts_nocase(line, slice_str(verb));
}

static void command(struct peer *p, struct slice line)
{
	if (is_verb(line, "EHLO")) {
		peer_say(p, "250-sink.test\r\n");
		if (!sink.conf.no_pipelining)
			peer_say(p, "250-PIPELINING\r\n");
		if (sink.conf.chunking)
			peer_say(p, "250-CHUNKING\r\n");
		if (sink.tls && !p->ssl)
			peer_say(p, "250-STARTTLS\r\n");
		peer_say(p, "250-8BITMIME\r\n250-ENHANCEDSTATUSCODES\r\n250 SIZE 52428800\r\n");
	} else if (is_verb(line, "HELO")) {
		peer_say(p, "250 sink.test\r\n");
	} else if (is_verb(line, "MAIL FROM:")) {
		const char *open = memchr(line.p, '<', line.n), *end = memchr(line.p, '>', line.n);
		(void)slice_copy(p->from, sizeof(p->from),
				 open && end && end > open
				     ? slice_of(open + 1, (size_t)(end - open - 1))
				     : SLICE(""));
		p->n_rcpts = 0;
		peer_say(p, "250 2.1.0 Ok\r\n");
	} else if (is_verb(line, "RCPT TO:")) {
		hear_rcpt(p, line);
	} else if (is_verb(line, "BDAT")) {
		hear_bdat(p, line);
	} else if (is_verb(line, "DATA")) {
		if (p->n_rcpts == 0) {
			peer_say(p, "554 5.5.1 No valid recipients\r\n");
			return;
		}
		peer_say(p, "354 Go on\r\n");
		p->in_data = true;
		p->scanned = 0;
	} else if (is_verb(line, "STARTTLS") && sink.tls && !p->ssl) {
		peer_say(p, "220 2.0.0 Go ahead\r\n");
		(void)peer_flush(p);
		peer_start_tls(p);
	} else if (is_verb(line, "RSET") || is_verb(line, "NOOP")) {
		p->n_rcpts = is_verb(line, "RSET") ? 0 : p->n_rcpts;
		peer_say(p, "250 2.0.0 Ok\r\n");
	} else if (is_verb(line, "QUIT")) {
		peer_say(p, "221 2.0.0 Bye\r\n");
		p->closing = true;
	} else {
		peer_say(p, "502 5.5.2 Not known\r\n");
	}
}

static bool commands_arrived(struct peer *p)
{
	bool progress = false;

	while (!p->in_data && !p->in_chunk && !p->handshaking && !p->closing) {
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

void sink_session_hear(struct peer *p)
{
	if (sink.conf.away_ms && !list_empty(&p->delayed))
		return; /* its answer is on its way */
	while ((p->in_data && buf_len(&p->body) && data_arrived(p)) ||
	       (p->in_chunk && chunk_arrived(p)) || commands_arrived(p))
		;
	if (sink.conf.away_ms)
		peer_hold_back(p, sink.conf.away_ms);
}
