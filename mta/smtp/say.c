/* What is said.  session_say_more() goes down each txn's steps as far as the ring, the conn's room
 * and the answers so far allow.  Without PIPELINING (RFC 2920) the ring has one place. */
#include <stdio.h>

#include "mta/smtp/session_int.h"

enum { COMMAND_MAX = 1536 }; /* RFC 3461 makes RCPT longer */

void session_put(struct session *s, const char *p, size_t n)
{
	if (conn_write(s->conn, slice_of(p, n)) < 0)
		return; /* the conn is broken; CONN_FAILED follows */
	s->queued += (uint32_t)n;
}

void session_note(struct session *s, enum transcript_who who, struct slice text)
{
	transcript_add(&s->transcript, who, text, timers_now(s->loop->timers));
}

void session_command(struct session *s, const char *p, size_t n)
{
	session_note(s, TRANSCRIPT_WE, slice_of(p, n));
	session_put(s, p, n);
}

void session_say_expect(struct session *s, enum step_id step, struct flight *f, unsigned rcpt)
{
	assert(s->ring_count < RING);
	*ring_at(s, s->ring_count++) = (struct session_expect){
		.step = (uint8_t)step,
		.flight = f ? (uint8_t)(f - s->flights) : UINT8_MAX,
		.rcpt = (uint16_t)rcpt,
		.left_at = s->queued,
	};
	if (f)
		f->pending++;
	if (s->ring_count == 1)
		session_arm(s);
}

void session_say(struct session *s, enum step_id step, struct flight *f)
{
	session_steps[step].say(s, f);
	if (step != S_RCPT && step != S_DOT && step != S_BDAT)
		session_say_expect(s, step, f, 0);
}

/* ---- the steps --------------------------------------------------------------------------- */

static void put_with_name(struct session *s, const char *verb)
{
	char line[COMMAND_MAX];
	int n = snprintf(line, sizeof(line), "%s %s\r\n", verb, s->our_name);

	session_command(s, line, MIN_OF((size_t)n, sizeof(line) - 1));
}

void session_say_ehlo(struct session *s, struct flight *f)
{
	(void)f;
	put_with_name(s, "EHLO");
}

void session_say_helo(struct session *s, struct flight *f)
{
	(void)f;
	put_with_name(s, "HELO");
}

void session_say_starttls(struct session *s, struct flight *f)
{
	(void)f;
	session_command(s, "STARTTLS\r\n", 10);
}

void session_say_rset(struct session *s, struct flight *f)
{
	(void)f;
	s->need_rset = false;
	session_command(s, "RSET\r\n", 6);
}

void session_say_quit(struct session *s, struct flight *f)
{
	(void)f;
	session_command(s, "QUIT\r\n", 6);
}

/* Guarantee: no command carries a CR or LF but its own end; txn_check() has refused the rest. */
static size_t put_path(char *line, const char *verb, struct slice address)
{
	size_t n = strlen(verb);

	memcpy(line, verb, n);
	memcpy(line + n, address.p, address.n);
	line[n + address.n] = '>';
	return n + address.n + 1;
}

void session_say_mail(struct session *s, struct flight *f)
{
	char line[COMMAND_MAX];
	size_t n = put_path(line, "MAIL FROM:<", f->txn->mail_from);

	if (s->ehlo.can & EHLO_SIZE)
		n += (size_t)snprintf(line + n, sizeof(line) - n, " SIZE=%llu",
				      (unsigned long long)txn_size(f->txn));
	if (f->txn->body_8bit)
		n += (size_t)snprintf(line + n, sizeof(line) - n, " BODY=8BITMIME");
	if (f->txn->utf8)
		n += (size_t)snprintf(line + n, sizeof(line) - n, " SMTPUTF8");
	if (s->require_tls)
		n += (size_t)snprintf(line + n, sizeof(line) - n, " REQUIRETLS");
	f->txn->dsn = s->ehlo.can & EHLO_DSN;
	if (f->txn->dsn)
		n += ask_mail(line + n, sizeof(line) - n, f->txn);
	line[n++] = '\r';
	line[n++] = '\n';
	session_command(s, line, n);
	f->behind = f != flight_at(s, 0);
	f->next = S_RCPT;
}

void session_say_rcpt(struct session *s, struct flight *f)
{
	char line[COMMAND_MAX];
	const struct txn_rcpt *to = &f->txn->rcpts[f->next_rcpt];
	size_t n = put_path(line, "RCPT TO:<", to->address);

	if (f->txn->dsn)
		n += ask_rcpt(line + n, sizeof(line) - n, to);
	line[n++] = '\r';
	line[n++] = '\n';
	session_command(s, line, n);
	session_say_expect(s, S_RCPT, f, f->next_rcpt++);
	if (f->next_rcpt == f->txn->n_rcpts)
		f->next = (uint8_t)chunk_first(s, f);
}

void session_say_data(struct session *s, struct flight *f)
{
	session_command(s, "DATA\r\n", 6);
	f->next = S_MAX; /* until the answer says how to go on */
}

