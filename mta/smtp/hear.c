/* What is heard.  A reply belongs to the oldest unanswered command, if that command has left for
 * the network.  A reply that was not asked for ends the session, so that it can never be taken for
 * the answer to a later message. */
#include "mta/smtp/session_int.h"

static const struct status protocol_error = { 4, 5, 0 };
static const struct status tls_failed = { 4, 7, 5 };
static const struct status no_requiretls = { 5, 7, 30 }; /* RFC 8689 section 7 */

static bool is_ok(const struct reply *re)
{
	return re->code / 100 == 2;
}
static bool is_refusal(const struct reply *re)
{
	return re->code / 100 == 4 || re->code / 100 == 5;
}

static void pop(struct session *s)
{
	struct session_expect e = *ring_at(s, 0);

	s->ring_head = (s->ring_head + 1) & (RING - 1);
	s->ring_count--;
	if (e.flight < 2)
		s->flights[e.flight].pending--;
}

/* Nothing is waiting for a reply, or what waits has not left yet. */
static bool is_unasked(struct session *s)
{
	return !s->ring_count || flight_body_open(s) || !has_left(s, ring_at(s, 0)->left_at);
}

static bool awaits_dot(struct session *s)
{
	return s->ring_count && step_is_body(ring_at(s, 0)->step);
}

/* A peer that reads no further may refuse while the message is still being sent.  Any other reply
 * before the dot has left does not answer it.  Both end the session. */
static void hear_early(struct session *s, const struct reply *re)
{
	struct flight *f = &s->flights[ring_at(s, 0)->flight];
	struct verdict v;

	if (!is_refusal(re)) {
		session_fail_text(s, protocol_error, "the host answered before the end");
		return;
	}
	reply_verdict(re, &v);
	flight_judge(f, &v);
	f->txn->answered = true;
	f->txn->sent_data = false;
	verdict_copy(&s->end, &v);
	if (v.kind == VERDICT_BOUNCED)
		s->end.kind = VERDICT_NONE; /* says nothing of the host */
	session_become(s, SESSION_OVER);
}

static void hear_one(struct session *s, const struct reply *re)
{
	struct session_expect e;

	session_note(s, TRANSCRIPT_THEY, re->raw);
	if (is_unasked(s)) {
		if (awaits_dot(s))
			hear_early(s, re);
		else if (re->code == 421)
			session_fail_reply(s, re);
		else
			session_fail_text(s, protocol_error,
					  "the host answered what was not asked");
		return;
	}
	e = *ring_at(s, 0);
	if (e.flight < 2)
		s->flights[e.flight].txn->answered = true;
	session_steps[e.step].hear(s, e, re);
	if (s->life >= SESSION_OVER)
		return;
	pop(s);
	if (re->code == 421) /* after any 421 the host hangs up (RFC 5321 section 3.8) */
		session_fail_reply(s, re);
	session_arm(s);
}

/* Called once the reply is consumed: what is left of the input was sent too early. */
void session_begin_tls(struct session *s)
{
	size_t early = conn_input(s->conn).n;
	int r;

	s->lone = S_HANDSHAKE;
	s->tls_came = SESSION_TLS_BEGUN;
	s->tls_began_ms = timers_now(s->loop->timers);
	if (!early) {
		r = conn_start_tls(s->conn, s->tls_context, s->tls_check, s->tls_resume, &early);
		if (r < 0) {
			session_fail(s, E_TLS);
			return;
		}
	}
	if (early) { /* RFC 3207 section 6: do not trust them, nor the host */
		session_fail_text(s, tls_failed, "bytes came behind the STARTTLS reply");
		return;
	}
	session_arm(s);
}

/* Sets aside what is kept of a long reply; it is heard when its end is here.  One that begins
 * before its time is heard at once. */
static bool set_aside(struct session *s, const struct reply *re)
{
	if (!re->cut || is_unasked(s))
		return false;
	s->cut = *re;
	buf_put(&s->cut_bytes, re->raw);
	conn_consume(s->conn, re->raw.n);
	return true;
}

