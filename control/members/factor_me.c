/* control/members/factor_me.c - the person logged in sets up, changes and removes their second
 * factors.
 *
 * Guarantee: when a factor comes to be, every other session of its person ends (it began without),
 *            and this one goes on under a new id. */
#include "control/auth/audit.h"
#include "control/auth/codes.h"
#include "control/auth/factor.h"
#include "control/auth/login_session.h"
#include "control/auth/mailed_code.h"
#include "control/auth/proof.h"
#include "control/auth/statements.h"
#include "control/auth/throttle.h"
#include "control/auth/totp.h"
#include "control/auth/warn.h"
#include "control/http/api.h"
#include "control/http/body.h"
#include "control/http/problem.h"
#include "control/http/reply.h"
#include "control/mail/mail.h"
#include "control/mail/options.h"
#include "control/members/qr.h"
#include "control/members/routes.h"
#include "control/members/statements.h"

enum { MAIL_LIFE_S = 10 * 60 };

/* ---- an app ------------------------------------------------------------------------------ */

static int reply_secret(struct call *c, const uint8_t *secret, struct slice account)
{
	struct buf uri = { 0 }, qr = { 0 };
	char base32[TOTP_BASE32_MAX];
	int r = totp_base32(secret, base32);

	if (r >= 0)
		r = totp_uri(secret, slice_str(mail_options(c->app)->service), account, &uri);
	if (r >= 0)
		r = qr_data_uri(buf_data(&uri), &qr);
	if (r >= 0)
		r = http_reply_json(c, 200,
				    json_pack("{s:s, s:o, s:o}", "secret", base32, "uri",
					      api_text(buf_data(&uri)), "qr",
					      api_text(buf_data(&qr))));
	explicit_bzero(base32, sizeof(base32));
	if (uri.p)
		explicit_bzero(uri.p, uri.cap);
	if (qr.p)
		explicit_bzero(qr.p, qr.cap);
	buf_free(&uri);
	buf_free(&qr);
	return r;
}

static int put_totp(struct call *c)
{
	uint8_t secret[TOTP_SECRET_LEN];
	OWNED(db_result) who = NULL;
	int r = proof_need(c);

	if (r >= 0)
		r = db_run(c->db, &who, "SELECT email FROM users WHERE org_id = $1 AND id = $2",
			   p_int(c->actor.org), p_int(c->actor.id));
	if (r >= 0)
		r = factor_new_totp(c, c->actor.org, c->actor.id, secret);
	if (r >= 0)
		r = audit_put_id(c, "user.totp_begun", ID_USER, c->actor.id, NULL);
	if (r >= 0)
		r = reply_secret(c, secret, db_text(who, 0, 0));
	explicit_bzero(secret, sizeof(secret));
	return r;
}

/* What follows when a factor was set up; replies.  codes: new recovery codes, or NULL; taken. */
static int factor_began(struct call *c, const char *action, enum factor_change change,
			json_t *codes)
{
	json_t *session = NULL;
	int r = login_session_end_all(c, c->actor.id, c->actor.session);

	if (r >= 0)
		r = login_session_renew(c, false, &session);
	if (r >= 0)
		r = factor_tell(c, c->actor.org, c->actor.id, change);
	if (r >= 0)
		r = audit_put_id(c, action, ID_USER, c->actor.id, NULL);
	if (r < 0) {
		json_decref(session);
		json_decref(codes);
		return r;
	}
	return http_reply_json(c, 200,
			       json_pack("{s:o, s:o}", "recovery_codes",
					 codes ? codes : json_array(), "session", session));
}

struct code_body {
	struct slice verification, code;
};
/* clang-format off */
static const struct body_field confirm_fields[] = {
	{"code", BODY_LINE, offsetof(struct code_body, code), BODY_REQUIRED, 1, 20, 0},
};
/* clang-format on */

static int confirm_totp(struct call *c)
{
	struct code_body b = { 0 };
	struct body_seen seen;
	json_t *codes = NULL;
	int r = http_body_read(c, confirm_fields, ARRAY_LEN(confirm_fields), &b, &seen);

	if (r >= 0)
		r = factor_try_totp(c, c->actor.org, c->actor.id, true, slice_trim(b.code));
	if (r < 0)
		return r;
	if (r == 0)
		return problem(c, 422, "wrong_code",
			       "the code is not the one that an app makes now of the secret of "
			       "/v1/me/totp, which waits half an hour: check the app's clock");
	r = factor_new_recovery(c, c->actor.org, c->actor.id, &codes);
	return r < 0 ? r : factor_began(c, "user.totp_on", FACTOR_TOTP_ON, codes);
}

