/* A session: bytes in, commands and messages out, replies in order; and its life. */
#include "mta/smtpd/session.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/log.h"

/* ---- its life ---------------------------------------------------------------------------- */

#define TO(life) (1U << SMTPD_##life)
/* clang-format off */
static const unsigned moves[SMTPD_LIVES] = {
	[SMTPD_STRANGER] = TO(IDLE) | TO(STARTTLS) | TO(CHUNK) | TO(ENDING) | TO(GONE),
	[SMTPD_IDLE]     = TO(IDLE) | TO(MAIL) | TO(STARTTLS) | TO(AUTH) | TO(CHECK) | TO(CHUNK) | TO(ENDING) | TO(GONE),
	[SMTPD_MAIL]     = TO(IDLE) | TO(BODY) | TO(CHUNK) | TO(ENDING) | TO(GONE),
	[SMTPD_CHUNK]    = TO(STRANGER) | TO(IDLE) | TO(MAIL) | TO(CHUNKS) | TO(ENDING) | TO(GONE),
	[SMTPD_CHUNKS]   = TO(IDLE) | TO(CHUNK) | TO(ENDING) | TO(GONE),
	[SMTPD_BODY]     = TO(IDLE) | TO(ENDING) | TO(GONE),
	[SMTPD_STARTTLS] = TO(STRANGER) | TO(ENDING) | TO(GONE),
	[SMTPD_AUTH]     = TO(IDLE) | TO(CHECK) | TO(ENDING) | TO(GONE),
	[SMTPD_CHECK]    = TO(IDLE) | TO(ENDING) | TO(GONE),
	[SMTPD_ENDING]   = TO(GONE),
	[SMTPD_GONE]     = 0,
};
/* clang-format on */

/* Forgets what was said and sent of a message, whether it was accepted or not. */
static void forget_mail(struct smtpd_session *s)
{
	s->mail.n_rcpts = 0;
	buf_clear(&s->mail.rcpts);
	buf_shrink(&s->mail.message, SMTPD_BUFFER_KEEP);
	s->on->held -= s->charged;
	s->charged = 0;
}

void smtpd_session_become(struct smtpd_session *s, enum smtpd_life life)
{
	bool had_mail = smtpd_session_has_mail(s);

	assert(moves[s->life] & 1U << life);
	s->life = life;
	if (had_mail && !smtpd_session_has_mail(s))
		forget_mail(s);
}

/* ---- saying ------------------------------------------------------------------------------ */

void smtpd_session_say(struct smtpd_session *s, struct slice text)
{
	struct smtpd_acceptance *last;

	if (s->life == SMTPD_GONE)
		return;
	if (list_empty(&s->waiting)) {
		(void)!conn_write(s->conn, text); /* a broken conn tells of itself */
		return;
	}
	last = container_of(s->waiting.prev, struct smtpd_acceptance, link);
	buf_put(&last->after, text);
	s->behind += text.n;
}

void smtpd_session_sayf(struct smtpd_session *s, const char *format, ...)
{
	char line[1024];
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(line, sizeof(line), format, ap);
	va_end(ap);
	assert(n > 0 && (size_t)n < sizeof(line));
	smtpd_session_say(s, slice_of(line, (size_t)n));
}

void smtpd_session_bye(struct smtpd_session *s, struct slice text)
{
	if (s->life >= SMTPD_ENDING)
		return;
	smtpd_session_say(s, text);
	smtpd_session_become(s, SMTPD_ENDING);
	if (list_empty(&s->waiting))
		smtpd_session_end(s);
}

/* How bad is a command that is answered so?  What a service says about a recipient or a sender
 * (550) is no fault of the command, and neither is what may be better later (4xx). */
static unsigned fault_of(struct slice reply)
{
	if (slice_starts_nocase(reply, SLICE("50")))
		return SMTPD_FAULT;
	return slice_starts_nocase(reply, SLICE("553")) ||
	       slice_starts_nocase(reply, SLICE("554")) || slice_starts_nocase(reply, SLICE("555"));
}

