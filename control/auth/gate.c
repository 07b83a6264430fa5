/* control/auth/gate.c - sessions, API keys and the platform's token. */
#include <stdio.h>

#include "base/clock.h"
#include "base/file.h"
#include "control/auth/alarm.h"
#include "control/auth/gate.h"
#include "control/auth/key_certificate.h"
#include "control/auth/key_enter.h"
#include "control/auth/key_use.h"
#include "control/auth/login_session.h"
#include "control/auth/options.h"
#include "control/auth/permit.h"
#include "control/auth/statements.h"
#include "control/auth/token.h"
#include "control/http/options.h"
#include "control/http/problem.h"
#include "control/http/reply.h"

enum { TOKEN_LEAST = 24, TOKEN_FILE_MAX = 4096 };

static const struct slice bearer = { "Bearer ", 7 };

const char *auth_cookie(const struct app *app)
{
	return http_options(app)->cookie_secure ? "__Host-postern_session" : "postern_session";
}

/* RFC 6750 section 3.1: whoever sent no credential is not told of an error. */
static int refuse_as(struct call *c, const char *code, const char *why)
{
	bool sent = call_header(c, "Authorization").p || call_header(c, "X-Api-Key").p;

	http_reply_header(c, "WWW-Authenticate", "Bearer realm=\"postern\"%s",
			  sent ? ", error=\"invalid_token\"" : "");
	return problem(c, 401, code, "%s", why);
}

static int refuse(struct call *c, const char *why)
{
	return refuse_as(c, "not_authenticated", why);
}

/* Authorization: Bearer, X-Api-Key, or the cookie. */
static struct slice find_credential(struct call *c, bool *ret_cookie)
{
	struct slice header = call_header(c, "Authorization");

	*ret_cookie = false;
	if (slice_starts_nocase(header, bearer))
		return slice_skip(header, bearer.n);
	header = call_header(c, "X-Api-Key");
	if (header.p)
		return header;
	*ret_cookie = true;
	return call_cookie(c, auth_cookie(c->app));
}

static bool changes_something(const struct call *c)
{
	return strcmp(c->route->method, "GET") != 0;
}

static int refuse_verdict(struct call *c, enum key_verdict v)
{
	static const char *const codes[] = {
		[KEY_WRONG] = "not_authenticated",
		[KEY_TOKEN_OVER] = "token_expired",
		[KEY_UNSHOWN] = "certificate_required",
		[KEY_OWNER_INACTIVE] = "key_maker_inactive",
		[KEY_OWNER_MAY_NOT] = "key_maker_may_not",
	};

	if (v == KEY_ELSEWHERE)
		return problem(c, 403, "address_not_allowed", "%s", key_verdict_text(v));
	return refuse_as(c, codes[v], key_verdict_text(v));
}

static int enter_key(struct call *c, const struct token *t)
{
	enum key_verdict v = KEY_WRONG;
	int r = key_enter(c, t, &v, NULL);

	return r < 0 || v == KEY_FINE ? r : refuse_verdict(c, v);
}

static int enter_token(struct call *c, const struct access_token *t)
{
	enum key_verdict v = KEY_WRONG;
	int r = key_enter_token(c, t, &v);

	return r < 0 || v == KEY_FINE ? r : refuse_verdict(c, v);
}

void auth_session_hash(struct call *c, uint8_t ret[TOKEN_HASH_LEN])
{
	bool cookie;
	struct token t = { 0 };

	if (token_parse(find_credential(c, &cookie), &t) < 0)
		t.secret = SLICE("");
	token_hash(c->app->session_pepper, t.secret, ret);
}

static int touch_session(struct call *c)
{
	int r = db_run(c->db, NULL,
		       "UPDATE sessions SET last_seen_at = now() WHERE org_id = $1 AND id = $2",
		       p_int(c->actor.org), p_int(c->actor.session));
	return r < 0 ? r : 0;
}