/* As reply_next(): 1, 0 or an error. */
static int next_reply(struct session *s, struct reply *ret)
{
	int r;

	do {
		r = reply_skip(&s->scan, conn_input(s->conn));
		if (r < 0)
			return r;
		conn_consume(s->conn, (size_t)r);
		if (s->scan.skipping)
			return 0;
		if (s->cut.cut) {
			*ret = s->cut;
			ret->raw = buf_data(&s->cut_bytes);
			return 1;
		}
		r = reply_next(&s->scan, conn_input(s->conn), ret);
	} while (r > 0 && set_aside(s, ret));
	return r;
}

static void consume_reply(struct session *s, size_t n)
{
	if (!s->cut.cut) {
		conn_consume(s->conn, n);
		return;
	}
	s->cut.cut = false; /* its bytes have been consumed */
	buf_shrink(&s->cut_bytes, 0);
}

void session_hear_input(struct session *s)
{
	struct reply re;
	int r = 0;

	while (s->life < SESSION_OVER && (r = next_reply(s, &re)) > 0) {
		size_t n = re.raw.n;

		hear_one(s, &re);
		if (s->life >= SESSION_OVER)
			return;
		consume_reply(s, n);
		flight_give_back(s);
		if (s->life >= SESSION_OVER)
			return;
		if (s->lone == S_STARTTLS)
			session_begin_tls(s);
	}
	if (s->life >= SESSION_OVER)
		return;
	if (r < 0)
		session_fail(s, r);
	else if (conn_input(s->conn).n && is_unasked(s) && !awaits_dot(s))
		session_fail_text(s, protocol_error, "the host sent what was not asked");
	else if (conn_eof(s->conn))
		session_fail(s, E_EOF);
}

/* ---- before the first message ------------------------------------------------------------ */

void session_hear_greeting(struct session *s, struct session_expect e, const struct reply *re)
{
	(void)e;
	if (re->code != 220) {
		session_fail_reply(s, re);
		return;
	}
	session_say(s, S_EHLO, NULL);
}

static bool wants_tls(const struct session *s)
{
	return s->policy != TLS_NEVER && !conn_is_tls(s->conn);
}

static void without_tls(struct session *s)
{
	if (wants_tls(s))
		s->tls_came = SESSION_TLS_MISSING;
	if (s->policy == TLS_MUST && !conn_is_tls(s->conn))
		session_fail_tls(s, "TLS must be used, but the host does not provide it");
	else if (s->require_tls && !(s->ehlo.can & EHLO_REQUIRETLS))
		session_fail_text(s, no_requiretls, "the host does not offer REQUIRETLS");
	else if (s->auth)
		session_begin_auth(s);
	else
		session_become(s, SESSION_READY);
}

/* What was offered without TLS is forgotten under TLS (RFC 3207 section 4.2). */
void session_hear_ehlo(struct session *s, struct session_expect e, const struct reply *re)
{
	if (re->code / 100 == 5 && e.step == S_EHLO) {
		session_say(s, S_HELO, NULL);
		return;
	}
	if (!is_ok(re)) {
		session_fail_reply(s, re);
		return;
	}
	ehlo_parse(re, &s->ehlo);
	ehlo_ignore(&s->ehlo, s->ignore);
	if (wants_tls(s) && s->tls_context && s->ehlo.can & EHLO_STARTTLS)
		session_say(s, S_STARTTLS, NULL);
	else
		without_tls(s);
}

void session_hear_helo(struct session *s, struct session_expect e, const struct reply *re)
{
	(void)e;
	s->ehlo = (struct ehlo){ 0 };
	if (is_ok(re))
		without_tls(s);
	else
		session_fail_reply(s, re);
}

void session_hear_starttls(struct session *s, struct session_expect e, const struct reply *re)
{
	(void)e;
	if (re->code == 220)
		s->lone = S_STARTTLS; /* begins once the reply is consumed */
	else if (is_refusal(re) && re->code != 421)
		without_tls(s);
	else if (re->code != 421)
		session_fail_reply(s, re);
}