void smtpd_session_refuse(struct smtpd_session *s, struct slice text)
{
	if (s->life != SMTPD_BODY && s->life != SMTPD_CHUNK)
		s->fault = (uint8_t)MIN_OF(s->fault + fault_of(text), (unsigned)UINT8_MAX);
	if (s->fault >= SMTPD_FAULTS_MAX * SMTPD_FAULT)
		text = SLICE("421 4.7.0 too many bad commands, closing the connection\r\n");
	if (slice_starts_nocase(text, SLICE("421")))
		smtpd_session_bye(s, text);
	else
		smtpd_session_say(s, text);
}

/* ---- hearing ----------------------------------------------------------------------------- */

static void set_patience(struct smtpd_session *s)
{
	int64_t patience = smtpd_session_settings(s)->timeout, rest;

	if (s->life == SMTPD_BODY || s->life == SMTPD_CHUNK) {
		rest = patience + (int64_t)buf_len(&s->mail.message) * 1000 / SMTPD_SLOWEST -
		       (timers_now(s->on->loop->timers) - s->body_ms);
		patience = MAX_OF(MIN_OF(patience, rest), 1);
	}
	timer_set(s->on->loop->timers, &s->timer, patience);
}

static bool may_go_on(struct smtpd_session *s)
{
	return s->n_waiting < SMTPD_WAITING_MAX && s->behind < SMTPD_BEHIND_MAX &&
	       conn_room(s->conn) > 0;
}

/* A line that is no line also ends an exchange of AUTH. */
static void hear_bad_line(struct smtpd_session *s, int err)
{
	s->skipping = err == E_LIMIT;
	if (s->life == SMTPD_AUTH)
		smtpd_session_become(s, SMTPD_IDLE);
	if (err == E_LIMIT)
		smtpd_session_refuse(s, SLICE("500 5.5.2 line too long\r\n"));
	else
		smtpd_session_refuse(
		    s, SLICE("500 5.5.2 a line ends in CRLF and holds no other CR, LF or NUL\r\n"));
}

static bool hear_line(struct smtpd_session *s)
{
	struct slice line;
	size_t used;
	int r = smtpd_command_line(conn_input(s->conn), &line, &used);

	if (r == 0)
		return false;
	if (s->skipping)
		s->skipping = r == E_LIMIT;
	else if (r < 0)
		hear_bad_line(s, r);
	else if (s->life == SMTPD_AUTH)
		smtpd_session_auth_line(s, line);
	else
		smtpd_session_command(s, line);
	if (s->life == SMTPD_GONE)
		return false;
	conn_consume(s->conn, used);
	return true;
}

static bool hear_some(struct smtpd_session *s)
{
	switch (s->life) {
	case SMTPD_STRANGER:
	case SMTPD_IDLE:
	case SMTPD_MAIL:
	case SMTPD_AUTH:
	case SMTPD_CHUNKS:
		return hear_line(s);
	case SMTPD_BODY:
		return smtpd_session_hear_body(s);
	case SMTPD_CHUNK:
		return smtpd_session_hear_chunk(s);
	case SMTPD_ENDING:
		conn_consume(s->conn, conn_input(s->conn).n);
		return false;
	case SMTPD_STARTTLS:
	case SMTPD_CHECK:
	case SMTPD_GONE:
	case SMTPD_LIVES:
		return false;
	}
	return false;
}

void smtpd_session_run(struct smtpd_session *s)
{
	bool heard = false;

	if (s->in_run)
		return;
	s->in_run = true;
	while (may_go_on(s) && hear_some(s))
		heard = true;
	s->in_run = false;
	if (s->life == SMTPD_GONE)
		return;
	if (conn_eof(s->conn) && may_go_on(s)) {
		smtpd_session_end(s); /* messages that wait for the disk go on */
		return;
	}
	if (s->n_waiting)
		timer_stop(s->on->loop->timers, &s->timer);
	else if (heard || !timer_running(&s->timer)) /* a byte now and then is not a command */
		set_patience(s);
}

