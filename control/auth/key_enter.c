/* control/auth/key_enter.c - a key's row against what was sent, and against what its owner may. */
#include "control/auth/key_enter.h"

#include "base/clock.h"
#include "control/auth/key.h"
#include "control/auth/key_certificate.h"
#include "control/auth/statements.h"

enum {
	KEY_HASH,
	KEY_OLD_HASH,
	KEY_SCOPES,
	KEY_CIDRS,
	KEY_TEST,
	KEY_OWNED,
	KEY_ROLE,
	KEY_SUSPENDED,
	KEY_OWN_PERMITS,
	KEY_CERT_HASH,
	KEY_CERT_SUBJECT,
};

static const char *const texts[] = {
	[KEY_FINE] = "",
	[KEY_WRONG] = "this API key does not exist, is revoked or has expired: use another one",
	[KEY_TOKEN_OVER] = "this token has expired: get another one",
	[KEY_UNSHOWN] = "this API key needs a client certificate that was not shown on this "
			"connection",
	[KEY_ELSEWHERE] = "this API key may not be used from your address: see its cidrs",
	[KEY_OWNER_INACTIVE] = "the member who owns this API key is removed or disabled: use a key "
			       "of another member",
	[KEY_OWNER_MAY_NOT] = "the member who owns this API key may not make such a key any more: "
			      "use a key of another member",
};

const char *key_verdict_text(enum key_verdict v)
{
	return texts[v];
}

static bool address_allowed(struct slice cidrs, const struct ip *ip)
{
	bool any = false;

	while (cidrs.n) {
		struct slice cidr = slice_take(&cidrs, ' ');
		struct ip_net net;

		if (cidr.n && ip_net_parse(cidr, &net) >= 0 && ip_net_has(&net, ip))
			return true;
		any |= cidr.n > 0;
	}
	return !any;
}

/* What is left when the secret is right.  Guarantee: a key lives no longer than its owner's right
 * to make it. */
static enum key_verdict judge(const struct call *c, struct db_result *res)
{
	int64_t role = db_int(res, 0, KEY_ROLE);

	if (!key_certificate_fits(c, db_bytes(res, 0, KEY_CERT_HASH),
				  db_text(res, 0, KEY_CERT_SUBJECT)))
		return KEY_UNSHOWN;
	if (!address_allowed(db_text(res, 0, KEY_CIDRS), &c->ip))
		return KEY_ELSEWHERE;
	if (!db_bool(res, 0, KEY_OWNED))
		return KEY_FINE;
	if (!role)
		return KEY_OWNER_INACTIVE;
	return key_may_have(permit_of_member(role, db_int(res, 0, KEY_OWN_PERMITS)),
			    (uint64_t)db_int(res, 0, KEY_SCOPES))
		   ? KEY_FINE
		   : KEY_OWNER_MAY_NOT;
}

static void become(struct call *c, const struct db_result *res, uint32_t org, uint64_t key)
{
	c->actor = (struct actor){ .kind = ACTOR_KEY,
				   .org = org,
				   .id = key,
				   .permits = (uint64_t)db_int(res, 0, KEY_SCOPES),
				   .test = db_bool(res, 0, KEY_TEST),
				   .suspended = db_bool(res, 0, KEY_SUSPENDED) };
}

/* Guarantee: both secrets are compared, so that time does not tell which one was meant. */
static enum key_verdict match(struct call *c, struct db_result *res, const struct token *t,
			      struct key_secret *ret_secret)
{
	struct slice hash = db_bytes(res, 0, KEY_HASH), old_hash = db_bytes(res, 0, KEY_OLD_HASH);
	bool now = token_right(c->app->key_pepper, t->secret, hash);
	bool old = token_right(c->app->key_pepper, t->secret, old_hash);

	if ((!now && !old) || t->test != db_bool(res, 0, KEY_TEST))
		return KEY_WRONG;
	become(c, res, t->org, t->id);
	c->actor.old_secret = !now;
	if (ret_secret)
		memcpy(ret_secret->hash, now ? hash.p : old_hash.p, TOKEN_HASH_LEN);
	return judge(c, res);
}

int key_enter(struct call *c, const struct token *t, enum key_verdict *ret,
	      struct key_secret *ret_secret)
{
	OWNED(db_result) res = NULL;
	int r;

	db_begin(c->db, t->org);
	r = db_run(c->db, &res, sql_auth_enter_key, p_int(t->org), p_int(t->id));
	if (r < 0)
		return r;
	*ret = r == 0 ? KEY_WRONG : match(c, res, t, ret_secret);
	if (*ret != KEY_FINE)
		c->actor = (struct actor){ .kind = ACTOR_NOBODY };
	return 0;
}

static enum key_verdict match_token(struct call *c, struct db_result *res,
				    const struct access_token *t)
{
	bool now = access_token_right(c->app->access_key, t, db_bytes(res, 0, KEY_HASH));
	bool old = access_token_right(c->app->access_key, t, db_bytes(res, 0, KEY_OLD_HASH));

	if (!now && !old)
		return KEY_WRONG;
	if (t->expires_s * 1000 <= (uint64_t)clock_wall_ms())
		return KEY_TOKEN_OVER;
	become(c, res, t->org, t->key);
	c->actor.permits &= t->scopes;
	c->actor.old_secret = !now;
	return judge(c, res);
}

int key_enter_token(struct call *c, const struct access_token *t, enum key_verdict *ret)
{
	OWNED(db_result) res = NULL;
	int r;

	db_begin(c->db, t->org);
	r = db_run(c->db, &res, sql_auth_enter_key, p_int(t->org), p_int(t->key));
	if (r < 0)
		return r;
	*ret = r == 0 ? KEY_WRONG : match_token(c, res, t);
	if (*ret != KEY_FINE)
		c->actor = (struct actor){ .kind = ACTOR_NOBODY };
	return 0;
}

static enum key_verdict match_named(struct call *c, struct db_result *res, uint32_t org,
				    uint64_t key)
{
	if (db_is_null(res, 0, KEY_CERT_HASH) && !db_text(res, 0, KEY_CERT_SUBJECT).n)
		return KEY_WRONG; /* its name alone is nothing */
	become(c, res, org, key);
	return judge(c, res);
}

int key_enter_named(struct call *c, uint32_t org, uint64_t key, enum key_verdict *ret)
{
	OWNED(db_result) res = NULL;
	int r;

	db_begin(c->db, org);
	r = db_run(c->db, &res, sql_auth_enter_key, p_int(org), p_int(key));
	if (r < 0)
		return r;
	*ret = r == 0 ? KEY_WRONG : match_named(c, res, org, key);
	if (*ret != KEY_FINE)
		c->actor = (struct actor){ .kind = ACTOR_NOBODY };
	return 0;
}