/* The only copy of a message's bytes: from the message into the conn's output. */
static void stuff_from(struct session *s, struct flight *f, struct slice from)
{
	size_t room, used, n;
	char *p = conn_out(s->conn, &room);

	if (room < STUFF_ROOM_MIN) {
		char few[STUFF_ROOM_MIN];

		n = stuff_copy(&s->stuff, few, sizeof(few), slice_of(from.p, 1), &used);
		session_put(s, few, n);
	} else {
		n = stuff_copy(&s->stuff, p, room, from, &used);
		conn_out_grow(s->conn, n);
		s->queued += (uint32_t)n;
	}
	f->off += used;
}

struct slice session_body_rest(const struct flight *f)
{
	const struct txn *t = f->txn;

	if (f->off < t->head.n)
		return slice_of(t->head.p + f->off, t->head.n - f->off);
	return slice_of(t->message.p + (f->off - t->head.n), t->message.n - (f->off - t->head.n));
}

void session_body_said(struct session *s, struct flight *f, bool sent)
{
	uint64_t size = sent ? txn_size(f->txn) : 0;

	session_note(s, TRANSCRIPT_BODY, slice_of((const char *)&size, sizeof(size)));
	f->txn->sent_data = sent;
	f->next = S_MAX;
	ring_at(s, s->ring_count - 1U)->left_at = s->queued;
	if (s->ring_count == 1)
		session_arm(s);
}

static void put_dot(struct session *s, struct flight *f)
{
	char end[STUFF_END_MAX];

	session_put(s, end, stuff_end(&s->stuff, end));
	session_body_said(s, f, f->accepted > 0);
}

/* Goes on from where the conn had no more room.  Without an accepted recipient, a dot alone answers
 * the 354 (RFC 2920 section 3.1). */
void session_say_body(struct session *s, struct flight *f)
{
	size_t size = f->txn->head.n + f->txn->message.n;

	if (!f->accepted)
		f->off = size;
	while (f->off < size) {
		if (!conn_room(s->conn))
			return;
		stuff_from(s, f, session_body_rest(f));
	}
	put_dot(s, f);
}

/* ---- how far it may go ------------------------------------------------------------------- */

/* A message that the host cannot take is not tried (session.h lists which). */
static bool refuse_unsent(struct session *s, struct flight *f)
{
	struct verdict v;

	if (s->ehlo.size_max && txn_size(f->txn) > s->ehlo.size_max)
		verdict_set(&v, VERDICT_BOUNCED, STATUS(5, 3, 4), false,
			    "the message has %llu bytes, the host takes %llu",
			    (unsigned long long)txn_size(f->txn),
			    (unsigned long long)s->ehlo.size_max);
	else if (f->txn->utf8 && !(s->ehlo.can & EHLO_SMTPUTF8))
		verdict_set(&v, VERDICT_BOUNCED, STATUS(5, 6, 7), false,
			    "the host does not offer SMTPUTF8");
	else if (f->txn->body_8bit && !(s->ehlo.can & EHLO_8BITMIME))
		verdict_set(&v, VERDICT_BOUNCED, STATUS(5, 6, 1), false,
			    "the host does not offer 8BITMIME");
	else
		return false;
	flight_judge(f, &v);
	f->next = S_MAX;
	loop_at_turn_end(s->loop, &s->turn); /* where it is given back */
	return true;
}

static bool has_room(const struct session *s)
{
	bool lock_step = !(s->ehlo.can & EHLO_PIPELINING);

	return s->ring_count < (lock_step ? 1 : RING) && conn_room(s->conn) >= COMMAND_MAX;
}

/* A chunk that is refused may leave its transaction open (RFC 3030 section 2), and then the next
 * one's recipients would join it.  Whether it is refused is not known yet. */
static bool is_behind_a_chunk(struct session *s)
{
	return s->ring_count && ring_at(s, s->ring_count - 1U)->step == S_LAST;
}

/* False when the txn can go no further now. */
static bool say_one(struct session *s, struct flight *f)
{
	if (f->next == S_MAX)
		return false;
	if (step_is_body(f->next)) {
		session_steps[f->next].say(s, f);
		return f->next == S_MAX;
	}
	if (!has_room(s) || (f->next == S_BDAT && !chunk_may_go(s, f)))
		return false;
	if (f->next == S_MAIL && refuse_unsent(s, f))
		return false;
	if (f->next == S_MAIL && (s->need_rset || is_behind_a_chunk(s)))
		session_say(s, S_RSET, NULL);
	else
		session_say(s, (enum step_id)f->next, f);
	return true;
}

/* The younger txn may follow once the older has nothing left to say: the reply to its DATA is here,
 * and its message, if it has one to send, has been said up to the dot. */
static bool may_follow(const struct session *s, const struct flight *older)
{
	if (older->next != S_MAX || flight_body_open(s))
		return false;
	for (unsigned i = 0; i < s->ring_count; i++) {
		const struct session_expect *e = &s->ring[(s->ring_head + i) & (RING - 1)];

		if (e->flight == older - s->flights && !step_is_body(e->step))
			return false;
	}
	return true;
}

void session_say_more(struct session *s)
{
	struct flight *older = flight_at(s, 0), *younger = flight_at(s, 1);

	if (s->life != SESSION_READY && s->life != SESSION_QUITTING)
		return;
	while (older && say_one(s, older))
		;
	while (younger && may_follow(s, older) && say_one(s, younger))
		;
	if (s->life == SESSION_QUITTING && !s->n_flights && !s->ring_count)
		session_say(s, S_QUIT, NULL);
}