static void greet(struct smtpd_session *s)
{
	if (s->greeted)
		return;
	s->greeted = true;
	smtpd_session_sayf(s, "220 %.253s ESMTP Postern\r\n", smtpd_session_settings(s)->hostname);
}

static void on_conn(struct conn_user *u, enum conn_event e, int err)
{
	struct smtpd_session *s = container_of(u, struct smtpd_session, user);
	char event[SMTPD_EVENT_MAX];

	if (e == CONN_FAILED) {
		log_debug(smtpd_server_event(s->on, "lost", event), kv_err("reason", err));
		smtpd_session_end(s);
		return;
	}
	if (e == CONN_TLS_DONE) {
		set_patience(s);
		count_add(&smtpd_session_counters(s)->tls, 1);
		smtpd_session_become(s, SMTPD_STRANGER);
		greet(s);
	}
	smtpd_session_run(s);
}

static void on_timeout(struct timer *t)
{
	struct smtpd_session *s = container_of(t, struct smtpd_session, timer);

	smtpd_session_bye(s, SLICE("421 4.4.2 timeout, closing the connection\r\n"));
}

/* ---- its begin and its end --------------------------------------------------------------- */

static void reap(struct turn_end *t)
{
	struct smtpd_session *s = container_of(t, struct smtpd_session, turn);

	buf_free(&s->mail.rcpts);
	buf_free(&s->mail.message);
	free(s);
}

void smtpd_session_begin(struct smtpd_session *s, const struct ip *client, bool tls)
{
	struct smtpd_server *on = s->on;
	size_t none;

	s->peer = *client;
	list_init(&s->waiting);
	list_init(&s->turn.link);
	timer_init(&s->timer, on_timeout);
	s->user.event = on_conn;
	list_push(&on->sessions, &s->link);
	count_add(&on->with.counters->sessions, 1);
	count_add(&on->with.counters->sessions_open, 1);
	set_patience(s);
	if (!tls) {
		greet(s);
		return;
	}
	smtpd_session_become(s, SMTPD_STARTTLS);
	if (conn_start_tls(s->conn, on->tls, NULL, NULL, &none) < 0)
		smtpd_session_end(s);
}

void smtpd_session_end(struct smtpd_session *s)
{
	struct smtpd_acceptance *a;

	if (s->life == SMTPD_GONE)
		return;
	list_each(&s->waiting, a, struct smtpd_acceptance, link) {
		list_remove(&a->link);
		a->session = NULL;
		list_push(&s->on->acceptances, &a->link);
	}
	smtpd_session_become(s, SMTPD_GONE);
	if (smtpd_session_service(s)->ended)
		smtpd_session_service(s)->ended(s->on->with.state, s);
	timer_stop(s->on->loop->timers, &s->timer);
	/* Before the client can see the end, so that its next connection finds the place free. */
	smtpd_clients_leave(smtpd_session_service(s)->clients, &s->peer);
	count_sub(&smtpd_session_counters(s)->sessions_open, 1);
	conn_free(s->conn);
	list_remove(&s->link);
	list_remove(&s->turn.link);
	s->turn.run = reap;
	loop_at_turn_end(s->on->loop, &s->turn);
}

/* ---- what its service asks --------------------------------------------------------------- */

struct smtpd_mail *smtpd_session_mail(struct smtpd_session *s)
{
	return &s->mail;
}

const struct ip *smtpd_session_peer(const struct smtpd_session *s)
{
	return &s->peer;
}

struct slice smtpd_session_helo(const struct smtpd_session *s)
{
	return slice_of(s->helo, s->helo_n);
}

bool smtpd_session_esmtp(const struct smtpd_session *s)
{
	return s->esmtp;
}

bool smtpd_session_is_tls(const struct smtpd_session *s)
{
	return conn_is_tls(s->conn);
}

struct conn *smtpd_session_conn(struct smtpd_session *s)
{
	return s->conn;
}

void *smtpd_session_own(struct smtpd_session *s)
{
	return s->own;
}
