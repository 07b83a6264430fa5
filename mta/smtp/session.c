/* The session: its steps, its life, how it ends, and what the loop tells it. */
#include "mta/smtp/session_int.h"

#define LIMIT(member) offsetof(struct smtp_timeouts, member)
#define FOR "waiting for the "
#define SAY(step) session_say_##step
#define HEAR(step) session_hear_##step

/* Read down the rows and you have read the session.  Within one transaction steps only go down; the
 * next message re-enters at MAIL. */
/* clang-format off */
const struct session_step session_steps[S_MAX] = {
	[S_CONNECT]   = { "connecting",            LIMIT(connect),  NULL,          NULL           },
	[S_PROXY]     = { "talking to the proxy",  LIMIT(connect),  NULL,          NULL           },
	[S_GREETING]  = { FOR "greeting",          LIMIT(greeting), NULL,          HEAR(greeting) },
	[S_EHLO]      = { FOR "EHLO reply",        LIMIT(ehlo),     SAY(ehlo),     HEAR(ehlo)     },
	[S_HELO]      = { FOR "HELO reply",        LIMIT(ehlo),     SAY(helo),     HEAR(helo)     },
	[S_STARTTLS]  = { FOR "STARTTLS reply",    LIMIT(starttls), SAY(starttls), HEAR(starttls) },
	[S_HANDSHAKE] = { "in the TLS handshake",  LIMIT(starttls), NULL,          NULL           },
	[S_EHLO_TLS]  = { FOR "EHLO reply in TLS", LIMIT(ehlo),     SAY(ehlo),     HEAR(ehlo)     },
	[S_AUTH]      = { FOR "AUTH reply",        LIMIT(ehlo),     SAY(auth),     HEAR(auth)     },
	[S_MAIL]      = { FOR "MAIL reply",        LIMIT(mail),     SAY(mail),     HEAR(mail)     },
	[S_RCPT]      = { FOR "RCPT reply",        LIMIT(rcpt),     SAY(rcpt),     HEAR(rcpt)     },
	[S_DATA]      = { FOR "DATA reply",        LIMIT(data),     SAY(data),     HEAR(data)     },
	[S_DOT]       = { FOR "final reply",       LIMIT(dot),      SAY(body),     HEAR(dot)      },
	[S_ASK]       = { FOR "BDAT reply",        LIMIT(data),     SAY(ask),      HEAR(ask)      },
	[S_BDAT]      = { "before the message",    LIMIT(data),     SAY(bdat),     NULL           },
	[S_LAST]      = { FOR "final reply",       LIMIT(dot),      SAY(chunk),    HEAR(last)     },
	[S_RSET]      = { FOR "RSET reply",        LIMIT(rset),     SAY(rset),     HEAR(rset)     },
	[S_QUIT]      = { FOR "QUIT reply",        LIMIT(quit),     SAY(quit),     HEAR(quit)     },
	[S_IDLE]      = { "idle",                  LIMIT(quit),     NULL,          NULL           },
};
/* clang-format on */

/* Where a life may go on from each part of it (session_int.h has a sentence for each). */
#define TO(life) (1U << SESSION_##life)
/* clang-format off */
static const unsigned moves[] = {
	[SESSION_OPENING]  = TO(READY) | TO(OVER) | TO(FREED),
	[SESSION_READY]    = TO(QUITTING) | TO(OVER) | TO(FREED),
	[SESSION_QUITTING] = TO(OVER) | TO(FREED),
	[SESSION_OVER]     = TO(TOLD) | TO(FREED),
	[SESSION_TOLD]     = TO(FREED),
	[SESSION_FREED]    = 0,
};
/* clang-format on */

void session_become(struct session *s, enum session_life life)
{
	assert(moves[s->life] & 1U << life);
	s->life = life;
	if (life == SESSION_READY)
		s->lone = S_IDLE;
	if (life >= SESSION_OVER)
		timer_stop(s->loop->timers, &s->timer);
}

/* The pace of a whole message, besides the limit of each block. */
enum { BODY_BYTES_PER_SECOND = 500 };