enum {
	SESSION_HASH,
	SESSION_CSRF,
	SESSION_USER,
	SESSION_ROLE,
	SESSION_SUSPENDED,
	SESSION_STALE,
	SESSION_PROVED,
	SESSION_ENROLLING,
	SESSION_PERMITS,
	SESSION_REPLACED,
	SESSION_REPLACED_LONG,
	SESSION_OWN,
};

/* Within a minute it may be a request of the same page that was on its way. */
static int refuse_replaced(struct call *c, const struct token *t, bool long_ago)
{
	int r = long_ago ? login_session_reused(c, t->org, t->id) : 0;

	return r < 0 ? r : refuse(c, "the session goes on under another token: use that one");
}

static int enter_session(struct call *c, const struct token *t, bool cookie)
{
	OWNED(db_result) res = NULL;
	int r = db_run(c->db, &res, sql_auth_enter_session, p_int(t->org), p_int(t->id),
		       p_int(auth_options(c->app)->session_idle),
		       p_int(auth_options(c->app)->proof_life));

	if (r < 0)
		return r;
	if (r == 0 ||
	    !token_right(c->app->session_pepper, t->secret, db_bytes(res, 0, SESSION_HASH)))
		return refuse(c, "the session has ended: log in again");
	if (db_bool(res, 0, SESSION_REPLACED))
		return refuse_replaced(c, t, db_bool(res, 0, SESSION_REPLACED_LONG));
	/* A browser sends the cookie by itself; only our own page knows the CSRF value. */
	if (cookie && changes_something(c) &&
	    !token_right(c->app->session_pepper, call_header(c, "X-CSRF-Token"),
			 db_bytes(res, 0, SESSION_CSRF)))
		return problem(c, 403, "csrf",
			       "send the csrf value of your login in the header X-CSRF-Token");
	c->actor = (struct actor){ .kind = ACTOR_USER,
				   .org = t->org,
				   .session = t->id,
				   .id = (uint64_t)db_int(res, 0, SESSION_USER),
				   .permits = permit_of_member(db_int(res, 0, SESSION_ROLE),
							       db_int(res, 0, SESSION_PERMITS)),
				   .suspended = db_bool(res, 0, SESSION_SUSPENDED),
				   .proved = db_bool(res, 0, SESSION_PROVED),
				   .own = db_bool(res, 0, SESSION_OWN),
				   .enrolling = db_bool(res, 0, SESSION_ENROLLING) };
	return db_bool(res, 0, SESSION_STALE) ? touch_session(c) : 0;
}

static const char *name_of(uint64_t permit)
{
	unsigned bit = 0;

	while (permit >>= 1)
		bit++;
	return permit_name(bit);
}

static int check_rights(struct call *c)
{
	const struct http_route *route = c->route;

	if (route->auth == AUTH_SESSION && c->actor.kind != ACTOR_USER)
		return problem(c, 403, "session_required",
			       "this needs the session of a person, an API key is not enough");
	if (c->actor.enrolling && !(route->flags & ROUTE_ENROLLING_TOO))
		return problem(c, 403, "factor_required",
			       "your organisation requires a second factor: set one up at "
			       "/v1/me/totp or /v1/me/mail-factor first");
	if (route->permit & ~c->actor.permits) {
		if (c->actor.kind == ACTOR_KEY)
			http_reply_header(c, "WWW-Authenticate",
					  "Bearer realm=\"postern\", error=\"insufficient_scope\", "
					  "scope=\"%s\"",
					  name_of(route->permit));
		return problem(
		    c, 403, "missing_permission",
		    "this needs the permission %s: ask an admin of your organisation for it",
		    name_of(route->permit));
	}
	if (c->actor.test && (route->flags & ROUTE_REAL))
		return problem(c, 403, "test_key",
			       "real mail would leave by this: a test key cannot do it");
	if (c->actor.suspended && changes_something(c) && !(route->flags & ROUTE_SUSPENDED_TOO))
		return problem(c, 403, "org_suspended",
			       "your organisation is suspended and cannot change anything: ask the "
			       "operator of this service");
	return 0;
}

