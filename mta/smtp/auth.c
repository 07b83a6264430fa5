/* mta/smtp/auth.c - AUTH: which mechanism, and what is said at each step of it. */
#include "mta/smtp/auth.h"

#include "base/encode.h"
#include "mta/smtp/session_int.h"

static const struct status refused = { 4, 7, 8 };

static bool offers(const struct session *s, enum auth_mechanism m)
{
	return s->ehlo.auth & 1U << m;
}

/* What is asked for, or AUTH_NONE when the host does not offer it. */
static enum auth_mechanism choose(const struct session *s)
{
	enum auth_mechanism m = s->auth->mechanism;

	if (m == AUTH_PASSWORD)
		m = offers(s, AUTH_PLAIN) ? AUTH_PLAIN : AUTH_LOGIN;
	return offers(s, m) ? m : AUTH_NONE;
}

static bool is_proved(const struct session *s)
{
	struct tls_result r;

	if (!conn_is_tls(s->conn))
		return false;
	conn_tls_result(s->conn, &r);
	return r.proof != TLS_UNPROVED;
}

void session_begin_auth(struct session *s)
{
	if (!is_proved(s)) {
		session_fail_text(s, refused,
				  "credentials are only sent under TLS with a proved certificate");
		return;
	}
	s->auth_with = (uint8_t)choose(s);
	s->auth_round = 0;
	if (s->auth_with == AUTH_NONE)
		session_fail_text(s, refused, "the host does not offer the AUTH mechanism");
	else
		session_say(s, S_AUTH, NULL);
}

/* ---- said -------------------------------------------------------------------------------- */

static void wipe(struct buf *b)
{
	if (b->p)
		explicit_bzero(b->p, b->cap);
	buf_free(b);
}

/* What the mechanism says in this round, before base64. */
static void put_round(const struct session *s, struct buf *out)
{
	const struct session_auth *a = s->auth;

	if (s->auth_with == AUTH_PLAIN) {
		buf_put(out, slice_of("\0", 1));
		buf_put(out, a->user);
		buf_put(out, slice_of("\0", 1));
		buf_put(out, a->secret);
	} else if (s->auth_with == AUTH_LOGIN) {
		buf_put(out, s->auth_round == 1 ? a->user : a->secret);
	} else if (s->auth_round == 0) {
		buf_put(out, SLICE("user="));
		buf_put(out, a->user);
		buf_put(out, SLICE("\1auth=Bearer "));
		buf_put(out, a->secret);
		buf_put(out, SLICE("\1\1"));
	}
}

static const char *verb_of(const struct session *s)
{
	static const char *const verbs[AUTH_MECHANISMS] = {
		[AUTH_PLAIN] = "AUTH PLAIN ",
		[AUTH_LOGIN] = "AUTH LOGIN",
		[AUTH_XOAUTH2] = "AUTH XOAUTH2 ",
	};

	return s->auth_round ? "" : verbs[s->auth_with];
}

void session_say_auth(struct session *s, struct flight *f)
{
	struct buf plain = { 0 }, line = { 0 };

	(void)f;
	/* Room for all of it at once: a buffer that grows would leave copies in memory. */
	if (buf_reserve(&plain, 2 * AUTH_SECRET_MAX + 64) < 0 ||
	    buf_reserve(&line, 4 * AUTH_SECRET_MAX) < 0)
		abort();
	if (s->auth_with != AUTH_LOGIN || s->auth_round)
		put_round(s, &plain);
	buf_put(&line, slice_str(verb_of(s)));
	if (base64_encode(&line, buf_data(&plain)) < 0)
		abort();
	buf_put(&line, SLICE("\r\n"));
	session_note(s, TRANSCRIPT_WE, SLICE("AUTH [hidden]")); /* and no more of it */
	session_put(s, buf_data(&line).p, buf_len(&line));
	wipe(&plain);
	wipe(&line);
}

/* ---- heard ------------------------------------------------------------------------------- */

/* Rounds that a host may ask for: the user and the password, or an empty answer to the reason why
 * a token is refused. */
static unsigned rounds_of(const struct session *s)
{
	return s->auth_with == AUTH_LOGIN ? 2 : s->auth_with == AUTH_XOAUTH2 ? 1 : 0;
}

void session_hear_auth(struct session *s, struct session_expect e, const struct reply *re)
{
	(void)e;
	if (re->code == 235) {
		session_become(s, SESSION_READY);
	} else if (re->code == 334 && s->auth_round < rounds_of(s)) {
		s->auth_round++;
		session_say(s, S_AUTH, NULL);
	} else if (re->code / 100 == 4 || re->code / 100 == 5) {
		s->auth_refused = re->code != 421;
		session_fail_reply(s, re);
	} else {
		session_lost_track(s);
	}
}
