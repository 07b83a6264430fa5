/* control/members/joining.c - POST /v1/me/organisations. */
#include "control/members/joining.h"

#include "control/auth/audit.h"
#include "control/auth/gate.h"
#include "control/auth/linked.h"
#include "control/auth/options.h"
#include "control/auth/password.h"
#include "control/auth/proof.h"
#include "control/auth/statements.h"
#include "control/auth/token.h"
#include "control/http/api.h"
#include "control/http/body.h"
#include "control/http/problem.h"
#include "control/http/reply.h"
#include "control/members/statements.h"

struct joining_body {
	struct slice invitation, session, password, name;
};
/* clang-format off */
static const struct body_field fields[] = {
	{"invitation", BODY_LINE, offsetof(struct joining_body, invitation), 0, 1,            TOKEN_MAX,    0},
	{"session",    BODY_LINE, offsetof(struct joining_body, session),    0, 1,            TOKEN_MAX,    0},
	{"password",   BODY_LINE, offsetof(struct joining_body, password),   0, PASSWORD_MIN, PASSWORD_MAX, 0},
	{"name",       BODY_NAME, offsetof(struct joining_body, name),       0, 0,            100,          0},
};
/* clang-format on */

struct joining {
	struct call *c;
	const struct joining_body *b;
	struct token token;
	char hash[PASSWORD_HASH_MAX]; /* "": no password of their own */
	uint64_t user;                /* there */
};

/* ---- as whom they come ------------------------------------------------------------------- */

static int refuse(struct joining *j)
{
	int r = call_brake_wrong(j->c);

	if (r < 0)
		return r;
	if (j->b->session.n)
		return problem(
		    j->c, 422, "invalid_session",
		    "the session has ended, or was not begun with your password a moment "
		    "ago: log in there again");
	return problem(j->c, 422, "invalid_token",
		       "the invitation is wrong, too old or used already: ask for a new one");
}

enum { WHO_EMAIL, WHO_NAME, WHO_ORG };

/* The password is not what its person is called. */
static int check_password(struct joining *j)
{
	struct call *c = j->c;
	OWNED(db_result) res = NULL;
	int r = db_run(c->db, &res, sql_auth_member_about, p_int(j->token.org), p_int(j->user));

	if (r <= 0)
		return r < 0 ? r : E_UNKNOWN;
	const struct slice about[] = { db_text(res, 0, WHO_EMAIL), db_text(res, 0, WHO_NAME),
				       db_text(res, 0, WHO_ORG), j->b->name };
	return password_accept(c, "/password", j->b->password, about, ARRAY_LEN(about));
}

enum { T_HASH, T_USER, T_SSO };

static int by_invitation(struct joining *j)
{
	struct db *db = j->c->db;
	OWNED(db_result) res = NULL;
	int r = db_run(db, &res, sql_members_invitation, p_int(j->token.org), p_int(j->token.id));

	if (r < 0)
		return r;
	if (r == 0 ||
	    !token_right(j->c->app->token_pepper, j->token.secret, db_bytes(res, 0, T_HASH)))
		return refuse(j);
	if (db_bool(res, 0, T_SSO))
		return joining_sso_only(j->c);
	j->user = (uint64_t)db_int(res, 0, T_USER);
	r = j->b->password.n ? check_password(j) : 0;
	if (r >= 0)
		r = db_run(db, NULL, sql_auth_tokens_end, p_int(j->token.org), p_int(j->user));
	if (r >= 0)
		r = db_run(db, NULL, sql_members_come, p_int(j->token.org), p_int(j->user),
			   j->hash[0] ? p_str(j->hash) : p_null(), p_text(j->b->name));
	return r < 0 ? r : r == 0 ? refuse(j) : 0;
}

enum { S_HASH, S_USER, S_FIT };

static int by_session(struct joining *j)
{
	struct call *c = j->c;
	OWNED(db_result) res = NULL;
	int r = db_run(c->db, &res, sql_members_session_shown, p_int(j->token.org),
		       p_int(j->token.id), p_int(auth_options(c->app)->proof_life),
		       p_int(auth_options(c->app)->session_idle));

	if (r < 0)
		return r;
	if (r == 0 ||
	    !token_right(c->app->session_pepper, j->token.secret, db_bytes(res, 0, S_HASH)) ||
	    !db_bool(res, 0, S_FIT))
		return refuse(j);
	j->user = (uint64_t)db_int(res, 0, S_USER);
	return 0;
}