void smtp_timeouts_default(struct smtp_timeouts *t)
{
	const int64_t minute = 60 * 1000;

	*t = (struct smtp_timeouts){
		.connect = minute / 2,
		.greeting = 5 * minute,
		.ehlo = 5 * minute,
		.starttls = 2 * minute,
		.mail = 5 * minute,
		.rcpt = 5 * minute,
		.data = 2 * minute,
		.block = 3 * minute,
		.dot = 10 * minute,
		.rset = minute / 3,
		.quit = 5000,
	};
}

/* ---- how it ends ------------------------------------------------------------------------- */

static bool is_idle(const struct session *s)
{
	return s->life == SESSION_READY && s->n_flights == 0 && s->ring_count == 0;
}

/* The peer may close an idle connection: with nothing in hand, nothing is lost. */
static enum verdict_kind kind_of_end(const struct session *s)
{
	bool nothing_lost = s->life == SESSION_QUITTING ? s->n_flights == 0 : is_idle(s);

	return nothing_lost ? VERDICT_NONE : VERDICT_DEFERRED;
}

static struct status tls_status(const struct session *s)
{
	return s->require_tls ? STATUS(5, 7, 10) : STATUS(4, 7, 5);
}

static struct status status_of_err(const struct session *s, int err, enum step_id step)
{
	/* From STARTTLS to the first reply in TLS every failure is one of TLS.  If TLS was only
	 * offered, the caller may go on without it; otherwise every retry would fail alike. */
	if (err == E_TLS || step == S_STARTTLS || step == S_HANDSHAKE || step == S_EHLO_TLS)
		return err == E_TLS ? tls_status(s) : STATUS(4, 7, 5);
	if (err == E_SYNTAX || err == E_LIMIT)
		return STATUS(4, 5, 0);
	return step <= S_PROXY ? STATUS(4, 4, 1) : STATUS(4, 4, 2);
}

static enum step_id step_now(const struct session *s)
{
	return s->ring_count ? s->ring[s->ring_head].step : s->lone;
}

void session_fail(struct session *s, int err)
{
	if (s->life >= SESSION_OVER)
		return;
	session_through_failed(s, err);
	verdict_set(&s->end, kind_of_end(s), status_of_err(s, err, step_now(s)), true,
		    "%s while %s", err_text(err), session_doing(s));
	session_note(s, TRANSCRIPT_NOTE, verdict_text(&s->end));
	session_become(s, SESSION_OVER);
}

void session_fail_tls(struct session *s, const char *text)
{
	session_fail_text(s, tls_status(s), text);
}

/* TLS failed: why, when it was for the certificate. */
static void fail_tls(struct session *s, int err)
{
	struct tls_result t;

	conn_tls_result(s->conn, &t);
	if (err == E_TLS && t.fault != TLS_NO_FAULT && s->lone == S_HANDSHAKE &&
	    !s->tls_check->report_only) {
		verdict_set(&s->end, kind_of_end(s), tls_status(s), true,
			    "the certificate of %s is not valid: %s", s->tls_check->names[0],
			    t.reason);
		session_note(s, TRANSCRIPT_NOTE, verdict_text(&s->end));
		session_become(s, SESSION_OVER);
		return;
	}
	session_fail(s, err);
}

void session_fail_text(struct session *s, struct status status, const char *text)
{
	if (s->life >= SESSION_OVER)
		return;
	verdict_set(&s->end, kind_of_end(s), status, true, "%s while %s", text, session_doing(s));
	session_note(s, TRANSCRIPT_NOTE, verdict_text(&s->end));
	session_become(s, SESSION_OVER);
}

void session_fail_reply(struct session *s, const struct reply *re)
{
	if (s->life >= SESSION_OVER)
		return;
	reply_verdict(re, &s->end);
	/* What a host says about itself bounces no mail (RFC 5321 section 3.1). */
	s->end.kind = kind_of_end(s);
	s->end.status.class = 4;
	s->end.site = true;
	session_become(s, SESSION_OVER);
}

/* Guarantee: a session that ends before a message's dot has left never completes that message. */
static void drop_unsent(struct session *s)
{
	for (unsigned i = 0; i < s->ring_count; i++) {
		const struct session_expect *e = ring_at(s, i);

		if (step_is_body(e->step) && !has_left(s, e->left_at))
			s->flights[e->flight].txn->sent_data = false;
	}
	if (s->n_flights)
		conn_discard_output(s->conn);
}

