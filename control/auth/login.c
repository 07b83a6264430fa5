/* control/auth/login.c - login, logout, and using a token that was handed over. */
#include "control/auth/audit.h"
#include "base/random.h"
#include "control/auth/alarm.h"
#include "control/auth/arrival.h"
#include "control/auth/gate.h"
#include "control/auth/handed.h"
#include "control/auth/linked.h"
#include "control/auth/login_session.h"
#include "control/auth/options.h"
#include "control/auth/password.h"
#include "control/auth/places.h"
#include "control/auth/routes.h"
#include "control/auth/statements.h"
#include "control/auth/throttle.h"
#include "control/auth/token.h"
#include "control/auth/warn.h"
#include "control/http/body.h"
#include "control/http/problem.h"
#include "control/http/reply.h"
#include "message/mailbox.h"

enum { LOGINS_MAX = 8, SLOTS = 64 };

static const struct login_shown own_password = { .own = true, .proved = true };

struct login_body {
	struct slice user, email, password, org_name;
	uint64_t org; /* 0: any that knows the address */
};
/* clang-format off */
static const struct body_field login_fields[] = {
	{"user",     BODY_LINE, offsetof(struct login_body, user),     0,             1, 320,          0     },
	{"email",    BODY_LINE, offsetof(struct login_body, email),    0,             1, 320,          0     },
	{"password", BODY_LINE, offsetof(struct login_body, password), BODY_REQUIRED, 1, PASSWORD_MAX, 0     },
	{"org",      BODY_LINE, offsetof(struct login_body, org_name), 0,             1, 64,           0     },
};
/* clang-format on */

struct login_candidate {
	struct call *c;
	uint32_t org;
	uint64_t user;
	bool known;    /* the caller's network is */
	bool sso_only; /* passwords do not count for them */
	char hash[PASSWORD_HASH_MAX];
};

enum { LOOK_HASH, LOOK_KNOWN, LOOK_SSO };

static int look_at(struct db *db, void *arg)
{
	struct login_candidate *k = arg;
	char net[PLACE_TEXT_MAX];
	OWNED(db_result) res = NULL;
	int r = db_run(db, &res, sql_auth_login_look, p_int(k->org), p_int(k->user),
		       p_str(places_text(k->c, net)));

	if (r > 0) {
		slice_copy(k->hash, sizeof(k->hash), db_text(res, 0, LOOK_HASH));
		k->known = db_bool(res, 0, LOOK_KNOWN);
		k->sso_only = db_bool(res, 0, LOOK_SSO);
	}
	return r < 0 ? r : 0;
}

enum { LOGIN_ORG, LOGIN_USER };

/* Accounts with this normalised address, in one organisation or in all (0); returns how many. */
static int find_candidates(struct call *c, struct slice email, uint64_t org,
			   struct login_candidate *k)
{
	OWNED(db_result) res = NULL;
	unsigned n = 0;
	int r = db_run(c->db, &res, "SELECT org_id, user_id FROM lookup_logins($1)", p_text(email));

	for (unsigned i = 0; r >= 0 && i < db_rows(res) && n < LOGINS_MAX; i++) {
		if (org && org != (uint64_t)db_int(res, i, LOGIN_ORG))
			continue;
		k[n] = (struct login_candidate){ .c = c,
						 .org = (uint32_t)db_int(res, i, LOGIN_ORG),
						 .user = (uint64_t)db_int(res, i, LOGIN_USER) };
		r = db_tx(c->db, k[n].org, look_at, &k[n]);
		n++;
	}
	return r < 0 ? r : (int)n;
}

struct named {
	struct slice name;
	struct login_candidate *k;
};

static int look_for_name(struct db *db, void *arg)
{
	struct named *n = arg;
	OWNED(db_result) res = NULL;
	int r = db_run(db, &res, sql_auth_login_named, p_int(n->k->org), p_text(n->name));

	if (r <= 0)
		return r;
	n->k->user = (uint64_t)db_int(res, 0, 0);
	r = look_at(db, n->k);
	return r < 0 ? r : 1;
}

/* The tries at these accounts are used up. */
static int refuse_guess(struct call *c, const struct login_candidate *k, int n)
{
	int r = 0;

	alarm_count(ALARM_THROTTLED);
	for (int i = 0; i < n && r >= 0; i++)
		r = alarm_throttled(c, k[i].org);
	return r < 0 ? r : throttle_refuse(c);
}

