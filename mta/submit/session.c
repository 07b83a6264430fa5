/* A session: bytes in, commands and messages out, replies in order. */
#include "mta/submit/session.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/log.h"
#include "mta/submit/command.h"

const struct mta_config *smtpd_session_config(const struct submit_session *s)
{
	return engine_config(s->on->engine);
}

/* ---- saying ------------------------------------------------------------------------------ */

void smtpd_session_say(struct submit_session *s, struct slice text)
{
	struct acceptance *last;

	if (s->phase == PHASE_GONE)
		return;
	if (list_empty(&s->waiting)) {
		(void)!conn_write(s->conn, text); /* a broken conn tells of itself */
		return;
	}
	last = container_of(s->waiting.prev, struct acceptance, link);
	buf_put(&last->after, text);
	s->behind += text.n;
}

void smtpd_session_sayf(struct submit_session *s, const char *format, ...)
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

void smtpd_session_bye(struct submit_session *s, struct slice text)
{
	if (s->phase == PHASE_GONE || s->phase == PHASE_ENDING)
		return;
	smtpd_session_say(s, text);
	s->phase = PHASE_ENDING;
	if (list_empty(&s->waiting))
		smtpd_session_end(s);
}

/* ---- waiting for the disk ---------------------------------------------------------------- */

static void set_patience(struct submit_session *s)
{
	int64_t patience = smtpd_session_config(s)->submission_timeout, rest;

	if (s->phase == PHASE_DATA) {
		rest = patience + (int64_t)buf_len(&s->message) * 1000 / SUBMIT_SLOWEST -
		       (timers_now(lane_loop(s->on->lane)->timers) - s->data_ms);
		patience = MAX_OF(MIN_OF(patience, rest), 1);
	}
	timer_set(lane_loop(s->on->lane)->timers, &s->timer, patience);
}

static bool may_go_on(struct submit_session *s)
{
	return s->n_waiting < SUBMIT_WAITING_MAX && s->behind < SUBMIT_BEHIND_MAX &&
	       conn_room(s->conn) > 0;
}

static void session_run(struct submit_session *s);

static void say_accepted(struct submit_session *s, const struct acceptance *a)
{
	char id[ID_TEXT_MAX], line[128];
	int n;

	if (a->state == ACCEPT_SAFE)
		n = snprintf(line, sizeof(line), "250 2.0.0 queued as %s\r\n",
			     id_format(a->id, id));
	else
		n = snprintf(line, sizeof(line),
			     "451 4.3.0 the disk has failed, try again later\r\n");
	(void)!conn_write(s->conn, slice_of(line, (size_t)n));
	(void)!conn_write(s->conn, buf_data(&a->after));
}

static void say_what_is_safe(struct submit_session *s)
{
	struct acceptance *a;

	while ((a = list_first(&s->waiting, struct acceptance, link)) && a->state != ACCEPT_WAITS) {
		say_accepted(s, a);
		s->n_waiting--;
		s->behind -= buf_len(&a->after);
		smtpd_session_free_acceptance(a);
	}
}

static void on_durable(struct durable_wait *w, int err)
{
	struct acceptance *a = container_of(w, struct acceptance, wait);
	struct submit_session *s = a->session;

	a->state = err < 0 ? ACCEPT_LOST : ACCEPT_SAFE;
	if (err == 0)
		engine_job_added(a->on->engine, a->job);
	if (!s) {
		smtpd_session_free_acceptance(a);
		return;
	}
	say_what_is_safe(s);
	if (s->phase == PHASE_ENDING && list_empty(&s->waiting))
		smtpd_session_end(s);
	else if (s->phase != PHASE_GONE)
		session_run(s);
}

void smtpd_session_accept(struct submit_session *s, job_no job, lsn_t lsn)
{
	struct list *spare = list_pop(&s->on->spare);
	struct acceptance *a =
	    spare ? container_of(spare, struct acceptance, link) : must_alloc(sizeof(*a));

	a->on = s->on;
	a->session = s;
	a->job = job;
	a->id = s->id;
	a->state = ACCEPT_WAITS;
	list_push(&s->waiting, &a->link);
	s->n_waiting++;
	durable_wait_init(&a->wait, on_durable);
	lane_wait_durable(s->on->lane, &a->wait, lsn);
}

void smtpd_session_free_acceptance(struct acceptance *a)
{
	list_remove(&a->link);
	buf_clear(&a->after);
	list_push_front(&a->on->spare, &a->link);
}

/* ---- hearing ----------------------------------------------------------------------------- */

static bool hear_line(struct submit_session *s)
{
	struct slice line;
	size_t used;
	int r = command_line(conn_input(s->conn), &line, &used);

	if (r == 0)
		return false;
	if (s->phase == PHASE_SKIP) { /* the rest of a line that was too long */
		s->phase = r == E_LIMIT ? PHASE_SKIP : PHASE_COMMAND;
	} else if (r == E_LIMIT) {
		smtpd_session_say(s, SLICE("500 5.5.2 line too long\r\n"));
		s->phase = PHASE_SKIP;
	} else if (r < 0) {
		smtpd_session_say(
		    s, SLICE("500 5.5.2 lines end in CRLF and hold no CR, LF or NUL\r\n"));
	} else {
		smtpd_session_command(s, line);
	}
	if (s->phase == PHASE_GONE)
		return false;
	conn_consume(s->conn, used);
	return true;
}

