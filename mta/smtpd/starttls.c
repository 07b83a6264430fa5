/* STARTTLS (RFC 3207), from the command to the handshake. */
#include "base/log.h"
#include "mta/smtpd/session.h"

/* RFC 3207 section 4.2: bytes that came in the clear after STARTTLS are not commands. */
static void end_early(struct smtpd_session *s)
{
	char event[SMTPD_EVENT_MAX];

	log_warn(smtpd_server_event(s->on, "early-input", event),
		 kv_int("bytes", conn_input(s->conn).n));
	smtpd_session_end(s);
}

/* The reply must leave before the first byte of the handshake. */
static void begin_tls(struct turn_end *t)
{
	struct smtpd_session *s = container_of(t, struct smtpd_session, turn);
	size_t discarded;

	if (s->life != SMTPD_STARTTLS)
		return;
	if (conn_unsent(s->conn))
		loop_at_turn_end(s->on->loop, t);
	else if (conn_input(s->conn).n)
		end_early(s);
	else if (conn_start_tls(s->conn, s->on->tls, NULL, NULL, &discarded) < 0)
		smtpd_session_end(s);
}

void smtpd_session_starttls(struct smtpd_session *s)
{
	if (!s->on->tls || conn_is_tls(s->conn)) {
		smtpd_session_refuse(s, SLICE("502 5.5.1 STARTTLS is not offered\r\n"));
		return;
	}
	if (!list_empty(&s->waiting)) {
		smtpd_session_say(s,
				  SLICE("454 4.7.0 wait for all replies, then send STARTTLS\r\n"));
		return;
	}
	smtpd_session_say(s, SLICE("220 2.0.0 go ahead\r\n"));
	smtpd_session_become(s, SMTPD_STARTTLS);
	s->turn.run = begin_tls;
	loop_at_turn_end(s->on->loop, &s->turn);
}
