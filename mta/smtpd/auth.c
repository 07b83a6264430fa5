/* AUTH (RFC 4954): from the command to the name and password that the service judges. */
#include "mta/smtpd/session.h"

#define BAD_BASE64 SLICE("501 5.5.2 this is no answer in base64 to the challenge\r\n")

bool smtpd_session_auth_offered(const struct smtpd_session *s)
{
	const struct smtpd_service *service = smtpd_session_service(s);

	return service->auth && conn_is_tls(s->conn) &&
	       (!service->auth_offered || service->auth_offered(s->on->with.state, s));
}

/* ---- the exchange ------------------------------------------------------------------------ */

static void give_up(struct smtpd_session *s, int err)
{
	if (s->life == SMTPD_AUTH)
		smtpd_session_become(s, SMTPD_IDLE);
	if (err == E_LIMIT)
		smtpd_session_refuse(s, SLICE("500 5.5.6 name or password is too long\r\n"));
	else if (err == E_DENIED)
		smtpd_session_refuse(
		    s, SLICE("535 5.7.8 nobody may act for another authorization identity\r\n"));
	else
		smtpd_session_refuse(s, BAD_BASE64);
}

static void judge(struct smtpd_session *s, struct slice name, struct slice password)
{
	smtpd_session_become(s, SMTPD_CHECK);
	smtpd_session_service(s)->auth(s->on->with.state, s, name, password);
}

static void challenge(struct smtpd_session *s, struct slice text)
{
	if (s->life != SMTPD_AUTH)
		smtpd_session_become(s, SMTPD_AUTH);
	smtpd_session_say(s, text);
}

static int take_plain(struct smtpd_session *s, struct slice base64)
{
	struct sasl_answer a;
	int r = sasl_plain(base64, &a);

	if (r == 0)
		judge(s, a.name, a.password);
	sasl_forget(&a);
	return r;
}

static int take_login_name(struct smtpd_session *s, struct slice base64)
{
	struct sasl_answer a;
	int r = sasl_login_name(base64, &a);

	if (r == 0) {
		memcpy(s->auth.name, a.name.p, a.name.n);
		s->auth.name_n = (uint16_t)a.name.n;
		s->auth.step = AUTH_LOGIN_PASSWORD;
		challenge(s, SLICE("334 UGFzc3dvcmQ6\r\n"));
	}
	sasl_forget(&a);
	return r;
}

static int take_login_password(struct smtpd_session *s, struct slice base64)
{
	struct sasl_answer a;
	int r = sasl_login_password(base64, &a);

	if (r == 0)
		judge(s, slice_of(s->auth.name, s->auth.name_n), a.password);
	sasl_forget(&a);
	return r;
}

static void take(struct smtpd_session *s, struct slice base64)
{
	static int (*const steps[])(struct smtpd_session *, struct slice) = {
		[AUTH_PLAIN] = take_plain,
		[AUTH_LOGIN_NAME] = take_login_name,
		[AUTH_LOGIN_PASSWORD] = take_login_password,
	};
	int r = steps[s->auth.step](s, base64);

	if (r < 0)
		give_up(s, r);
}

/* What answers a challenge.  "*" alone cancels (section 4). */
void smtpd_session_auth_line(struct smtpd_session *s, struct slice line)
{
	if (!slice_eq(line, SLICE("*"))) {
		take(s, line);
		return;
	}
	smtpd_session_become(s, SMTPD_IDLE);
	smtpd_session_refuse(s, SLICE("501 5.7.0 authentication cancelled\r\n"));
}

/* ---- the command ------------------------------------------------------------------------- */

static struct slice why_not(const struct smtpd_session *s)
{
	if (!smtpd_session_service(s)->auth || !s->esmtp)
		return SLICE("502 5.5.1 AUTH is not offered\r\n");
	if (s->known)
		return SLICE("503 5.5.1 you are authenticated already\r\n");
	if (!conn_is_tls(s->conn))
		return SLICE("538 5.7.11 encryption is required first: send STARTTLS\r\n");
	if (!smtpd_session_auth_offered(s))
		return SLICE("502 5.5.1 AUTH is not offered\r\n");
	return SMTPD_GO_ON;
}

void smtpd_session_auth(struct smtpd_session *s, struct slice arg)
{
	struct slice mechanism = slice_take(&arg, ' '), refusal = why_not(s);
	struct slice initial = slice_trim(arg);

	if (refusal.n) {
		smtpd_session_refuse(s, refusal);
		return;
	}
	if (slice_eq_nocase(mechanism, SLICE("PLAIN"))) {
		s->auth.step = AUTH_PLAIN;
	} else if (slice_eq_nocase(mechanism, SLICE("LOGIN"))) {
		s->auth.step = AUTH_LOGIN_NAME;
	} else {
		smtpd_session_refuse(s, SLICE("504 5.5.4 only PLAIN and LOGIN are offered\r\n"));
		return;
	}
	if (initial.n) /* "=" is an empty one, which neither takes: it is no base64 */
		take(s, initial);
	else
		challenge(s, s->auth.step == AUTH_PLAIN ? SLICE("334 \r\n")
							: SLICE("334 VXNlcm5hbWU6\r\n"));
}

void smtpd_session_auth_answer(struct smtpd_session *s, struct slice reply)
{
	if (s->life != SMTPD_CHECK)
		return;
	explicit_bzero(s->auth.name, sizeof(s->auth.name));
	smtpd_session_become(s, SMTPD_IDLE);
	s->known = slice_starts_nocase(reply, SLICE("235"));
	if (!s->known && ++s->auth.failed >= SMTPD_AUTHS_MAX)
		reply = SLICE("421 4.7.0 too many wrong passwords, closing the connection\r\n");
	if (s->known)
		s->fault = 0;
	smtpd_session_refuse(s, reply);
	if (s->life != SMTPD_GONE)
		smtpd_session_run(s);
}