static void charge(struct submit_session *s)
{
	s->on->held += s->message.cap - s->charged;
	s->charged = s->message.cap;
	if (s->on->held > SUBMIT_HELD_MAX && !s->body.overflow) {
		s->no_room = true;
		s->body.overflow = true;
	}
}

static bool hear_body(struct submit_session *s)
{
	struct slice in = conn_input(s->conn);
	size_t used;

	if (!in.n)
		return false;
	used = body_feed(&s->body, in, &s->message);
	conn_consume(s->conn, used);
	charge(s);
	if (s->body.done) {
		s->phase = PHASE_COMMAND;
		message_end(s);
	}
	return s->phase != PHASE_GONE;
}

static bool hear_some(struct submit_session *s)
{
	switch (s->phase) {
	case PHASE_COMMAND:
	case PHASE_SKIP:
		return hear_line(s);
	case PHASE_DATA:
		return hear_body(s);
	case PHASE_ENDING:
		conn_consume(s->conn, conn_input(s->conn).n);
		return false;
	case PHASE_STARTTLS:
	case PHASE_GONE:
		return false;
	}
	return false;
}

static void session_run(struct submit_session *s)
{
	bool heard = false;

	if (s->in_turn)
		return;
	s->in_turn = true;
	while (may_go_on(s) && hear_some(s))
		heard = true;
	s->in_turn = false;
	if (s->phase == PHASE_GONE)
		return;
	if (conn_eof(s->conn) && may_go_on(s)) {
		smtpd_session_end(s); /* what waits for the disk goes on without it */
		return;
	}
	if (s->n_waiting)
		timer_stop(lane_loop(s->on->lane)->timers, &s->timer);
	else if (heard || !timer_running(&s->timer)) /* a byte now and then is no command */
		set_patience(s);
}

static void on_conn(struct conn_user *u, enum conn_event e, int err)
{
	struct submit_session *s = container_of(u, struct submit_session, user);

	if (e == CONN_FAILED) {
		log_debug("submit.lost", kv_err("reason", err));
		smtpd_session_end(s);
		return;
	}
	if (e == CONN_TLS_DONE) {
		set_patience(s);
		atomic_fetch_add_explicit(&s->on->stats.tls, 1, memory_order_relaxed);
		s->phase = PHASE_COMMAND;
	}
	session_run(s);
}

static void on_timeout(struct timer *t)
{
	struct submit_session *s = container_of(t, struct submit_session, timer);

	smtpd_session_bye(s, SLICE("421 4.4.2 timeout, closing the connection\r\n"));
}

/* ---- life -------------------------------------------------------------------------------- */

void smtpd_session_reset(struct submit_session *s)
{
	s->has_from = s->utf8 = s->no_room = false;
	s->n_rcpts = 0;
	buf_clear(&s->rows);
	buf_shrink(&s->message, SUBMIT_BUFFER_KEEP);
	s->on->held -= s->charged;
	s->charged = 0;
}

static void reap(struct turn_end *t)
{
	struct submit_session *s = container_of(t, struct submit_session, turn);

	buf_free(&s->rows);
	buf_free(&s->message);
	free(s);
}

void smtpd_session_begin(struct submit_lane *on, struct conn *c, struct submit_session *s)
{
	s->on = on;
	s->conn = c;
	s->peer = conn_peer_ip(c);
	list_init(&s->waiting);
	list_init(&s->turn.link);
	timer_init(&s->timer, on_timeout);
	s->user.event = on_conn;
	list_push(&on->sessions, &s->link);
	atomic_fetch_add_explicit(&on->stats.sessions, 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&on->stats.sessions_open, 1, memory_order_relaxed);
	smtpd_session_sayf(s, "220 %.253s ESMTP Postern\r\n", smtpd_session_config(s)->hostname);
	set_patience(s);
}

void smtpd_session_end(struct submit_session *s)
{
	struct acceptance *a;

	if (s->phase == PHASE_GONE)
		return;
	list_each(&s->waiting, a, struct acceptance, link) {
		list_remove(&a->link);
		a->session = NULL;
		list_push(&s->on->acceptances, &a->link);
	}
	smtpd_session_reset(s);
	s->phase = PHASE_GONE;
	timer_stop(lane_loop(s->on->lane)->timers, &s->timer);
	conn_free(s->conn);
	list_remove(&s->link);
	clients_leave(&s->peer);
	atomic_fetch_sub_explicit(&s->on->stats.sessions_open, 1, memory_order_relaxed);
	list_remove(&s->turn.link);
	s->turn.run = reap;
	loop_at_turn_end(lane_loop(s->on->lane), &s->turn);
}
