/* control/auth/arrival.c - the second half of a login. */
#include "control/auth/arrival.h"

#include "control/auth/alarm.h"
#include "control/auth/audit.h"
#include "control/auth/codes.h"
#include "control/auth/factor.h"
#include "control/auth/login_session.h"
#include "control/auth/mailed_code.h"
#include "control/auth/places.h"
#include "control/auth/routes.h"
#include "control/auth/statements.h"
#include "control/auth/throttle.h"
#include "control/auth/warn.h"
#include "control/http/api.h"
#include "control/http/body.h"
#include "control/http/problem.h"
#include "control/http/reply.h"
#include "control/mail/mail.h"

enum { LIFE_S = 10 * 60 };

/* ---- what is due ------------------------------------------------------------------------- */

struct challenge {
	struct call *c;
	uint32_t org;
	uint64_t user, id;
	struct slice secret; /* of the token */
};

/* A new code, which takes the place of one that was sent before. */
static int mail_code(const struct challenge *k)
{
	char code[MAILED_CODE_LEN + 1];
	uint8_t hash[TOKEN_HASH_LEN];
	int r = throttle_code(k->c, k->org, k->user);

	if (r < 0)
		return r;
	mailed_code_new(code);
	mailed_code_hash(k->c->app, k->secret, slice_str(code), hash);
	r = db_run(k->c->db, NULL, sql_auth_challenge_code, p_int(k->org), p_int(k->id),
		   p_bytes(slice_of((char *)hash, sizeof(hash))));
	return r < 0 ? r
		     : warn_person(k->c, k->org, k->user, MAIL_SECOND_FACTOR, SLICE(""),
				   json_pack("{s:s}", "code", code));
}

static json_t *ways(const struct call *c, const struct factors *f)
{
	json_t *list = json_array();

	if (f->totp)
		(void)json_array_append_new(list, json_string(factor_name(FACTOR_TOTP)));
	if (f->mail && mail_on(c->app))
		(void)json_array_append_new(list, json_string(factor_name(FACTOR_MAIL)));
	if (f->recovery)
		(void)json_array_append_new(list, json_string(factor_name(FACTOR_RECOVERY)));
	return list;
}

enum { MADE_ID, MADE_EXPIRES };

/* What a challenge keeps of the first factor (auth_tokens.detail). */
static const char own_password[] = "own";

static int ask(struct call *c, uint32_t org, uint64_t user, const struct factors *f, bool own)
{
	char secret[TOKEN_SECRET_LEN + 1], token[TOKEN_MAX];
	uint8_t hash[TOKEN_HASH_LEN];
	OWNED(db_result) res = NULL;
	bool by_mail = f->mail && !f->totp && mail_on(c->app);
	int r;

	token_secret(secret);
	token_hash(c->app->token_pepper, slice_str(secret), hash);
	r = db_run(c->db, &res, sql_auth_code_insert, p_int(org), p_int(user),
		   p_int(TOKEN_CHALLENGE), p_bytes(slice_of((char *)hash, sizeof(hash))), p_null(),
		   p_int(LIFE_S), p_str(own ? own_password : ""));
	if (r < 0)
		return r;
	const struct challenge k = { c, org, user, (uint64_t)db_int(res, 0, MADE_ID),
				     slice_str(secret) };
	if (by_mail)
		r = mail_code(&k);
	if (r >= 0)
		r = audit_put_user(c, org, user, "login.challenged", NULL);
	if (r < 0)
		return r;
	return http_reply_json(c, 202,
			       json_pack("{s:s, s:o, s:b, s:o}", "challenge",
					 token_format(ID_TOKEN, org, k.id, secret, token),
					 "factors", ways(c, f), "mailed", by_mail, "expires_at",
					 api_time(db_int(res, 0, MADE_EXPIRES))));
}

int arrival_continue_shown(struct call *c, uint32_t org, uint64_t user, unsigned status,
			   struct login_shown shown)
{
	struct factors f;
	int r = factor_state(c, org, user, &f);