static void tell_gone(struct session *s)
{
	session_become(s, SESSION_TOLD);
	drop_unsent(s);
	flight_give_back_all(s);
	if (s->life == SESSION_TOLD)
		s->user->gone(s->user, &s->end);
	/* Not earlier, so that gone() may still ask it for its last ticket. */
	if (s->life == SESSION_TOLD)
		s->conn = conn_free(s->conn);
}

/* Every event of the loop ends here: the user is told, and may call session_free(). */
static void wrap_up(struct session *s)
{
	if (s->life < SESSION_OVER)
		flight_give_back(s);
	if (s->owes_ready && session_can_take(s)) {
		s->owes_ready = false;
		s->user->ready(s->user);
	}
	session_say_more(s);
	if (s->life == SESSION_OVER)
		tell_gone(s);
}

/* ---- the loop's events ------------------------------------------------------------------- */

void session_arm(struct session *s)
{
	const struct session_step *step = &session_steps[step_now(s)];
	int64_t after;

	if (s->life >= SESSION_OVER)
		return;
	if (step == &session_steps[S_IDLE]) {
		timer_stop(s->loop->timers, &s->timer);
		return;
	}
	after = *(const int64_t *)(const void *)((const char *)&s->limit + step->limit);
	if (step_is_body(step_now(s)) && flight_body_open(s))
		after = MIN_OF(s->limit.block, s->body_deadline - timers_now(s->loop->timers));
	timer_set(s->loop->timers, &s->timer, MAX_OF(after, 0));
}

static void on_timer(struct timer *t)
{
	struct session *s = container_of(t, struct session, timer);

	s->timed_out = true;
	session_fail(s, E_TIMEOUT);
	wrap_up(s);
}

/* The bytes of the host follow. */
void session_arrive(struct session *s)
{
	if (s->tls_at_once)
		session_begin_tls(s);
	else
		session_say_expect(s, S_GREETING, NULL, 0);
}

static void on_event(struct conn_user *u, enum conn_event event, int err)
{
	struct session *s = container_of(u, struct session, conn_user);

	if (s->life >= SESSION_OVER)
		return;
	switch (event) {
	case CONN_OPEN:
		s->times.connect_ms = timers_now(s->loop->timers) - s->began_ms;
		session_note(s, TRANSCRIPT_NOTE, SLICE("connected"));
		if (s->to.proxy)
			session_through_begin(s);
		else
			session_arrive(s);
		break;
	case CONN_READABLE:
		if (s->lone == S_PROXY && !s->ring_count)
			session_through_hear(s);
		if (s->lone != S_PROXY || s->ring_count)
			session_hear_input(s);
		break;
	case CONN_WRITABLE:
		if (flight_body_open(s))
			session_arm(s);
		break;
	case CONN_TLS_DONE:
		s->times.tls_ms = timers_now(s->loop->timers) - s->tls_began_ms;
		s->tls_came = SESSION_TLS_DONE;
		session_note(s, TRANSCRIPT_NOTE, SLICE("in TLS"));
		if (s->tls_at_once)
			session_say_expect(s, S_GREETING, NULL, 0);
		else
			session_say(s, S_EHLO_TLS, NULL);
		break;
	case CONN_FAILED:
		fail_tls(s, err);
		break;
	}
	wrap_up(s);
}

static void at_turn_end(struct turn_end *t)
{
	wrap_up(container_of(t, struct session, turn));
}

/* ---- life -------------------------------------------------------------------------------- */

int session_new(struct session **ret, struct loop *l, const struct session_options *o,
		struct session_user *u)
{
	OWNED(session) s = NULL;
	struct conn_target hop;
	int r;