/* ---- the link ---------------------------------------------------------------------------- */

enum linking { LINK_MADE, LINK_THERE, LINK_UNFIT, LINK_TWICE, LINK_FULL }; /* of person_link() */

static int refuse_link(struct call *c, enum linking what)
{
	switch (what) {
	case LINK_MADE:
		return 0;
	case LINK_THERE:
		return problem(c, 409, "already_linked",
			       "this organisation is among yours already");
	case LINK_TWICE:
		return problem(c, 409, "two_members",
			       "you are in one of these organisations as another member already: "
			       "leave the links there first");
	case LINK_FULL:
		return problem(c, 409, "too_many_organisations",
			       "a person can belong to 50 organisations");
	case LINK_UNFIT:
		break;
	}
	return proof_refuse(c);
}

static int link_there(struct joining *j)
{
	struct call *c = j->c;
	uint8_t hash[TOKEN_HASH_LEN];
	OWNED(db_result) res = NULL;
	int r;

	auth_session_hash(c, hash);
	r = db_run(c->db, &res, sql_members_link, p_int(j->user), p_int(c->actor.org),
		   p_int(c->actor.session), p_bytes(slice_of((char *)hash, sizeof(hash))),
		   p_int(auth_options(c->app)->proof_life));
	return r < 0 ? r : refuse_link(c, (enum linking)db_int(res, 0, 0));
}

static int reply_joined(struct joining *j)
{
	OWNED(db_result) res = NULL;
	int r = db_run(j->c->db, &res, sql_members_joined, p_int(j->token.org), p_int(j->user));

	if (r <= 0)
		return r < 0 ? r : E_UNKNOWN;
	return http_reply_json(j->c, 201, joining_json(j->c, res, 0));
}

/* In the transaction of the other organisation; it goes on here for the lines of this side. */
static int join(struct db *db, void *arg)
{
	struct joining *j = arg;
	struct call *c = j->c;
	int r = j->b->session.n ? by_session(j) : by_invitation(j);

	if (r >= 0)
		r = link_there(j);
	if (r >= 0)
		r = reply_joined(j);
	if (r >= 0)
		r = linked_tell(c, j->token.org, j->user, true);
	if (r >= 0)
		r = db_turn(db, c->actor.org);
	return r < 0 ? r : linked_tell(c, c->actor.org, c->actor.id, true);
}

static int read_secret(struct joining *j)
{
	const struct joining_body *b = j->b;
	enum id_kind kind = b->session.n ? ID_SESSION : ID_TOKEN;

	if (!b->session.n == !b->invitation.n)
		problem_add(j->c, "/invitation", "required",
			    "send the token of an invitation, or as session the one of a session "
			    "in the other organisation");
	if (b->session.n && (b->password.n || b->name.n))
		problem_add(j->c, "/session", "not_both",
			    "takes no name and no password: the account has its own");
	int r = problem_end(j->c);
	if (r < 0)
		return r;
	if (token_parse(b->session.n ? b->session : b->invitation, &j->token) < 0 ||
	    j->token.kind != kind)
		return refuse(j);
	if (j->token.org == j->c->actor.org)
		return problem(j->c, 409, "already_linked",
			       "this organisation is the one that you are in");
	return 0;
}

int joining_post(struct call *c)
{
	struct joining_body b = { 0 };
	struct joining j = { .c = c, .b = &b };
	struct body_seen seen;
	int r = http_body_read(c, fields, ARRAY_LEN(fields), &b, &seen);

	if (r >= 0)
		r = joining_own(c);
	if (r >= 0)
		r = proof_need(c);
	if (r >= 0)
		r = read_secret(&j);
	if (r >= 0 && b.password.n)
		r = password_hash(c->app, b.password, j.hash);
	return r < 0 ? r : db_tx(c->db, j.token.org, join, &j);
}