	if (r < 0)
		return r;
	return factor_any(&f) ? ask(c, org, user, &f, shown.own)
			      : login_session_begin(c, org, user, status, shown);
}

int arrival_continue(struct call *c, uint32_t org, uint64_t user, unsigned status)
{
	const struct login_shown shown = { .proved = true };

	return arrival_continue_shown(c, org, user, status, shown);
}

/* ---- its answer -------------------------------------------------------------------------- */

struct factor_body {
	struct slice challenge, factor, code;
};
/* clang-format off */
static const struct body_field factor_fields[] = {
	{"challenge", BODY_LINE, offsetof(struct factor_body, challenge), BODY_REQUIRED, 1, TOKEN_MAX, 0},
	{"factor",    BODY_LINE, offsetof(struct factor_body, factor),    BODY_REQUIRED, 1, 20,        0},
	{"code",      BODY_LINE, offsetof(struct factor_body, code),      BODY_REQUIRED, 1, 20,        0},
};
/* clang-format on */

struct answering {
	struct call *c;
	struct token token;
	enum factor_kind kind;
	struct slice code;
	enum { ANSWER_RIGHT, ANSWER_WRONG, ANSWER_ENDED } what;
};

enum { C_SECRET, C_TRIES, C_USER, C_CODE, C_KNOWN, C_DETAIL };

static int find(struct answering *a, struct db_result **ret)
{
	char net[PLACE_TEXT_MAX];
	int r = db_run(a->c->db, ret, sql_auth_challenge_find, p_int(a->token.org),
		       p_int(a->token.id), p_str(places_text(a->c, net)));

	if (r < 0)
		return r;
	if (r == 0 || db_int(*ret, 0, C_TRIES) >= MAILED_CODE_TRIES ||
	    !token_right(a->c->app->token_pepper, a->token.secret, db_bytes(*ret, 0, C_SECRET)))
		a->what = ANSWER_ENDED;
	return 0;
}

/* 1, or 0.  Guesses at codes of six digits count for the account, whatever password and however
 * many challenges they come with; a recovery code is beyond guessing, so its owner is let in. */
static int compare(struct answering *a, struct db_result *row)
{
	struct call *c = a->c;
	uint32_t org = a->token.org;
	uint64_t user = (uint64_t)db_int(row, 0, C_USER);
	bool known = db_bool(row, 0, C_KNOWN);
	int r;

	if (a->kind == FACTOR_RECOVERY)
		return factor_try_recovery(c, org, user, a->code);
	r = throttle_factor(c, org, user, known);
	if (r < 0)
		return r;
	if (a->kind == FACTOR_TOTP)
		r = factor_try_totp(c, org, user, false, a->code);
	else
		r = !db_is_null(row, 0, C_CODE) &&
		    mailed_code_right(c->app, a->token.secret, a->code, db_bytes(row, 0, C_CODE));
	if (r > 0)
		throttle_factor_right(c, org, user, known);
	return r;
}

static int let_in(struct answering *a, uint64_t user, bool own)
{
	struct call *c = a->c;
	int r = db_run(c->db, NULL, sql_auth_token_used, p_int(a->token.org), p_int(a->token.id));

	if (r >= 0 && a->kind == FACTOR_RECOVERY)
		r = factor_tell(c, a->token.org, user, FACTOR_CODE_USED);
	const struct login_shown shown = { .own = own, .proved = true };
	return r < 0 ? r : login_session_begin(c, a->token.org, user, 200, shown);
}

/* A wrong code is counted, and this must be committed: the refusal comes after it. */
static int answer(struct db *db, void *arg)
{
	struct answering *a = arg;
	OWNED(db_result) row = NULL;
	int r;

	a->what = ANSWER_RIGHT;
	r = find(a, &row);
	if (r < 0 || a->what == ANSWER_ENDED)
		return r;
	uint64_t user = (uint64_t)db_int(row, 0, C_USER);
	r = compare(a, row);
	if (r != 0)
		return r < 0 ? r
			     : let_in(a, user,
				      slice_eq(db_text(row, 0, C_DETAIL), slice_str(own_password)));
	a->what = ANSWER_WRONG;
	alarm_count(ALARM_CODE);
	r = db_run(db, NULL, sql_auth_code_tried, p_int(a->token.org), p_int(a->token.id));
	if (r >= 0)
		r = alarm_failure(a->c, a->token.org, ALARM_CODE);
	return r < 0 ? r
		     : audit_put_user(a->c, a->token.org, user, "login.factor_failed",
				      json_pack("{s:s}", "factor", factor_name(a->kind)));
}

