/* control/federation/journey.c - journeys: begun, come back, handed over, claimed. */
#include "control/federation/journey.h"

#include "base/log.h"
#include "control/federation/return_to.h"
#include "control/federation/statements.h"
#include "control/http/options.h"
#include "control/http/problem.h"
#include "control/http/reply.h"

enum { AWAY_S = 10 * 60, MET_S = 2 * 60 };

/* ---- the browser ------------------------------------------------------------------------- */

static const char *cookie_name(const struct app *app)
{
	return http_options(app)->cookie_secure ? "__Host-postern_journey" : "postern_journey";
}

static bool is_secret(struct slice s)
{
	bool good = s.n == TOKEN_SECRET_LEN;

	for (size_t i = 0; good && i < s.n; i++)
		good = (s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= 'A' && s.p[i] <= 'Z') ||
		       (s.p[i] >= '0' && s.p[i] <= '9') || s.p[i] == '-' || s.p[i] == '_';
	return good;
}

/* Lax: the way back is a navigation that begins at the provider.  A browser with several journeys
 * keeps one cookie for all of them. */
static void give_cookie(struct call *c, uint8_t hash[TOKEN_HASH_LEN])
{
	struct slice has = call_cookie(c, cookie_name(c->app));
	char secret[TOKEN_SECRET_LEN + 1];

	if (is_secret(has))
		slice_copy(secret, sizeof(secret), has);
	else
		token_secret(secret);
	token_hash(c->app->token_pepper, slice_str(secret), hash);
	http_reply_header(c, "Set-Cookie", "%s=%s; Path=/; HttpOnly; SameSite=Lax; Max-Age=%d%s",
			  cookie_name(c->app), secret, AWAY_S + MET_S,
			  http_options(c->app)->cookie_secure ? "; Secure" : "");
}

static bool is_browser(const struct call *c, struct slice hash)
{
	struct slice has = call_cookie(c, cookie_name(c->app));

	return is_secret(has) && token_right(c->app->token_pepper, has, hash);
}

static struct slice hash_slice(const uint8_t *hash)
{
	return slice_of((const char *)hash, TOKEN_HASH_LEN);
}

/* ---- begin ------------------------------------------------------------------------------- */

int journey_begin(struct call *c, uint32_t org, uint64_t provider, struct journey *j, char *state)
{
	uint8_t hash[TOKEN_HASH_LEN], browser[TOKEN_HASH_LEN];
	OWNED(db_result) res = NULL;
	int r = return_to_read(c, org, call_query(c, "return_to"), j->return_to);

	if (r < 0)
		return r;
	j->org = org;
	j->provider = provider;
	token_secret(j->secret);
	token_hash(c->app->token_pepper, slice_str(j->secret), hash);
	give_cookie(c, browser);
	r = db_run(c->db, &res, sql_federation_journey_insert, p_int(org), p_int(provider),
		   p_bytes(hash_slice(hash)), p_bytes(hash_slice(browser)), p_str(j->return_to),
		   p_str(j->detail), p_int(AWAY_S));
	if (r < 0)
		return r;
	j->id = (uint64_t)db_int(res, 0, 0);
	(void)token_format(ID_TOKEN, org, j->id, j->secret, state);
	return 0;
}

/* ---- back -------------------------------------------------------------------------------- */

struct coming {
	struct call *c;
	struct token token;
	bool same_browser, found;
	struct journey *j;
};
enum { B_SECRET, B_BROWSER, B_PROVIDER, B_RETURN, B_DETAIL };

/* A state that comes in another browser than the one it was given to stays good for that one. */
static int come_back(struct db *db, void *arg)
{
	struct coming *k = arg;
	OWNED(db_result) res = NULL;
	int r =
	    db_run(db, &res, sql_federation_journey_back, p_int(k->token.org), p_int(k->token.id));

	k->found = false;
	if (r <= 0 ||
	    !token_right(k->c->app->token_pepper, k->token.secret, db_bytes(res, 0, B_SECRET)))
		return r < 0 ? r : 0;
	if (k->same_browser && !is_browser(k->c, db_bytes(res, 0, B_BROWSER)))
		return 0;
	k->j->org = k->token.org;
	k->j->id = k->token.id;
	k->j->provider = (uint64_t)db_int(res, 0, B_PROVIDER);
	slice_copy(k->j->return_to, sizeof(k->j->return_to), db_text(res, 0, B_RETURN));
	slice_copy(k->j->detail, sizeof(k->j->detail), db_text(res, 0, B_DETAIL));
	slice_copy(k->j->secret, sizeof(k->j->secret), k->token.secret);
	k->found = true;
	return db_run(db, NULL, sql_federation_journey_used, p_int(k->j->org), p_int(k->j->id));
}