static int enter_named(struct call *c, uint32_t org, uint64_t key)
{
	enum key_verdict v = KEY_WRONG;
	int r = key_enter_named(c, org, key, &v);

	return r < 0 || v == KEY_FINE ? r : refuse_verdict(c, v);
}

/* By credential, whatever may be done with it. */
static int enter_as(struct call *c, struct slice text, bool cookie)
{
	struct access_token access;
	struct token t;
	uint64_t key;
	uint32_t org;

	if (!cookie && key_certificate_parse(text, &org, &key) >= 0)
		return enter_named(c, org, key);
	if (!cookie && access_token_parse(text, &access) >= 0)
		return enter_token(c, &access);
	if (token_parse(text, &t) < 0 || t.kind == ID_TOKEN)
		return refuse(c, "this is neither a session nor an API key: send it exactly as it "
				 "was given to you");
	if (t.kind == ID_KEY)
		return enter_key(c, &t);
	db_begin(c->db, t.org);
	return enter_session(c, &t, cookie);
}

static int enter_member(struct call *c)
{
	bool cookie;
	struct slice text = find_credential(c, &cookie);
	int r;

	if (!text.n)
		return refuse(
		    c, "no credential was sent: send a session or an API key as Bearer token");
	if (!cookie && call_header(c, "Authorization").p && call_header(c, "X-Api-Key").p)
		return problem(c, 400, "two_credentials",
			       "send one credential: Authorization or X-Api-Key, not both");
	r = enter_as(c, text, cookie);
	return r < 0 ? r : check_rights(c);
}

static int enter_platform(struct call *c)
{
	struct slice want = slice_str(c->app->platform_token);
	struct slice given = call_header(c, "Authorization");

	if (!want.n)
		return refuse(c,
			      "the platform's API is off: set http.admin.token_file and restart");
	if (!slice_starts_nocase(given, bearer) ||
	    !slice_eq_secret(slice_skip(given, bearer.n), want))
		return refuse(c, "send the token of http.admin.token_file as Bearer token");
	c->actor = (struct actor){ .kind = ACTOR_PLATFORM, .permits = ~0ULL };
	return 0;
}

static int enter(struct call *c)
{
	c->actor = (struct actor){ .kind = ACTOR_NOBODY };
	switch (c->route->auth) {
	case AUTH_NONE:
		return 0;
	case AUTH_PLATFORM:
		return enter_platform(c);
	case AUTH_MEMBER:
	case AUTH_SESSION:
		return enter_member(c);
	}
	return E_DENIED;
}

const struct http_gate auth_gate = { .enter = enter,
				     .answered = key_use_note,
				     .metrics = alarm_metrics,
				     .permit_name = permit_name };

/* ---- the platform's token ---------------------------------------------------------------- */

static int read_token(struct app *app, const char *path)
{
	struct buf text = { 0 };
	int r = file_read(path, TOKEN_FILE_MAX, &text);

	if (r >= 0)
		app->platform_token = must_copy(buf_data(&text));
	buf_free(&text);
	if (r < 0)
		return r;
	app->platform_token[strcspn(app->platform_token, " \t\r\n")] = '\0';
	return strlen(app->platform_token) < TOKEN_LEAST ? E_SYNTAX : 0;
}

int auth_read_token(struct app *app, char *error)
{
	const char *path = auth_options(app)->admin_token_file;
	int r = path[0] ? read_token(app, path) : 0;

	if (r < 0)
		(void)snprintf(error, OPTION_ERROR_MAX,
			       "http.admin.token_file: %s; the file must hold one line of at least "
			       "%d characters",
			       err_text(r), TOKEN_LEAST);
	return r;
}
