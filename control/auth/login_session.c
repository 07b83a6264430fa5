/* control/auth/login_session.c - sessions begun, described and ended. */
#include "base/encode.h"
#include "base/log.h"
#include "control/auth/audit.h"
#include "control/auth/factor.h"
#include "control/auth/gate.h"
#include "control/auth/login_session.h"
#include "control/auth/options.h"
#include "control/auth/permit.h"
#include "control/auth/places.h"
#include "control/auth/profile.h"
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
	WHO_OWN_ROLE,
	WHO_OWN_PERMITS,
};

static json_t *role_name(const struct db_result *res)
{
	int64_t role = db_int(res, 0, WHO_ROLE);

	return role == ROLE_OWN ? api_text(db_text(res, 0, WHO_OWN_ROLE))
				: json_string(permit_role_name((enum role)role));
}

int login_session_user(struct call *c, uint32_t org, uint64_t user, json_t **ret)
{
	OWNED(db_result) res = NULL;
	struct factors f;
	int r = db_run(c->db, &res, sql_auth_session_user, p_int(org), p_int(user));

	if (r <= 0)
		return r < 0 ? r : E_UNKNOWN;
	r = factor_state(c, org, user, &f);
	if (r < 0)
		return r;
	int64_t role = db_int(res, 0, WHO_ROLE);
	*ret = json_pack(
	    "{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:{s:o, s:o, s:o, s:s}}", "id",
	    api_id(ID_USER, user), "email", api_text(db_text(res, 0, WHO_EMAIL)), "name",
	    api_text(db_text(res, 0, WHO_NAME)), "username",
	    api_text(db_text(res, 0, WHO_USERNAME)), "language",
	    api_text(db_text(res, 0, WHO_LANGUAGE)), "role", role_name(res), "permissions",
	    permit_json(permit_of_member(role, db_int(res, 0, WHO_OWN_PERMITS))), "factors",
	    factor_json(&f), "created_at", api_time(db_int(res, 0, WHO_CREATED)), "org", "id",
	    api_id(ID_ORG, org), "handle", api_text(db_text(res, 0, WHO_HANDLE)), "name",
	    api_text(db_text(res, 0, WHO_ORG_NAME)), "status",
	    db_bool(res, 0, WHO_SUSPENDED) ? "suspended" : "active");
	http_reply_etag(c, db_int(res, 0, WHO_VERSION));
	r = profile_add(c, org, user, *ret);
	if (r < 0) {
		json_decref(*ret);
		*ret = NULL;
	}
	return r;
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

/* The secrets of a session that is being made, and what the database keeps of them. */
struct secrets_made {
	char secret[TOKEN_SECRET_LEN + 1], csrf[TOKEN_SECRET_LEN + 1];
	uint8_t secret_hash[TOKEN_HASH_LEN], csrf_hash[TOKEN_HASH_LEN];
};

static void make_secrets(struct call *c, struct secrets_made *m)
{
	token_secret(m->secret);
	token_secret(m->csrf);
	token_hash(c->app->session_pepper, slice_str(m->secret), m->secret_hash);
	token_hash(c->app->session_pepper, slice_str(m->csrf), m->csrf_hash);
}

static int insert_session(struct call *c, uint32_t org, uint64_t user, struct secrets_made *m,
			  struct login_shown shown, uint64_t *ret_id)
{
	struct slice agent = call_header(c, "User-Agent");
	char ip[IP_TEXT_MAX];
	OWNED(db_result) res = NULL;
	int r;

	make_secrets(c, m);
	agent.n = utf8_valid(agent) ? agent.n : 0;
	r = db_run(c->db, &res, sql_auth_session_insert, p_int(org), p_int(user),
		   p_bytes(slice_of((char *)m->secret_hash, TOKEN_HASH_LEN)),
		   p_bytes(slice_of((char *)m->csrf_hash, TOKEN_HASH_LEN)),
		   p_int(auth_options(c->app)->session_life),
		   c->ip.family ? p_str(ip_format(&c->ip, ip)) : p_null(), p_text(agent),
		   p_int(AGENT_MAX), p_bool(shown.own), p_bool(shown.proved));
	if (r < 0)
		return r;
	*ret_id = (uint64_t)db_int(res, 0, 0);
	return 0;
}

void login_session_cookie(struct call *c, const char *token)
{
	int64_t life = *token ? auth_options(c->app)->session_life / 1000 : 0;

	http_reply_header(c, "Set-Cookie",
			  "%s=%s; Path=/; HttpOnly; SameSite=Strict; Max-Age=%lld%s",
			  auth_cookie(c->app), token, (long long)life,
			  http_options(c->app)->cookie_secure ? "; Secure" : "");
}

/* What a login answers. */
static int session_json(struct call *c, uint32_t org, uint64_t user, uint64_t id,
			const struct secrets_made *m, json_t **ret)
{
	char token[TOKEN_MAX];
	json_t *who = NULL;
	int r = login_session_user(c, org, user, &who);

	if (r < 0)
		return r;
	http_reply_etag(c, 0); /* the one that was set is the user's; the answer is a session */
	(void)token_format(ID_SESSION, org, id, m->secret, token);
	login_session_cookie(c, token);
	*ret = json_pack("{s:s, s:s, s:o}", "token", token, "csrf", m->csrf, "user", who);
	return 0;
}

int login_session_begin(struct call *c, uint32_t org, uint64_t user, unsigned status,
			struct login_shown shown)
{
	struct secrets_made m;
	json_t *session = NULL;
	uint64_t id = 0;
	int r = insert_session(c, org, user, &m, shown, &id);

	if (r >= 0)
		r = db_run(c->db, NULL,
			   "UPDATE users SET last_login_at = now() WHERE org_id = $1 AND id = $2",
			   p_int(org), p_int(user));
	if (r >= 0)
		r = warn_new_device(c, org, user);
	if (r >= 0)
		r = places_note(c, org, user);
	if (r >= 0)
		r = session_json(c, org, user, id, &m, &session);
	if (r >= 0)
		r = audit_put_user(c, org, user, "login.succeeded",
				   json_pack("{so}", "session", api_id(ID_SESSION, id)));
	if (r < 0) {
		json_decref(session);
		return r;
	}
	return http_reply_json(c, status, session);
}

int login_session_renew(struct call *c, bool proved, json_t **ret)
{
	OWNED(db_result) res = NULL;
	struct secrets_made m;
	int r;

	make_secrets(c, &m);
	r = db_run(c->db, &res, sql_auth_session_renew, p_int(c->actor.org),
		   p_int(c->actor.session),
		   p_bytes(slice_of((char *)m.secret_hash, TOKEN_HASH_LEN)),
		   p_bytes(slice_of((char *)m.csrf_hash, TOKEN_HASH_LEN)), p_bool(proved));
	if (r <= 0)
		return r < 0 ? r : E_UNKNOWN;
	uint64_t id = (uint64_t)db_int(res, 0, 0);
	r = db_run(c->db, NULL, sql_auth_session_replaced, p_int(c->actor.org),
		   p_int(c->actor.session), p_int(id));
	if (r < 0)
		return r;
	c->actor.session = id;
	return session_json(c, c->actor.org, c->actor.id, c->actor.session, &m, ret);
}

struct reuse {
	struct call *c;
	uint32_t org;
	uint64_t session;
};

static int end_chain(struct db *db, void *arg)
{
	struct reuse *u = arg;
	OWNED(db_result) res = NULL;
	char id[ID_OUT_MAX];
	int r = db_run(db, &res, sql_auth_session_chain_end, p_int(u->org), p_int(u->session));

	if (r <= 0)
		return r;
	(void)ids_out(ID_SESSION, u->session, id);
	log_warn("auth.session_reused", kv_str("session", id));
	return audit_put_in(u->c, u->org, "session.reused", id, NULL);
}

int login_session_reused(struct call *c, uint32_t org, uint64_t session)
{
	struct reuse u = { c, org, session };

	db_rollback(c->db);
	return db_tx(c->db, org, end_chain, &u);
}

int login_session_end_all(struct call *c, uint64_t user, uint64_t but)
{
	int r = db_run(c->db, NULL,
		       "DELETE FROM sessions WHERE org_id = $1 AND user_id = $2 AND id <> $3",
		       p_int(c->actor.org), p_int(user), p_int(but));
	return r < 0 ? r : 0;
}
