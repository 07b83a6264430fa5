/* control/auth/proof.c - POST /v1/me/proof. */
#include "control/auth/proof.h"

#include "control/auth/audit.h"
#include "control/auth/factor.h"
#include "control/auth/login_session.h"
#include "control/auth/password.h"
#include "control/auth/routes.h"
#include "control/auth/statements.h"
#include "control/auth/throttle.h"
#include "control/http/body.h"
#include "control/http/problem.h"
#include "control/http/reply.h"

int proof_refuse(struct call *c)
{
	return problem(c, 403, "proof_required",
		       "your login is too long ago for this: give your password again at "
		       "/v1/me/proof, or log in again");
}

int proof_need(struct call *c)
{
	return c->actor.proved ? 0 : proof_refuse(c);
}

struct proof_body {
	struct slice password, factor, code;
};
/* clang-format off */
static const struct body_field proof_fields[] = {
	{"password", BODY_LINE, offsetof(struct proof_body, password), BODY_REQUIRED, 1, PASSWORD_MAX, 0},
	{"factor",   BODY_LINE, offsetof(struct proof_body, factor),   0,             1, 20,           0},
	{"code",     BODY_LINE, offsetof(struct proof_body, code),     0,             1, 20,           0},
};
/* clang-format on */

enum { OWN_EMAIL, OWN_NAME, OWN_ORG, OWN_HASH };

static int check_password(struct call *c, struct slice password)
{
	OWNED(db_result) res = NULL;
	int r = db_run(c->db, &res, sql_auth_member_about, p_int(c->actor.org), p_int(c->actor.id));

	if (r <= 0)
		return r < 0 ? r : E_UNKNOWN;
	r = throttle_session(c);
	if (r < 0)
		return r;
	if (!password_right(c->app, password, db_text(res, 0, OWN_HASH)))
		problem_add(c, "/password", "wrong_password", "is not your current password");
	return problem_end(c);
}

static int check_code(struct call *c, const struct proof_body *b, enum factor_kind kind)
{
	uint32_t org = c->actor.org;
	uint64_t user = c->actor.id;
	int r;

	if (kind == FACTOR_RECOVERY) {
		r = factor_try_recovery(c, org, user, slice_trim(b->code));
	} else {
		r = throttle_factor(c, org, user, true);
		if (r >= 0)
			r = factor_try_totp(c, org, user, false, slice_trim(b->code));
		if (r > 0)
			throttle_factor_right(c, org, user, true);
	}
	if (r < 0)
		return r;
	if (r == 0)
		problem_add(c, "/code", "wrong_code", "is wrong, too old or used already");
	return problem_end(c);
}

/* A code goes with the password where there is a factor. */
static int check_factor(struct call *c, const struct proof_body *b)
{
	enum factor_kind kind = FACTOR_TOTP;
	struct factors f;
	int r = factor_state(c, c->actor.org, c->actor.id, &f);

	if (r < 0 || !factor_any(&f))
		return r;
	if (!f.totp && !b->code.n)
		return problem(c, 409, "log_in_again",
			       "your second factor is a code by mail: log in again instead, or "
			       "send a recovery code");
	if (!b->code.n)
		problem_add(c, "/code", "required", "is required: you have a second factor");
	if (b->factor.n && (factor_parse(b->factor, &kind) < 0 || kind == FACTOR_MAIL))
		problem_add(c, "/factor", "unknown_factor", "must be totp or recovery");
	r = problem_end(c);
	return r < 0 ? r : check_code(c, b, kind);
}

static int post_proof(struct call *c)
{
	struct proof_body b = { 0 };
	struct body_seen seen;
	json_t *session = NULL;
	int r = http_body_read(c, proof_fields, ARRAY_LEN(proof_fields), &b, &seen);

	if (r >= 0)
		r = check_password(c, b.password);
	if (r >= 0)
		r = check_factor(c, &b);
	if (r >= 0)
		r = login_session_renew(c, true, &session);
	if (r >= 0)
		r = audit_put_id(c, "session.proved", ID_SESSION, c->actor.session, NULL);
	if (r < 0) {
		json_decref(session);
		return r;
	}
	return http_reply_json(c, 200, session);
}

/* clang-format off */
const struct http_route auth_proof_routes[] = {
	{"POST", "/v1/me/proof", AUTH_SESSION, 0, ROUTE_BRAKED | ROUTE_SUSPENDED_TOO | ROUTE_ENROLLING_TOO, 0, post_proof},
};
/* clang-format on */
const size_t auth_proof_routes_n = ARRAY_LEN(auth_proof_routes);