/* Keeps those whose password may be tried at this time; all strange to this place share a try. */
static int keep_allowed(struct call *c, struct slice email, struct login_candidate *k, int n,
			bool *ret_strange)
{
	bool strange = n == 0, allowed;
	int kept = 0;

	for (int i = 0; i < n; i++)
		strange |= !k[i].known;
	allowed = strange && throttle_guess(c, email);
	*ret_strange = allowed;
	for (int i = 0; i < n; i++)
		if (k[i].known ? throttle_guess_known(c, k[i].org, k[i].user) : allowed)
			k[kept++] = k[i];
	return kept || allowed ? kept : refuse_guess(c, k, n);
}

struct entering {
	struct call *c;
	const struct login_candidate *k;
};

static int enter(struct db *db UNUSED, void *arg)
{
	struct entering *e = arg;

	return arrival_continue_shown(e->c, e->k->org, e->k->user, 200, own_password);
}

static int note_failure(struct db *db UNUSED, void *arg)
{
	struct entering *e = arg;
	char id[ID_OUT_MAX];

	int r = alarm_failure(e->c, e->k->org, ALARM_PASSWORD);

	return r < 0 ? r
		     : audit_put_in(e->c, e->k->org, "login.failed",
				    ids_out(ID_USER, e->k->user, id), NULL);
}

/* Each account that has this address gets its line; where there is none, as much is written. */
static int refuse_login(struct call *c, const struct login_candidate *k, int n)
{
	int r = 0;

	alarm_count(ALARM_PASSWORD);
	if (n == 0)
		r = db_run(c->db, NULL, sql_auth_stranger_failed, p_int(random_below(SLOTS)));
	for (int i = 0; i < n && r >= 0; i++) {
		struct entering e = { .c = c, .k = &k[i] };
		r = db_tx(c->db, k[i].org, note_failure, &e);
	}
	return r < 0 ? r
		     : problem(c, 401, "wrong_credentials",
			       "the email address or the password is wrong");
}

/* How many accounts have this password; the last of them. */
static int try_password(struct call *c, const struct login_candidate *k, int n,
			struct slice password, const struct login_candidate **ret)
{
	int hits = 0;

	if (n == 0)
		(void)password_right(c->app, password, slice_of("", 0));
	for (int i = 0; i < n; i++)
		if (password_right(c->app, password, slice_str(k[i].hash))) {
			*ret = &k[i];
			hits++;
		}
	return hits;
}

/* Said to those who know the password. */
static int refuse_password(struct call *c)
{
	return problem(c, 403, "sso_required",
		       "passwords do not count in this organisation: sign in by one of its "
		       "identity providers");
}

/* An account by the name that its organisation gave it. */
static int find_named(struct call *c, struct slice name, uint64_t org, struct login_candidate *k)
{
	struct named n = { .name = name, .k = k };

	*k = (struct login_candidate){ .c = c, .org = (uint32_t)org };
	return db_tx(c->db, k->org, look_for_name, &n);
}

/* Whose password may be tried; `who` is what guesses are counted by. */
static int find_accounts(struct call *c, const struct login_body *b, struct slice who, bool address,
			 struct login_candidate *k)
{
	if (!who.n || (b->org_name.n && !b->org))
		return 0;
	if (address)
		return find_candidates(c, who, b->org, k);
	return b->org ? find_named(c, who, b->org, k) : 0;
}

static int log_in(struct call *c, const struct login_body *b, struct slice who, bool address)
{
	struct login_candidate k[LOGINS_MAX] = { 0 };
	const struct login_candidate *right = NULL;
	bool strange = false;
	int hits, n = find_accounts(c, b, who, address, k);

	if (n >= 0 && who.n)
		n = keep_allowed(c, who, k, n, &strange);
	if (n < 0)
		return n;
	hits = try_password(c, k, n, b->password, &right);
	if (!hits)
		return refuse_login(c, k, n);
	if (strange)
		throttle_right(c, who);
	for (int i = 0; i < n; i++)
		if (k[i].known)
			throttle_right_known(c, k[i].org, k[i].user);
	if (hits > 1)
		return problem(c, 409, "org_required",
			       "this email address belongs to several organisations: send the id "
			       "or the name of one in org");
	if (right->sso_only)
		return refuse_password(c);
	struct entering e = { .c = c, .k = right };
	return db_tx(c->db, right->org, enter, &e);
}

static void lower(char *dst, size_t cap, struct slice s)
{
	(void)slice_copy(dst, cap, s);
	for (; *dst; dst++)
		*dst = ascii_lower(*dst);
}

/* The id, or the name that people type; 0: there is no such organisation. */
static int find_org(struct call *c, struct slice text, uint64_t *ret)
{
	OWNED(db_result) res = NULL;
	char name[64];
	int r;

	if (ids_in(ID_ORG, text, ret) >= 0)
		return 0;
	/* What is too long is nobody's name, and would be cut within a character. */
	lower(name, sizeof(name), text.n < sizeof(name) ? text : SLICE(""));
	r = db_run(c->db, &res, "SELECT lookup_org($1)", p_str(name));
	if (r < 0)
		return r;
	*ret = (uint64_t)db_int(res, 0, 0);
	return 0;
}