int journey_back(struct call *c, struct slice state, bool same_browser, struct journey *ret)
{
	struct coming k = { .c = c, .same_browser = same_browser, .j = ret };
	int r = token_parse(state, &k.token);

	if (r >= 0 && k.token.kind == ID_TOKEN)
		r = db_tx(c->db, k.token.org, come_back, &k);
	if (r < 0 && r != E_SYNTAX)
		return r;
	if (k.found)
		return 0;
	r = call_brake_wrong(c);
	return r < 0
		   ? r
		   : problem(c, 422, "unknown_state",
			     "this sign-in was begun in another browser, too long ago, or is over "
			     "already: begin again");
}

/* ---- hand -------------------------------------------------------------------------------- */

static int go_on(struct call *c, const struct journey *j, const char *name, const char *value)
{
	http_reply_header(c, "Location", "%s#%s=%s", j->return_to, name, value);
	http_reply_header(c, "Cache-Control", "no-store");
	http_reply_header(c, "Referrer-Policy", "no-referrer");
	return http_reply_empty(c, 303);
}

int journey_hand(struct call *c, const struct journey *j, const struct federation_person *p)
{
	char secret[TOKEN_SECRET_LEN + 1], token[TOKEN_MAX];
	uint8_t hash[TOKEN_HASH_LEN];
	int r;

	token_secret(secret);
	token_hash(c->app->token_pepper, slice_str(secret), hash);
	r = db_run(c->db, NULL, sql_federation_journey_met, p_int(j->org), p_int(j->id),
		   p_bytes(hash_slice(hash)), p_text(p->subject), p_text(p->email),
		   p_bool(p->email_verified), p_text(p->name), p_int(MET_S));
	if (r <= 0)
		return r < 0 ? r : E_UNKNOWN;
	r = go_on(c, j, "federation", token_format(ID_TOKEN, j->org, j->id, secret, token));
	explicit_bzero(token, sizeof(token));
	return r;
}

int journey_fail(struct call *c, const struct journey *j, const char *code, const char *why)
{
	char org[ID_OUT_MAX], provider[ID_OUT_MAX];

	log_warn("federation.failed", kv_str("org", ids_out(ID_ORG, j->org, org)),
		 kv_str("provider", ids_out(ID_PROVIDER, j->provider, provider)),
		 kv_str("request", c->request_id), kv_str("code", code), kv_str("why", why));
	return go_on(c, j, "federation_error", code);
}

/* ---- claim ------------------------------------------------------------------------------- */

struct claiming {
	struct call *c;
	struct token token;
	bool found;
	journey_met met;
};
enum { C_SECRET, C_BROWSER, C_PROVIDER, C_SUBJECT, C_EMAIL, C_VERIFIED, C_NAME };

static int claim(struct db *db, void *arg)
{
	struct claiming *k = arg;
	OWNED(db_result) res = NULL;
	int r =
	    db_run(db, &res, sql_federation_journey_claim, p_int(k->token.org), p_int(k->token.id));

	k->found =
	    r > 0 &&
	    token_right(k->c->app->token_pepper, k->token.secret, db_bytes(res, 0, C_SECRET)) &&
	    is_browser(k->c, db_bytes(res, 0, C_BROWSER));
	if (r < 0 || !k->found)
		return r < 0 ? r : 0;
	const struct federation_person p = { .provider = (uint64_t)db_int(res, 0, C_PROVIDER),
					     .subject = db_text(res, 0, C_SUBJECT),
					     .email = db_text(res, 0, C_EMAIL),
					     .name = db_text(res, 0, C_NAME),
					     .email_verified = db_bool(res, 0, C_VERIFIED) };
	r = db_run(db, NULL, sql_federation_journey_end, p_int(k->token.org), p_int(k->token.id));
	return r < 0 ? r : k->met(k->c, k->token.org, &p);
}

static int refuse_claim(struct call *c)
{
	int r = call_brake_wrong(c);

	return r < 0 ? r
		     : problem(c, 422, "invalid_token",
			       "the token is wrong, too old or used already, or belongs to another "
			       "browser: sign in again");
}

int journey_claim(struct call *c, struct slice token, journey_met met)
{
	struct claiming k = { .c = c, .met = met };
	int r = token_parse(token, &k.token);

	if (r < 0 || k.token.kind != ID_TOKEN)
		return refuse_claim(c);
	/* A caller with a session is in its organisation's transaction already. */
	if (c->actor.org && c->actor.org != k.token.org)
		return refuse_claim(c);
	r = db_in_tx(c->db) ? claim(c->db, &k) : db_tx(c->db, k.token.org, claim, &k);
	return r < 0 ? r : k.found ? r : refuse_claim(c);
}