/* Is there a factor without the one that is to go, or does it not need to be? */
static int check_leave(struct call *c, enum factor_kind kind, struct factors *ret)
{
	int r = proof_need(c);

	if (r >= 0)
		r = factor_state(c, c->actor.org, c->actor.id, ret);
	if (r < 0)
		return r;
	if (!(kind == FACTOR_TOTP ? ret->totp : ret->mail))
		return problem(c, 409, "no_factor", "there is no such second factor");
	if (ret->required && !(kind == FACTOR_TOTP ? ret->mail : ret->totp))
		return problem(c, 409, "factor_required",
			       "your organisation requires a second factor: set up another one "
			       "before you remove this one");
	return 0;
}

/* Recovery codes stand in for a factor: without any they are of no use. */
static int factor_ended(struct call *c, bool last, const char *action, enum factor_change change)
{
	int r = last ? factor_remove_all(c, c->actor.org, c->actor.id) : 0;

	if (r >= 0)
		r = factor_tell(c, c->actor.org, c->actor.id, change);
	if (r >= 0)
		r = audit_put_id(c, action, ID_USER, c->actor.id, NULL);
	return r < 0 ? r : http_reply_empty(c, 204);
}

static int delete_totp(struct call *c)
{
	struct factors f;
	int r = check_leave(c, FACTOR_TOTP, &f);

	if (r >= 0)
		r = db_run(c->db, NULL, sql_members_totp_remove, p_int(c->actor.org),
			   p_int(c->actor.id));
	return r < 0 ? r : factor_ended(c, !f.mail, "user.totp_off", FACTOR_TOTP_OFF);
}

/* ---- codes by mail ----------------------------------------------------------------------- */

enum { MADE_ID, MADE_EXPIRES };

static int put_mail(struct call *c)
{
	char code[MAILED_CODE_LEN + 1], secret[TOKEN_SECRET_LEN + 1], token[TOKEN_MAX];
	uint8_t secret_hash[TOKEN_HASH_LEN], code_hash[TOKEN_HASH_LEN];
	OWNED(db_result) res = NULL;
	int r = proof_need(c);

	if (r >= 0 && !mail_on(c->app))
		return problem(
		    c, 503, "mail_off",
		    "this service cannot send mail yet: its operator must set mail.from");
	if (r >= 0)
		r = throttle_code(c, c->actor.org, c->actor.id);
	if (r < 0)
		return r;
	token_secret(secret);
	mailed_code_new(code);
	token_hash(c->app->token_pepper, slice_str(secret), secret_hash);
	mailed_code_hash(c->app, slice_str(secret), slice_str(code), code_hash);
	r = db_run(c->db, &res, sql_auth_code_insert, p_int(c->actor.org), p_int(c->actor.id),
		   p_int(TOKEN_MAIL_FACTOR), p_bytes(slice_of((char *)secret_hash, TOKEN_HASH_LEN)),
		   p_bytes(slice_of((char *)code_hash, TOKEN_HASH_LEN)), p_int(MAIL_LIFE_S),
		   p_str(""));
	if (r >= 0)
		r = warn_person(c, c->actor.org, c->actor.id, MAIL_SECOND_FACTOR, SLICE(""),
				json_pack("{s:s}", "code", code));
	if (r >= 0)
		r = audit_put_id(c, "user.mail_factor_begun", ID_USER, c->actor.id, NULL);
	if (r < 0)
		return r;
	(void)token_format(ID_TOKEN, c->actor.org, (uint64_t)db_int(res, 0, MADE_ID), secret,
			   token);
	return http_reply_json(c, 202,
			       json_pack("{s:s, s:o}", "verification", token, "expires_at",
					 api_time(db_int(res, 0, MADE_EXPIRES))));
}

/* clang-format off */
static const struct body_field mail_fields[] = {
	{"verification", BODY_LINE, offsetof(struct code_body, verification), BODY_REQUIRED, 1, TOKEN_MAX, 0},
	{"code",         BODY_LINE, offsetof(struct code_body, code),         BODY_REQUIRED, 1, 20,        0},
};
/* clang-format on */

struct mail_confirming {
	struct call *c;
	struct token token;
	struct slice code;
	bool wrong;
};