static int post_login(struct call *c)
{
	struct login_body b = { 0 };
	char norm[MAILBOX_MAX + 2], name[64];
	struct body_seen seen;
	struct mailbox box;
	int r = http_body_read(c, login_fields, ARRAY_LEN(login_fields), &b, &seen);

	if (r >= 0 && !b.user.n == !b.email.n)
		problem_add(c, "/email", "required", "send the address or the user name, as user");
	if (r >= 0)
		r = problem_end(c);
	if (r >= 0 && b.org_name.n)
		r = find_org(c, b.org_name, &b.org);
	if (r < 0)
		return r;
	b.user = b.user.n ? b.user : b.email;
	if (mailbox_parse(b.user, MAILBOX_CONTACT, &box) >= 0)
		return log_in(c, &b, mailbox_normal(&box, norm), true);
	/* What is neither has no account, and takes as long as a wrong password. */
	lower(name, sizeof(name), b.user);
	return log_in(c, &b, b.user.n < sizeof(name) ? slice_str(name) : SLICE(""), false);
}

static int post_logout(struct call *c)
{
	int r = db_run(c->db, NULL, "DELETE FROM sessions WHERE org_id = $1 AND id = $2",
		       p_int(c->actor.org), p_int(c->actor.session));

	if (r >= 0)
		r = audit_put_id(c, "session.ended", ID_SESSION, c->actor.session, NULL);
	if (r < 0)
		return r;
	login_session_cookie(c, "");
	return http_reply_empty(c, 204);
}

struct reset_body {
	struct slice email;
};
/* clang-format off */
static const struct body_field reset_fields[] = {
	{"email", BODY_EMAIL, offsetof(struct reset_body, email), BODY_REQUIRED, 0, 0, 0},
};
/* clang-format on */

struct reset_request {
	struct call *c;
	const struct login_candidate *k;
};

static int note_reset(struct db *db UNUSED, void *arg)
{
	struct reset_request *q = arg;
	char id[ID_OUT_MAX];

	int r = handed_reset(q->c, q->k->org, q->k->user);

	if (r < 0)
		return r;
	return audit_put_in(q->c, q->k->org, "user.reset_requested",
			    ids_out(ID_USER, q->k->user, id), NULL);
}

/* Answers the same whether the address is known or not.  The token goes by mail; where the platform
 * sends none, an admin sees it in the audit and makes one (POST /v1/members/{id}/reset). */
static int post_reset(struct call *c)
{
	struct login_candidate k[LOGINS_MAX] = { 0 };
	struct reset_body b = { 0 };
	char norm[MAILBOX_MAX + 2];
	struct body_seen seen;
	struct mailbox box;
	struct slice email = { 0 };
	int n = 0, r = http_body_read(c, reset_fields, ARRAY_LEN(reset_fields), &b, &seen);

	if (r >= 0)
		r = mailbox_parse(b.email, MAILBOX_CONTACT, &box);
	if (r >= 0) {
		email = mailbox_normal(&box, norm);
		r = throttle_reset(c, email);
	}
	if (r < 0)
		return r;
	n = find_candidates(c, email, 0, k);
	for (int i = 0; i < n && r >= 0; i++) {
		struct reset_request q = { .c = c, .k = &k[i] };
		r = db_tx(c->db, k[i].org, note_reset, &q);
	}
	return n < 0 ? n : r < 0 ? r : http_reply_empty(c, 202);
}

struct verify_body {
	struct slice token, password, name;
};
/* clang-format off */
static const struct body_field verify_fields[] = {
	{"token",    BODY_LINE, offsetof(struct verify_body, token),    BODY_REQUIRED, 1,            TOKEN_MAX,    0},
	{"password", BODY_LINE, offsetof(struct verify_body, password), BODY_REQUIRED, PASSWORD_MIN, PASSWORD_MAX, 0},
	{"name",     BODY_NAME, offsetof(struct verify_body, name),     0,             0,            100,          0},
};
/* clang-format on */

struct token_acceptance {
	struct call *c;
	const struct token *token;
	const struct verify_body *b;
	const char *hash;
	bool reset; /* no invitation */
};

enum { T_HASH, T_USER, T_KIND };

