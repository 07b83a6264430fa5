/* control/auth/login_session.c - sessions begun, described and ended. */
#include "base/encode.h"
#include "control/auth/gate.h"
#include "control/auth/login_session.h"
#include "control/auth/options.h"
#include "control/auth/audit.h"
#include "control/auth/permit.h"
#include "control/auth/places.h"
#include "control/auth/statements.h"
#include "control/auth/token.h"
#include "control/auth/warn.h"
#include "control/http/api.h"
#include "control/http/options.h"
#include "control/http/reply.h"

enum { AGENT_MAX = 200 };

enum {
	WHO_EMAIL,
	WHO_NAME,
	WHO_ROLE,
	WHO_VERSION,
	WHO_ORG_NAME,
	WHO_SUSPENDED,
	WHO_CREATED,
	WHO_USERNAME,
	WHO_LANGUAGE,
	WHO_HANDLE,
};

int login_session_user(struct call *c, uint32_t org, uint64_t user, json_t **ret)
{
	OWNED(db_result) res = NULL;
	int r = db_run(c->db, &res, sql_auth_session_user, p_int(org), p_int(user));

	if (r <= 0)
		return r < 0 ? r : E_UNKNOWN;
	enum role role = (enum role)db_int(res, 0, WHO_ROLE);
	*ret = json_pack("{s:o, s:o, s:o, s:o, s:o, s:s, s:o, s:o, s:{s:o, s:o, s:o, s:s}}", "id",
			 api_id(ID_USER, user), "email", api_text(db_text(res, 0, WHO_EMAIL)),
			 "name", api_text(db_text(res, 0, WHO_NAME)), "username",
			 api_text(db_text(res, 0, WHO_USERNAME)), "language",
			 api_text(db_text(res, 0, WHO_LANGUAGE)), "role", permit_role_name(role),
			 "permissions", permit_json(permit_of_role(role)), "created_at",
			 api_time(db_int(res, 0, WHO_CREATED)), "org", "id", api_id(ID_ORG, org),
			 "handle", api_text(db_text(res, 0, WHO_HANDLE)), "name",
			 api_text(db_text(res, 0, WHO_ORG_NAME)), "status",
			 db_bool(res, 0, WHO_SUSPENDED) ? "suspended" : "active");
	http_reply_etag(c, db_int(res, 0, WHO_VERSION));
	return 0;
}

int login_session_if_match(struct call *c, uint64_t user)
{
	OWNED(db_result) res = NULL;
	int r;

	r = db_run(c->db, &res,
		   "SELECT version FROM users WHERE org_id = $1 AND id = $2 FOR UPDATE",
		   p_int(c->actor.org), p_int(user));
	return r < 0 ? r : r == 0 ? E_UNKNOWN : call_if_match(c, db_int(res, 0, 0));
}

static int insert_session(struct call *c, uint32_t org, uint64_t user, const char *secret,
			  const char *csrf, uint64_t *ret_id)
{
	struct slice agent = call_header(c, "User-Agent");
	uint8_t secret_hash[TOKEN_HASH_LEN], csrf_hash[TOKEN_HASH_LEN];
	char ip[IP_TEXT_MAX];
	OWNED(db_result) res = NULL;
	int r;

	token_hash(c->app->session_pepper, slice_str(secret), secret_hash);
	token_hash(c->app->session_pepper, slice_str(csrf), csrf_hash);
	agent.n = utf8_valid(agent) ? agent.n : 0;
	r = db_run(c->db, &res, sql_auth_session_insert, p_int(org), p_int(user),
		   p_bytes(slice_of((char *)secret_hash, TOKEN_HASH_LEN)),
		   p_bytes(slice_of((char *)csrf_hash, TOKEN_HASH_LEN)),
		   p_int(auth_options(c->app)->session_life),
		   c->ip.family ? p_str(ip_format(&c->ip, ip)) : p_null(), p_text(agent),
		   p_int(AGENT_MAX));
	if (r < 0)
		return r;
	*ret_id = (uint64_t)db_int(res, 0, 0);
	return 0;
}

int login_session_begin(struct call *c, uint32_t org, uint64_t user, unsigned status)
{
	char secret[TOKEN_SECRET_LEN + 1], csrf[TOKEN_SECRET_LEN + 1], token[TOKEN_MAX];
	json_t *who = NULL;
	uint64_t id;
	int r;

	token_secret(secret);
	token_secret(csrf);
	r = insert_session(c, org, user, secret, csrf, &id);
	if (r >= 0)
		r = db_run(c->db, NULL,
			   "UPDATE users SET last_login_at = now() WHERE org_id = $1 AND id = $2",
			   p_int(org), p_int(user));
	if (r >= 0)
		r = audit_put_user(c, org, user, "login.succeeded",
				   json_pack("{so}", "session", api_id(ID_SESSION, id)));
	if (r >= 0)
		r = warn_new_device(c, org, user);
	if (r >= 0)
		r = places_note(c, org, user);
	if (r >= 0)
		r = login_session_user(c, org, user, &who);
	if (r < 0)
		return r;
	http_reply_etag(c, 0); /* the one that was set is the user's; the answer is a session */
	(void)token_format(ID_SESSION, org, id, secret, token);
	http_reply_header(c, "Set-Cookie",
			  SESSION_COOKIE "=%s; Path=/; HttpOnly; SameSite=Strict; Max-Age=%lld%s",
			  token, (long long)(auth_options(c->app)->session_life / 1000),
			  http_options(c->app)->cookie_secure ? "; Secure" : "");
	return http_reply_json(
	    c, status, json_pack("{s:s, s:s, s:o}", "token", token, "csrf", csrf, "user", who));
}

int login_session_end_all(struct call *c, uint64_t user, uint64_t but)
{
	int r = db_run(c->db, NULL,
		       "DELETE FROM sessions WHERE org_id = $1 AND user_id = $2 AND id <> $3",
		       p_int(c->actor.org), p_int(user), p_int(but));
	return r < 0 ? r : 0;
}