static int begin_mail(struct mail_confirming *k)
{
	struct call *c = k->c;
	json_t *codes = NULL;
	struct factors f;
	int r = db_run(c->db, NULL, sql_auth_token_used, p_int(k->token.org), p_int(k->token.id));

	if (r >= 0)
		r = db_run(c->db, NULL, sql_members_mail_factor_set, p_int(c->actor.org),
			   p_int(c->actor.id), p_bool(true));
	if (r >= 0)
		r = factor_state(c, c->actor.org, c->actor.id, &f);
	if (r >= 0 && f.recovery == 0)
		r = factor_new_recovery(c, c->actor.org, c->actor.id, &codes);
	return r < 0 ? r : factor_began(c, "user.mail_factor_on", FACTOR_MAIL_ON, codes);
}

static int confirm(struct db *db UNUSED, void *arg)
{
	struct mail_confirming *k = arg;
	OWNED(db_result) row = NULL;
	int r = mailed_code_check(k->c, &k->token, TOKEN_MAIL_FACTOR, k->code, &row);

	k->wrong = r == 0;
	return r <= 0 ? r : begin_mail(k);
}

static int confirm_mail(struct call *c)
{
	struct mail_confirming k = { .c = c };
	struct code_body b = { 0 };
	struct body_seen seen;
	int r = http_body_read(c, mail_fields, ARRAY_LEN(mail_fields), &b, &seen);

	if (r < 0)
		return r;
	if (token_parse(b.verification, &k.token) < 0 || k.token.kind != ID_TOKEN ||
	    k.token.org != c->actor.org)
		return mailed_code_refuse(c);
	k.code = slice_trim(b.code);
	r = db_tx(c->db, c->actor.org, confirm, &k);
	return r < 0 ? r : k.wrong ? mailed_code_refuse(c) : 0;
}

static int delete_mail(struct call *c)
{
	struct factors f;
	int r = check_leave(c, FACTOR_MAIL, &f);

	if (r >= 0)
		r = db_run(c->db, NULL, sql_members_mail_factor_set, p_int(c->actor.org),
			   p_int(c->actor.id), p_bool(false));
	return r < 0 ? r : factor_ended(c, !f.totp, "user.mail_factor_off", FACTOR_MAIL_OFF);
}

/* ---- recovery codes ---------------------------------------------------------------------- */

static int post_recovery(struct call *c)
{
	json_t *codes = NULL;
	struct factors f;
	int r = proof_need(c);

	if (r >= 0)
		r = factor_state(c, c->actor.org, c->actor.id, &f);
	if (r >= 0 && !factor_any(&f))
		return problem(c, 409, "no_factor",
			       "recovery codes stand in for a second factor: set one up first");
	if (r >= 0)
		r = factor_new_recovery(c, c->actor.org, c->actor.id, &codes);
	if (r >= 0)
		r = factor_tell(c, c->actor.org, c->actor.id, FACTOR_CODES_NEW);
	if (r >= 0)
		r = audit_put_id(c, "user.recovery_codes_made", ID_USER, c->actor.id, NULL);
	if (r < 0) {
		json_decref(codes);
		return r;
	}
	return http_reply_json(c, 201, json_pack("{s:o}", "recovery_codes", codes));
}

#define SET_UP (ROUTE_SUSPENDED_TOO | ROUTE_ENROLLING_TOO)
/* clang-format off */
const struct http_route members_factor_routes[] = {
	{"PUT",    "/v1/me/totp",                AUTH_SESSION, 0, SET_UP | ROUTE_NO_BODY, 0, put_totp     },
	{"POST",   "/v1/me/totp/confirm",        AUTH_SESSION, 0, SET_UP,                 0, confirm_totp },
	{"DELETE", "/v1/me/totp",                AUTH_SESSION, 0, ROUTE_SUSPENDED_TOO,    0, delete_totp  },
	{"PUT",    "/v1/me/mail-factor",         AUTH_SESSION, 0, SET_UP | ROUTE_NO_BODY, 0, put_mail     },
	{"POST",   "/v1/me/mail-factor/confirm", AUTH_SESSION, 0, SET_UP | ROUTE_BRAKED | ROUTE_NO_TX, 0, confirm_mail},
	{"DELETE", "/v1/me/mail-factor",         AUTH_SESSION, 0, ROUTE_SUSPENDED_TOO,    0, delete_mail  },
	{"POST",   "/v1/me/recovery-codes",      AUTH_SESSION, 0,
	           ROUTE_SUSPENDED_TOO | ROUTE_NO_BODY | ROUTE_IDEMPOTENT, 0, post_recovery},
};
/* clang-format on */
const size_t members_factor_routes_n = ARRAY_LEN(members_factor_routes);