static int refuse(struct call *c, const struct answering *a)
{
	if (a->what == ANSWER_ENDED)
		return problem(c, 422, "challenge_ended",
			       "this challenge is too old, used already or was tried too often: "
			       "log in again");
	return problem(c, 422, "wrong_code", "the code is wrong, too old or used already");
}

static int read_token(struct call *c, struct slice text, struct token *ret)
{
	const struct answering ended = { .what = ANSWER_ENDED };

	if (token_parse(text, ret) < 0 || ret->kind != ID_TOKEN)
		return refuse(c, &ended);
	return 0;
}

static int post_factor(struct call *c)
{
	struct answering a = { .c = c };
	struct factor_body b = { 0 };
	struct body_seen seen;
	int r = http_body_read(c, factor_fields, ARRAY_LEN(factor_fields), &b, &seen);

	if (r < 0)
		return r;
	if (factor_parse(b.factor, &a.kind) < 0)
		problem_add(c, "/factor", "unknown_factor", "must be totp, mail or recovery");
	r = problem_end(c);
	if (r >= 0)
		r = read_token(c, b.challenge, &a.token);
	if (r < 0)
		return r;
	a.code = slice_trim(b.code);
	r = db_tx(c->db, a.token.org, answer, &a);
	return r < 0 ? r : a.what == ANSWER_RIGHT ? 0 : refuse(c, &a);
}

/* ---- another code ------------------------------------------------------------------------ */

static const struct body_field mail_fields[] = {
	{ "challenge", BODY_LINE, offsetof(struct factor_body, challenge), BODY_REQUIRED, 1,
	  TOKEN_MAX, 0 },
};

static int send_code(struct db *db UNUSED, void *arg)
{
	struct answering *a = arg;
	OWNED(db_result) row = NULL;
	struct factors f;
	int r = find(a, &row);

	if (r < 0 || a->what == ANSWER_ENDED)
		return r;
	const struct challenge k = { a->c, a->token.org, (uint64_t)db_int(row, 0, C_USER),
				     a->token.id, a->token.secret };
	r = factor_state(a->c, k.org, k.user, &f);
	if (r >= 0 && (!f.mail || !mail_on(a->c->app)))
		return problem(a->c, 409, "no_mail_factor",
			       "codes by mail are no second factor of this account");
	if (r >= 0)
		r = mail_code(&k);
	return r < 0 ? r : audit_put_user(a->c, k.org, k.user, "login.code_sent", NULL);
}

static int post_mail(struct call *c)
{
	struct answering a = { .c = c };
	struct factor_body b = { 0 };
	struct body_seen seen;
	int r = http_body_read(c, mail_fields, ARRAY_LEN(mail_fields), &b, &seen);

	if (r >= 0)
		r = read_token(c, b.challenge, &a.token);
	if (r >= 0)
		r = db_tx(c->db, a.token.org, send_code, &a);
	return r < 0 ? r : a.what == ANSWER_ENDED ? refuse(c, &a) : http_reply_empty(c, 202);
}

/* clang-format off */
const struct http_route auth_arrival_routes[] = {
	{"POST", "/v1/auth/login/factor",      AUTH_NONE, 0, ROUTE_BRAKED | ROUTE_NO_TX, 0, post_factor},
	{"POST", "/v1/auth/login/factor/mail", AUTH_NONE, 0, ROUTE_BRAKED | ROUTE_NO_TX, 0, post_mail  },
};
/* clang-format on */
const size_t auth_arrival_routes_n = ARRAY_LEN(auth_arrival_routes);