static int use_token(struct token_acceptance *a, uint64_t *ret_user)
{
	OWNED(db_result) res = NULL;
	int r = db_run(a->c->db, &res, sql_auth_token_handed, p_int(a->token->org),
		       p_int(a->token->id));

	if (r < 0)
		return r;
	if (r == 0 ||
	    !token_right(a->c->app->token_pepper, a->token->secret, db_bytes(res, 0, T_HASH)))
		return problem(
		    a->c, 422, "invalid_token",
		    "the token is wrong, too old or used already: ask an admin for a new one");
	*ret_user = (uint64_t)db_int(res, 0, T_USER);
	a->reset = db_int(res, 0, T_KIND) == TOKEN_RESET;
	r = db_run(a->c->db, NULL, sql_auth_tokens_end, p_int(a->token->org), p_int(*ret_user));
	return r < 0 ? r : 0;
}

enum { WHO_EMAIL, WHO_NAME, WHO_ORG, WHO_HASH, WHO_SSO };

/* The new password is not what its person is called.  Who resets it is let in, whatever others
 * guessed, and from then on known at this place only. */
static int meet_person(const struct token_acceptance *a, uint64_t user)
{
	struct call *c = a->c;
	OWNED(db_result) res = NULL;
	int r = db_run(c->db, &res, sql_auth_member_about, p_int(a->token->org), p_int(user));

	if (r <= 0)
		return r;
	if (db_bool(res, 0, WHO_SSO))
		return refuse_password(c);
	const struct slice about[] = { db_text(res, 0, WHO_EMAIL), db_text(res, 0, WHO_NAME),
				       db_text(res, 0, WHO_ORG), a->b->name };
	r = password_accept(c, "/password", a->b->password, about, ARRAY_LEN(about));
	if (r < 0)
		return r;
	throttle_lift(c, about[WHO_EMAIL]);
	return places_forget(c, a->token->org, user);
}

static int accept_token(struct db *db, void *arg)
{
	struct token_acceptance *a = arg;
	uint64_t user = 0;
	int r = use_token(a, &user);

	if (r >= 0)
		r = meet_person(a, user);
	if (r >= 0)
		r = db_run(db, NULL, sql_auth_member_accept, p_int(a->token->org), p_int(user),
			   p_str(a->hash), p_text(a->b->name));
	if (r == 0 && user)
		return problem(a->c, 422, "invalid_token",
			       "this account is disabled: ask an admin to make it active");
	if (r >= 0)
		r = db_run(db, NULL, "DELETE FROM sessions WHERE org_id = $1 AND user_id = $2",
			   p_int(a->token->org), p_int(user));
	/* Whoever helped to it opens this organisation's account, and no other. */
	if (r >= 0)
		r = linked_end(a->c, a->token->org, user);
	if (r >= 0 && a->reset)
		r = warn_person(a->c, a->token->org, user, MAIL_PASSWORD_CHANGED, SLICE(""), NULL);
	if (r >= 0)
		r = audit_put_user(a->c, a->token->org, user, "user.password_chosen", NULL);
	return r < 0 ? r : arrival_continue_shown(a->c, a->token->org, user, 200, own_password);
}

static int post_verify(struct call *c)
{
	char hash[PASSWORD_HASH_MAX];
	struct verify_body b = { 0 };
	struct body_seen seen;
	struct token t;
	int r = http_body_read(c, verify_fields, ARRAY_LEN(verify_fields), &b, &seen);

	if (r < 0)
		return r;
	if (token_parse(b.token, &t) < 0 || t.kind != ID_TOKEN)
		return problem(
		    c, 422, "invalid_token",
		    "the token is wrong, too old or used already: ask an admin for a new one");
	r = password_hash(c->app, b.password, hash);
	if (r < 0)
		return r;
	struct token_acceptance a = { .c = c, .token = &t, .b = &b, .hash = hash };
	return db_tx(c->db, t.org, accept_token, &a);
}

#define LOGOUT (ROUTE_NO_BODY | ROUTE_SUSPENDED_TOO | ROUTE_ENROLLING_TOO)
/* clang-format off */
const struct http_route auth_routes[] = {
	{"POST", "/v1/auth/login",          AUTH_NONE,    0, ROUTE_BRAKED | ROUTE_NO_TX,                 0, post_login },
	{"POST", "/v1/auth/logout",         AUTH_SESSION, 0, LOGOUT, 0, post_logout},
	{"POST", "/v1/auth/password-reset", AUTH_NONE,    0, ROUTE_BRAKED | ROUTE_NO_TX,                 0, post_reset },
	{"POST", "/v1/auth/verify",         AUTH_NONE,    0, ROUTE_BRAKED | ROUTE_NO_TX,                 0, post_verify},
};
/* clang-format on */
const size_t auth_routes_n = ARRAY_LEN(auth_routes);