	if (!txn_name_ok(o->ehlo))
		return E_SYNTAX;
	s = must_alloc(sizeof(*s));
	s->loop = l;
	s->user = u;
	s->conn_user.event = on_event;
	s->lone = S_CONNECT;
	s->began_ms = s->transcript.began_ms = timers_now(l->timers);
	s->owes_ready = true;
	timer_init(&s->timer, on_timer);
	buf_init(&s->cut_bytes, 0);
	list_init(&s->turn.link);
	s->turn.run = at_turn_end;
	s->to = o->to;
	s->limit = o->timeouts;
	s->policy = o->tls;
	s->ignore = o->ignore;
	s->auth = o->auth && o->auth->mechanism != AUTH_NONE ? o->auth : NULL;
	s->tls_at_once = o->tls_at_once;
	s->require_tls = o->require_tls;
	s->pipelines = o->pipelines;
	s->knows_bdat = s->chunks = o->chunks;
	s->tls_context = o->tls_context;
	s->tls_resume = tls_session_ref(o->tls_resume);
	s->our_name = must_copy(slice_str(o->ehlo));
	s->mx_host = must_copy(slice_str(o->mx_host));
	s->any = (struct tls_check){ .names = { s->mx_host }, .n_names = 1 };
	s->tls_check = o->tls_check ? o->tls_check : &s->any;
	hop = session_first_hop(s);
	r = conn_open(&s->conn, l, &hop, &s->conn_user);
	if (r < 0)
		return r;
	session_arm(s);
	*ret = TAKE(s);
	return 0;
}

static void reap(struct turn_end *t)
{
	struct session *s = container_of(t, struct session, turn);

	buf_free(&s->cut_bytes);
	free(s->our_name);
	free(s->mx_host);
	free(s);
}

struct session *session_free(struct session *s)
{
	if (!s || s->life == SESSION_FREED)
		return NULL;
	session_become(s, SESSION_FREED);
	if (s->conn)
		drop_unsent(s);
	s->conn = conn_free(s->conn);
	(void)tls_session_unref(s->tls_resume);
	list_remove(&s->turn.link);
	s->turn.run = reap;
	loop_at_turn_end(s->loop, &s->turn);
	return NULL;
}

bool session_can_take(const struct session *s)
{
	unsigned most = s->ehlo.can & EHLO_PIPELINING ? 2 : 1;

	return s->life == SESSION_READY && s->n_flights < most;
}

bool session_auth_refused(const struct session *s)
{
	return s->auth_refused;
}

enum session_tls session_tls(const struct session *s)
{
	return s->tls_came;
}

bool session_connected(const struct session *s)
{
	return s->ring_count || s->lone > S_PROXY;
}

bool session_takes_8bit(const struct session *s)
{
	return s->ehlo.can & EHLO_8BITMIME;
}

int session_send(struct session *s, struct txn *t)
{
	int r;

	if (s->life != SESSION_READY)
		return E_CONFLICT;
	if (!session_can_take(s))
		return E_FULL;
	r = txn_check(t);
	if (r < 0)
		return r;
	flight_start(s, t);
	session_say_more(s);
	return 0;
}

void session_quit(struct session *s)
{
	if (s->life >= SESSION_QUITTING)
		return;
	if (s->life == SESSION_READY) {
		session_become(s, SESSION_QUITTING);
	} else {
		verdict_set(&s->end, VERDICT_NONE, STATUS(0, 0, 0), false, "given up while %s",
			    session_doing(s));
		session_become(s, SESSION_OVER);
	}
	loop_at_turn_end(s->loop, &s->turn);
}

static bool message_leaves(struct session *s)
{
	for (unsigned i = 0; i < s->n_flights; i++)
		if (flight_at(s, i)->txn->sent_data)
			return true;
	return flight_body_open(s);
}

void session_cut(struct session *s)
{
	session_quit(s);
	if (s->life != SESSION_QUITTING || message_leaves(s))
		return;
	session_fail_text(s, STATUS(4, 3, 2), "given up by an order");
	loop_at_turn_end(s->loop, &s->turn);
}

const char *session_doing(const struct session *s)
{
	enum step_id step = step_now(s);

	if (step_is_body(step) && flight_body_open(s))
		return "sending the message";
	return session_steps[step].doing;
}

unsigned session_sent(const struct session *s)
{
	return s->sent;
}

void session_times(const struct session *s, struct session_times *ret)
{
	*ret = s->times;
	ret->now_ms = timers_now(s->loop->timers);
}

const struct transcript *session_transcript(const struct session *s)
{
	return &s->transcript;
}

void session_watch(struct session *s, struct transcript_watch *w)
{
	s->transcript.watch = w;
}

struct conn *session_conn(struct session *s)
{
	return s->conn;
}

void session_start_body(struct session *s, const struct txn *t)
{
	s->body_deadline = timers_now(s->loop->timers) + s->limit.block +
			   (int64_t)(txn_size(t) * 1000 / BODY_BYTES_PER_SECOND);
}
