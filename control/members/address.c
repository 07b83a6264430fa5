/* control/members/address.c - another address for the person logged in.  It counts when the code
 * that was mailed there comes back; the old address is told. */
#include "control/auth/audit.h"
#include "control/auth/codes.h"
#include "control/auth/mailed_code.h"
#include "control/auth/password.h"
#include "control/auth/statements.h"
#include "control/auth/throttle.h"
#include "control/auth/warn.h"
#include "control/http/api.h"
#include "control/http/body.h"
#include "control/http/problem.h"
#include "control/http/reply.h"
#include "control/mail/mail.h"
#include "control/members/routes.h"
#include "control/members/statements.h"
#include "message/mailbox.h"

enum { LIFE_S = 30 * 60 };

struct address_body {
	struct slice email, current;
};
/* clang-format off */
static const struct body_field address_fields[] = {
	{"email",            BODY_EMAIL, offsetof(struct address_body, email),   BODY_REQUIRED, 0, 0,            0},
	{"current_password", BODY_LINE,  offsetof(struct address_body, current), BODY_REQUIRED, 1, PASSWORD_MAX, 0},
};
/* clang-format on */

enum { OWN_EMAIL, OWN_NAME, OWN_ORG, OWN_HASH };

static int check_password(struct call *c, struct slice password)
{
	OWNED(db_result) res = NULL;
	int r = db_run(c->db, &res, sql_auth_member_about, p_int(c->actor.org), p_int(c->actor.id));

	if (r == 0)
		r = E_UNKNOWN;
	if (r >= 0)
		r = call_brake(c);
	if (r >= 0)
		r = throttle_session(c);
	if (r < 0)
		return r;
	if (!password_right(c->app, password, db_text(res, 0, OWN_HASH)))
		problem_add(c, "/current_password", "wrong_password",
			    "is not your current password");
	return problem_end(c);
}

enum { MADE_ID, MADE_EXPIRES };

static int make_token(struct call *c, struct slice email, char code[MAILED_CODE_LEN + 1],
		      char token[TOKEN_MAX], int64_t *ret_expires)
{
	uint8_t secret_hash[TOKEN_HASH_LEN], code_hash[TOKEN_HASH_LEN];
	char secret[TOKEN_SECRET_LEN + 1];
	OWNED(db_result) res = NULL;
	int r;

	token_secret(secret);
	mailed_code_new(code);
	token_hash(c->app->token_pepper, slice_str(secret), secret_hash);
	mailed_code_hash(c->app, slice_str(secret), slice_str(code), code_hash);
	r = db_run(c->db, &res, sql_auth_code_insert, p_int(c->actor.org), p_int(c->actor.id),
		   p_int(TOKEN_ADDRESS), p_bytes(slice_of((char *)secret_hash, TOKEN_HASH_LEN)),
		   p_bytes(slice_of((char *)code_hash, TOKEN_HASH_LEN)), p_int(LIFE_S),
		   p_text(email));
	if (r < 0)
		return r;
	*ret_expires = db_int(res, 0, MADE_EXPIRES);
	(void)token_format(ID_TOKEN, c->actor.org, (uint64_t)db_int(res, 0, MADE_ID), secret,
			   token);
	return 0;
}

static int post_address(struct call *c)
{
	char code[MAILED_CODE_LEN + 1], token[TOKEN_MAX];
	struct address_body b = { 0 };
	struct body_seen seen;
	int64_t expires = 0;
	int r = http_body_read(c, address_fields, ARRAY_LEN(address_fields), &b, &seen);

	if (r < 0)
		return r;
	if (!mail_on(c->app))
		return problem(
		    c, 503, "mail_off",
		    "this service cannot send mail yet: its operator must set mail.from");
	r = check_password(c, b.current);
	if (r >= 0)
		r = make_token(c, b.email, code, token, &expires);
	if (r >= 0)
		r = warn_person(c, c->actor.org, c->actor.id, MAIL_ADDRESS, b.email,
				json_pack("{s:s}", "code", code));
	if (r >= 0)
		r = audit_put_id(c, "user.address_asked", ID_USER, c->actor.id, NULL);
	return r < 0 ? r
		     : http_reply_json(c, 202,
				       json_pack("{s:s, s:o}", "verification", token, "expires_at",
						 api_time(expires)));
}

struct address_proof {
	struct slice verification, code;
};
/* clang-format off */
static const struct body_field verify_fields[] = {
	{"verification", BODY_LINE, offsetof(struct address_proof, verification), BODY_REQUIRED, 1, TOKEN_MAX, 0},
	{"code",         BODY_LINE, offsetof(struct address_proof, code),         BODY_REQUIRED, 1, 20,        0},
};
/* clang-format on */

struct changing {
	struct call *c;
	struct token token;
	struct slice code;
	bool wrong;
};

static int change(struct changing *k, struct slice email, struct slice old)
{
	struct call *c = k->c;
	char norm[MAILBOX_MAX + 2];
	struct mailbox box;
	int r = mailbox_parse(email, MAILBOX_CONTACT, &box);

	if (r >= 0)
		r = db_run(c->db, NULL, sql_members_address_change, p_int(c->actor.org),
			   p_int(c->actor.id), p_text(email), p_text(mailbox_normal(&box, norm)));
	if (r >= 0)
		r = warn_person(c, c->actor.org, c->actor.id, MAIL_ADDRESS_CHANGED, old,
				json_pack("{s:o}", "address", api_text(email)));
	return r < 0 ? r : audit_put_id(c, "user.address_changed", ID_USER, c->actor.id, NULL);
}

static int verify(struct db *db, void *arg)
{
	struct changing *k = arg;
	OWNED(db_result) row = NULL;
	int r = mailed_code_check(k->c, &k->token, TOKEN_ADDRESS, k->code, &row);

	k->wrong = r == 0;
	if (r <= 0)
		return r;
	/* It counts once, and so do others that are on their way. */
	r = db_run(db, NULL, sql_auth_tokens_end, p_int(k->token.org), p_int(k->c->actor.id));
	return r < 0 ? r
		     : change(k, db_text(row, 0, MAILED_CODE_DETAIL),
			      db_text(row, 0, MAILED_CODE_ADDRESS));
}

static int post_verify(struct call *c)
{
	struct address_proof b = { 0 };
	struct changing k = { .c = c };
	struct body_seen seen;
	int r = http_body_read(c, verify_fields, ARRAY_LEN(verify_fields), &b, &seen);

	if (r < 0)
		return r;
	if (token_parse(b.verification, &k.token) < 0 || k.token.kind != ID_TOKEN ||
	    k.token.org != c->actor.org)
		return mailed_code_refuse(c);
	k.code = slice_trim(b.code);
	r = db_tx(c->db, c->actor.org, verify, &k);
	if (r == E_EXISTS)
		return problem(c, 409, "address_taken",
			       "another member of your organisation has this address");
	return r < 0 ? r : k.wrong ? mailed_code_refuse(c) : http_reply_empty(c, 204);
}

/* clang-format off */
const struct http_route members_address_routes[] = {
	{"POST", "/v1/me/address",        AUTH_SESSION, 0, ROUTE_SUSPENDED_TOO | ROUTE_IDEMPOTENT,           0, post_address},
	{"POST", "/v1/me/address/verify", AUTH_SESSION, 0, ROUTE_SUSPENDED_TOO | ROUTE_BRAKED | ROUTE_NO_TX, 0, post_verify },
};
/* clang-format on */
const size_t members_address_routes_n = ARRAY_LEN(members_address_routes);
