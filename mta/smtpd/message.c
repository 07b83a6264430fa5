/* A message on its way in: from DATA to the service's answer. */
#include "mta/smtpd/session.h"

void smtpd_session_begin_message(struct smtpd_session *s, enum smtpd_life life)
{
	struct smtpd_mail *m = &s->mail;

	smtpd_session_become(s, life);
	s->body_ms = timers_now(s->on->loop->timers);
	buf_clear(&m->message);
	m->message.max = (size_t)smtpd_session_settings(s)->max_size + SMTPD_OWN_MAX;
	smtpd_body_begin(&s->body);
	smtpd_body_failed(&s->body, smtpd_session_service(s)->begin(s->on->with.state, s));
	m->own_n = buf_len(&m->message);
}

void smtpd_session_begin_body(struct smtpd_session *s)
{
	smtpd_session_begin_message(s, SMTPD_BODY);
}

/* The server's bound on what all its messages hold while they come in. */
void smtpd_session_charge(struct smtpd_session *s)
{
	s->on->held += s->mail.message.cap - s->charged;
	s->charged = s->mail.message.cap;
	if (s->on->held > SMTPD_HELD_MAX && !s->body.overflow)
		s->body.no_memory = true;
}

struct slice smtpd_session_no_room(const struct smtpd_session *s)
{
	if (s->body.no_memory)
		return SLICE("452 4.3.1 too much mail is coming in, try again later\r\n");
	if (s->body.overflow)
		return SLICE("552 5.3.4 message too big\r\n");
	return SMTPD_GO_ON;
}

static struct slice fault_of_body(const struct smtpd_session *s)
{
	int64_t max_line = smtpd_session_settings(s)->max_line;
	struct slice no_room = smtpd_session_no_room(s);

	if (s->body.nul)
		return SLICE("554 5.6.0 the message has a NUL byte\r\n");
	if (no_room.n)
		return no_room;
	if (s->body.lone) /* after DATA it has ended the session already */
		return SLICE("554 5.6.0 the message has a CR or LF that is not part of a CRLF\r\n");
	if (max_line && s->body.longest > (size_t)max_line)
		return SLICE("554 5.6.0 the message has a line that is too long (RFC 5322)\r\n");
	return SMTPD_GO_ON;
}

/* Whoever sends such a line may disagree with us about where the message ends, so nothing that it
 * says afterwards is taken for a command (as Postfix has it with smtpd_forbid_bare_newline). */
static void end_lone(struct smtpd_session *s)
{
	count_add(&smtpd_session_counters(s)->refused, 1);
	smtpd_session_bye(s,
			  SLICE("554 5.6.0 the message has a CR or LF that is not part of a CRLF; "
				"closing the connection\r\n"));
}

static void count_taken(struct smtpd_session *s)
{
	struct smtpd_counters *c = smtpd_session_counters(s);

	count_add(&c->messages, 1);
	count_add(&c->recipients, s->mail.n_rcpts);
	count_add(&c->bytes, buf_len(&s->mail.message));
}

void smtpd_session_end_body(struct smtpd_session *s)
{
	struct smtpd_taken taken = { 0 };
	struct slice refusal = fault_of_body(s);

	if (!refusal.n)
		refusal = smtpd_session_service(s)->message(s->on->with.state, s, &taken);
	if (refusal.n) {
		count_add(&smtpd_session_counters(s)->refused, 1);
		smtpd_session_refuse(s, refusal);
	} else {
		count_taken(s);
		smtpd_session_accept(s, &taken);
	}
	if (s->life == SMTPD_BODY || s->life == SMTPD_CHUNK)
		smtpd_session_become(s, SMTPD_IDLE);
}

bool smtpd_session_hear_body(struct smtpd_session *s)
{
	struct slice in = conn_input(s->conn);
	size_t used;

	if (!in.n)
		return false;
	used = smtpd_body_feed(&s->body, in, &s->mail.message);
	conn_consume(s->conn, used);
	smtpd_session_charge(s);
	if (s->body.done && s->body.lone)
		end_lone(s);
	else if (s->body.done)
		smtpd_session_end_body(s);
	return s->life != SMTPD_GONE;
}