/* ---- a message --------------------------------------------------------------------------- */

void session_lost_track(struct session *s)
{
	session_fail_text(s, protocol_error, "the host's reply does not fit");
}

void session_hear_mail(struct session *s, struct session_expect e, const struct reply *re)
{
	struct flight *f = &s->flights[e.flight];
	struct verdict v;

	if (is_ok(re))
		return;
	if (!is_refusal(re)) {
		session_lost_track(s);
		return;
	}
	reply_verdict(re, &v);
	if (again_blames_group(s, f, re))
		again_all_unjudged(f, AGAIN_LOCK_STEP);
	flight_judge(f, &v);
	f->mail_refused = true;
	if (f->flies)
		f->txn->sent_data = false; /* what has left is taken for nobody */
	f->next = S_MAX; /* commands that have left already are answered in their turn */
}

void session_hear_rcpt(struct session *s, struct session_expect e, const struct reply *re)
{
	struct flight *f = &s->flights[e.flight];
	struct verdict *v = &f->txn->rcpts[e.rcpt].verdict;

	if (is_ok(re)) {
		again_accepted(f, e.rcpt);
		f->accepted += !f->mail_refused;
	} else if (!is_refusal(re)) {
		session_lost_track(s);
		return;
	} else if (v->kind == VERDICT_NONE) {
		reply_verdict(re, v);
		/* RFC 821 says "too many recipients" so (RFC 5321 section 4.5.3.1.10). */
		if (re->code == 552 && f->accepted) {
			v->kind = VERDICT_DEFERRED;
			v->status = STATUS(4, 5, 3);
		}
		again_refused(f, e.rcpt, re);
		if (f->txn->rcpts[e.rcpt].again == AGAIN_NO && again_blames_group(s, f, re))
			f->txn->rcpts[e.rcpt].again = AGAIN_LOCK_STEP;
	}
	/* What has not been said is not needed: DATA in lock-step, or BDAT. */
	if (f->next > S_RCPT && f->next != S_MAX && f->pending == 1 && !f->accepted) {
		f->next = S_MAX;
		s->need_rset = !f->mail_refused;
	}
}

static void begin_body(struct session *s, struct flight *f)
{
	if (f->mail_refused) { /* a dot now might deliver an empty message */
		session_lost_track(s);
		return;
	}
	again_group_worked(s, f);
	f->next = S_DOT;
	f->off = 0;
	session_start_body(s, f->txn);
	/* Its answer may come from now on; put_dot() notes when the dot has left. */
	session_say_expect(s, S_DOT, f, 0);
}

void session_hear_data(struct session *s, struct session_expect e, const struct reply *re)
{
	struct flight *f = &s->flights[e.flight];
	struct verdict v;

	if (re->code == 354) {
		begin_body(s, f);
		return;
	}
	if (!is_refusal(re)) {
		session_lost_track(s);
		return;
	}
	reply_verdict(re, &v);
	if (f->accepted && again_blames_group(s, f, re))
		again_all_unjudged(f, AGAIN_LOCK_STEP);
	flight_judge(f, &v);
	s->need_rset = !f->mail_refused;
}

void session_hear_dot(struct session *s, struct session_expect e, const struct reply *re)
{
	struct flight *f = &s->flights[e.flight];
	struct verdict v;

	if (!is_ok(re) && !is_refusal(re)) {
		session_lost_track(s);
		return;
	}
	reply_verdict(re, &v);
	flight_judge(f, &v);
}

void session_hear_rset(struct session *s, struct session_expect e, const struct reply *re)
{
	(void)e;
	if (!is_ok(re) && re->code != 421)
		session_fail_reply(s, re);
}

void session_hear_quit(struct session *s, struct session_expect e, const struct reply *re)
{
	(void)e;
	reply_verdict(re, &s->end);
	s->end.kind = VERDICT_NONE;
	session_become(s, SESSION_OVER);
}
