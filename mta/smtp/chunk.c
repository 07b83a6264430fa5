/* mta/smtp/chunk.c - a message by BDAT (RFC 3030): one chunk, which is the last.
 *
 *	MAIL RCPT BDAT n LAST message      in one write, when it fits into the conn
 *	MAIL RCPT | BDAT n LAST message    a large one: not for recipients that are refused
 *	MAIL RCPT BDAT n line | BDAT ...   the first to a host that was not seen to know BDAT
 *
 * Guarantee: no bytes of a message go to a host that might read them as commands, except the line
 * of a header field, which is none.  A host that offers CHUNKING and does not know BDAT shows it
 * by its answer to that line, and gets DATA on another connection.  (An empty chunk would ask the
 * same, but Postfix refuses that.)
 *
 * One flight and refused recipients: the host takes the chunk in and answers it whatever it said to
 * RCPT (RFC 3030 section 2).  Each recipient has its own answer; the chunk's is for those who were
 * accepted and for nobody else.  A refused chunk may leave the transaction open: RSET follows. */
#include <stdio.h>

#include "mta/smtp/session_int.h"

enum { LINE_MAX_BYTES = 64, ASK_MAX = 512 };

static bool is_ok(const struct reply *re)
{
	return re->code / 100 == 2;
}

static bool is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-';
}

/* The first line of the message with its end, when no host can take it for a command; else 0. */
static size_t first_line(const struct txn *t)
{
	struct slice s = t->head.n ? t->head : t->message;
	const char *end = s.n ? memchr(s.p, '\n', s.n) : NULL;
	size_t name = 0;

	while (name < s.n && is_name_char(s.p[name]))
		name++;
	if (!end || !name || s.p[name] != ':' || end - s.p >= ASK_MAX)
		return 0;
	return (size_t)(end + 1 - s.p);
}

/* BDAT sends what is there: what has a bare CR or LF goes by DATA, which sets that right. */
static bool fits_a_chunk(const struct session *s, const struct txn *t)
{
	const unsigned needs = EHLO_PIPELINING | EHLO_CHUNKING;

	return (s->ehlo.can & needs) == needs && stuff_is_clean(t->head, t->message);
}

enum step_id chunk_first(struct session *s, const struct flight *f)
{
	if (!fits_a_chunk(s, f->txn))
		return S_DATA;
	if (s->knows_bdat)
		return S_BDAT;
	return first_line(f->txn) ? S_ASK : S_DATA;
}

bool chunk_may_go(const struct session *s, const struct flight *f)
{
	if (!f->pending)
		return true;
	return s->chunks && txn_size(f->txn) + LINE_MAX_BYTES <= conn_room(s->conn);
}

static void put_bdat(struct session *s, uint64_t size, const char *last)
{
	char line[LINE_MAX_BYTES];
	int n = snprintf(line, sizeof(line), "BDAT %llu%s\r\n", (unsigned long long)size, last);

	session_command(s, line, (size_t)n);
}

void session_say_ask(struct session *s, struct flight *f)
{
	f->off = first_line(f->txn);
	put_bdat(s, f->off, "");
	session_put(s, (f->txn->head.n ? f->txn->head : f->txn->message).p, f->off);
	f->next = S_MAX; /* until the answer says how to go on */
}

void session_say_bdat(struct session *s, struct flight *f)
{
	f->flies = f->pending > 0;
	put_bdat(s, txn_size(f->txn) - f->off, " LAST");
	f->next = S_LAST;
	session_start_body(s, f->txn);
	session_say_expect(s, S_LAST, f, 0);
	session_say_chunk(s, f);
}

void session_say_chunk(struct session *s, struct flight *f)
{
	while (f->off < txn_size(f->txn)) {
		struct slice rest = session_body_rest(f);
		size_t n = MIN_OF(rest.n, conn_room(s->conn));

		if (!n)
			return;
		session_put(s, rest.p, n);
		f->off += n;
	}
	session_body_said(s, f, true);
}

/* ---- what the host says ------------------------------------------------------------------ */

static bool is_refusal(const struct reply *re)
{
	return re->code / 100 == 4 || re->code / 100 == 5;
}

static void give_up_chunks(struct session *s, struct flight *f)
{
	f->txn->no_chunks = true;
	s->ehlo.can &= ~(unsigned)EHLO_CHUNKING; /* for the rest of this session */
}

/* It took recipients and does not know the command. */
static bool is_unknown(const struct flight *f, const struct reply *re)
{
	return f->accepted && again_faults_the_order(re);
}

/* A host that answers so may have read what followed as commands; their answers are to come. */
static void hear_unknown(struct session *s, struct flight *f)
{
	give_up_chunks(s, f);
	again_all_unjudged(f, AGAIN_DATA);
	session_fail_text(s, STATUS(4, 5, 0), "the host does not know BDAT, which it offers");
}

void session_hear_ask(struct session *s, struct session_expect e, const struct reply *re)
{
	struct flight *f = &s->flights[e.flight];
	struct verdict v;

	if (is_ok(re)) {
		again_group_worked(s, f);
		s->knows_bdat = true;
		f->next = f->accepted ? S_BDAT : S_MAX;
		s->need_rset = !f->accepted;
		return;
	}
	if (!is_refusal(re)) {
		session_lost_track(s);
		return;
	}
	reply_verdict(re, &v);
	if (is_unknown(f, re))
		hear_unknown(s, f);
	flight_judge(f, &v);
	s->need_rset = true;
}

void session_hear_last(struct session *s, struct session_expect e, const struct reply *re)
{
	struct flight *f = &s->flights[e.flight];
	struct verdict v;

	if ((is_ok(re) && f->mail_refused) || (!is_ok(re) && !is_refusal(re))) {
		session_lost_track(s);
		return;
	}
	if (is_ok(re)) {
		s->chunks = f->txn->chunked = true;
		again_group_worked(s, f);
	} else {
		s->need_rset = true;
		if (is_unknown(f, re))
			hear_unknown(s, f);
	}
	reply_verdict(re, &v);
	flight_judge(f, &v);
}

/* ---- the session ended ------------------------------------------------------------------- */

static unsigned oldest_step(const struct session *s, const struct flight *f)
{
	for (unsigned i = 0; i < s->ring_count; i++) {
		const struct session_expect *e = &s->ring[(s->ring_head + i) & (RING - 1)];

		if (e->flight == f - s->flights)
			return e->step;
	}
	return S_MAX;
}

/* Nothing came back at all from a connection that the peer has closed: the host was leaving when
 * the flight left us, because it answers MAIL and RCPT before it takes a message.  If it did take
 * it, it did not say so, and whoever is not told tries again (RFC 5321 section 4.5.3.2.6). */
static bool met_a_closed_door(const struct session *s, const struct flight *f)
{
	return f->flies && !f->txn->answered && !s->timed_out && s->end.code == 0;
}

/* A host that takes what is asked and then hangs up, or waits, at BDAT gets DATA from now on.  One
 * that has taken a message so is only blamed for silence. */
void chunk_ended(struct session *s, struct flight *f)
{
	unsigned step = oldest_step(s, f);

	if (met_a_closed_door(s, f))
		f->txn->sent_data = false;
	if ((step != S_ASK && step != S_LAST) || f->next == S_LAST || s->end.code == 421)
		return;
	if (!s->timed_out && s->chunks)
		return;
	give_up_chunks(s, f);
}
