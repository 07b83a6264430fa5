/* control/auth/keys.c - API keys: the secret is shown once, only its HMAC is kept. */
#include "base/clock.h"
#include "control/auth/audit.h"
#include "control/auth/key.h"
#include "control/auth/key_certificate.h"
#include "control/auth/routes.h"
#include "control/auth/statements.h"
#include "control/auth/token.h"
#include "control/http/api.h"
#include "control/http/body.h"
#include "control/http/page.h"
#include "control/http/problem.h"
#include "control/http/reply.h"

enum { CIDR_TEXT_MAX = 64 };

enum {
	K_ID,
	K_NAME,
	K_SCOPES,
	K_CIDRS,
	K_TEST,
	K_CREATED,
	K_EXPIRES,
	K_REVOKED,
	K_USED,
	K_USED_IP,
	K_OLD_UNTIL,
	K_OLD_USED,
	K_VERSION,
	K_MAKER,
	K_MAKER_NAME,
	K_OWNER,
	K_OWNER_NAME,
	K_OWNER_ACTIVE,
	K_OWNER_ROLE,
	K_EXPIRED,
	K_OWNER_PERMITS,
	K_ORG,
	K_CERT_HASH,
	K_CERT_SUBJECT,
};

static json_t *cidr_list(struct slice cidrs)
{
	json_t *list = json_array();

	while (cidrs.n)
		(void)json_array_append_new(list, api_text(slice_take(&cidrs, ' ')));
	return list;
}

/* A member; the name is null once that member is removed. */
static json_t *person_json(const struct db_result *res, unsigned i, unsigned id, unsigned name)
{
	if (db_is_null(res, i, id))
		return json_null();
	return json_pack("{s:o, s:o}", "id", api_id(ID_USER, (uint64_t)db_int(res, i, id)), "name",
			 db_is_null(res, i, name) ? json_null() : api_text(db_text(res, i, name)));
}

/* Why it answers no more, or what will end it; NULL when nothing will. */
static const char *dies_because(const struct db_result *res, unsigned i, bool *ret_live)
{
	*ret_live = false;
	if (!db_is_null(res, i, K_REVOKED))
		return "revoked";
	if (db_bool(res, i, K_EXPIRED))
		return "expired";
	if (!db_is_null(res, i, K_OWNER) && !db_bool(res, i, K_OWNER_ACTIVE))
		return "owner_inactive";
	if (!db_is_null(res, i, K_OWNER) &&
	    !key_may_have(
		permit_of_member(db_int(res, i, K_OWNER_ROLE), db_int(res, i, K_OWNER_PERMITS)),
		(uint64_t)db_int(res, i, K_SCOPES)))
		return "owner_may_not";
	*ret_live = true;
	return db_is_null(res, i, K_EXPIRES) ? NULL : "expires";
}

static void put_times(json_t *key, const struct db_result *res, unsigned i)
{
	static const struct {
		const char *name;
		unsigned column;
	} times[] = {
		{ "created_at", K_CREATED },         { "expires_at", K_EXPIRES },
		{ "revoked_at", K_REVOKED },         { "last_used_at", K_USED },
		{ "old_secret_until", K_OLD_UNTIL }, { "old_secret_used_at", K_OLD_USED },
	};

	for (unsigned t = 0; t < ARRAY_LEN(times); t++)
		(void)json_object_set_new(key, times[t].name,
					  api_time(db_int(res, i, times[t].column)));
}

static json_t *key_json(const struct db_result *res, unsigned i)
{
	bool live;
	const char *why = dies_because(res, i, &live);
	json_t *key = json_pack("{s:o, s:o, s:b, s:b, s:s?, s:o, s:o, s:o, s:o, s:o}", "id",
				api_id(ID_KEY, (uint64_t)db_int(res, i, K_ID)), "name",
				api_text(db_text(res, i, K_NAME)), "test", db_bool(res, i, K_TEST),
				"live", live, "dies_because", why, "scopes",
				permit_json((uint64_t)db_int(res, i, K_SCOPES)), "cidrs",
				cidr_list(db_text(res, i, K_CIDRS)), "created_by",
				person_json(res, i, K_MAKER, K_MAKER_NAME), "owner",
				person_json(res, i, K_OWNER, K_OWNER_NAME), "last_used_ip",
				api_text(db_text(res, i, K_USED_IP)));

	put_times(key, res, i);
	(void)json_object_set_new(
	    key, "certificate",
	    key_certificate_json((uint32_t)db_int(res, i, K_ORG), (uint64_t)db_int(res, i, K_ID),
				 db_bytes((struct db_result *)res, i, K_CERT_HASH),
				 db_text(res, i, K_CERT_SUBJECT)));
	return key;
}

static int get_keys(struct call *c)
{
	return page_list(c, key_json, sql_auth_key_page, p_int(c->actor.org), PAGE_AFTER,
			 PAGE_LIMIT);
}

int key_reply(struct call *c, uint64_t id, unsigned status, const char *secret_token)
{
	OWNED(db_result) res = NULL;
	json_t *key;
	int r = db_run(c->db, &res, sql_auth_key_find, p_int(c->actor.org), p_int(id));

	if (r <= 0)
		return r < 0 ? r : E_UNKNOWN;
	key = key_json(res, 0);
	if (secret_token)
		(void)json_object_set_new(key, "key", json_string(secret_token));
	http_reply_etag(c, db_int(res, 0, K_VERSION));
	return http_reply_json(c, status, key);
}

static int get_key(struct call *c)
{
	uint64_t id;
	int r = call_id(c, 0, ID_KEY, &id);

	return r < 0 ? r : key_reply(c, id, 200, NULL);
}

struct key_body {
	struct slice name;
	json_t *scopes, *cidrs, *certificate;
	int64_t expires;
	bool test;
};
/* clang-format off */
static const struct body_field key_fields[] = {
	{"name",       BODY_NAME, offsetof(struct key_body, name),    BODY_REQUIRED, 1, 100,        0},
	{"scopes",     BODY_LIST, offsetof(struct key_body, scopes),  BODY_REQUIRED, 1, KEY_SCOPES_MAX, 0},
	{"cidrs",      BODY_LIST, offsetof(struct key_body, cidrs),   0,             0, KEY_CIDRS_MAX,  0},
	{"expires_at", BODY_TIME, offsetof(struct key_body, expires), BODY_NULLABLE, 0, 0,          0},
	{"test",       BODY_BOOL, offsetof(struct key_body, test),    0,             0, 0,          0},
	{"certificate", BODY_OBJECT, offsetof(struct key_body, certificate), BODY_NULLABLE, 0, 0, 0},
};
/* clang-format on */

uint64_t key_read_scopes(struct call *c, json_t *list)
{
	uint64_t scopes = 0, bit;
	json_t *item;
	size_t i;

	json_array_foreach(list, i, item)
	{
		const char *name = json_string_value(item);

		if (!name || permit_parse(slice_str(name), &bit) < 0)
			problem_add(c, "/scopes", "unknown_scope",
				    "entry %zu is not the name of a permission", i);
		else if (bit & ~c->actor.permits)
			problem_add(c, "/scopes", "missing_permission",
				    "you cannot give a key %s because you do not have it yourself",
				    name);
		else
			scopes |= bit;
	}
	return scopes;
}

void key_read_cidrs(struct call *c, json_t *list, struct buf *out)
{
	struct ip_net net;
	json_t *item;
	size_t i;

	json_array_foreach(list, i, item)
	{
		struct slice s = api_text_of(item);

		if (!json_is_string(item) || s.n > CIDR_TEXT_MAX || ip_net_parse(s, &net) < 0) {
			problem_add(c, "/cidrs", "invalid_network",
				    "entry %zu is not a network: write it like 192.0.2.0/24 or "
				    "2001:db8::/32",
				    i);
			continue;
		}
		if (buf_len(out))
			buf_put(out, SLICE(" "));
		buf_put(out, s);
	}
}

static int insert_key(struct call *c, const struct key_body *b, uint64_t scopes, struct slice cidrs,
		      const struct key_certificate *cert)
{
	char secret[TOKEN_SECRET_LEN + 1], token[TOKEN_MAX], id_text[ID_OUT_MAX];
	uint8_t hash[TOKEN_HASH_LEN];
	OWNED(db_result) res = NULL;
	int r;

	token_secret(secret);
	token_hash(c->app->key_pepper, slice_str(secret), hash);
	r = db_run(c->db, &res, sql_auth_key_insert, p_int(c->actor.org), p_text(b->name),
		   p_bytes(slice_of((char *)hash, sizeof(hash))), p_int(scopes), p_text(cidrs),
		   c->actor.kind == ACTOR_USER ? p_int(c->actor.id) : p_null(),
		   c->actor.kind == ACTOR_KEY ? p_int(c->actor.id) : p_null(),
		   b->expires ? p_int(b->expires) : p_null(), p_bool(b->test),
		   cert->hash.n ? p_bytes(cert->hash) : p_null(), p_text(cert->subject));
	if (r < 0)
		return r;
	uint64_t id = (uint64_t)db_int(res, 0, 0);
	(void)token_format_key(b->test, c->actor.org, id, secret, token);
	r = audit_put(c, "key.created", ids_out(ID_KEY, id, id_text),
		      json_pack("{s:o, s:o, s:b}", "name", api_text(b->name), "scopes",
				permit_json(scopes), "test", b->test));
	http_reply_header(c, "Location", "/v1/keys/%s", id_text);
	return r < 0 ? r : key_reply(c, id, 201, token);
}

static int post_key(struct call *c)
{
	struct buf cidrs = { 0 };
	struct key_certificate cert;
	struct key_body b = { 0 };
	struct body_seen seen;
	uint64_t scopes;
	int r = http_body_read(c, key_fields, ARRAY_LEN(key_fields), &b, &seen);

	if (r < 0)
		return r;
	scopes = key_read_scopes(c, b.scopes);
	key_read_cidrs(c, b.cidrs, &cidrs);
	key_certificate_read(c, b.certificate, &cert);
	if (b.expires && b.expires <= clock_wall_ms())
		problem_add(c, "/expires_at", "in_the_past", "must be in the future");
	if (c->actor.test && !b.test)
		problem_add(c, "/test", "test_key",
			    "a test key makes test keys only: set test to true");
	r = problem_end(c);
	if (r >= 0)
		r = insert_key(c, &b, scopes, buf_data(&cidrs), &cert);
	buf_free(&cidrs);
	return r;
}

enum { LOCKED_SCOPES, LOCKED_VERSION, LOCKED_OWNER, LOCKED_RUNS, LOCKED_TEST };

int key_reach(struct call *c, uint64_t id, struct key_row *ret)
{
	OWNED(db_result) res = NULL;
	int r = db_run(c->db, &res, sql_auth_key_lock, p_int(c->actor.org), p_int(id));

	if (r <= 0)
		return r < 0 ? r : E_UNKNOWN;
	*ret = (struct key_row){ .scopes = (uint64_t)db_int(res, 0, LOCKED_SCOPES),
				 .owner = (uint64_t)db_int(res, 0, LOCKED_OWNER),
				 .runs = db_bool(res, 0, LOCKED_RUNS) };
	r = call_if_match(c, db_int(res, 0, LOCKED_VERSION));
	if (r < 0 || (c->actor.kind == ACTOR_KEY && c->actor.id == id))
		return r;
	if (c->actor.test && !db_bool(res, 0, LOCKED_TEST))
		return problem(c, 403, "test_key", "a test key changes test keys only");
	if (ret->scopes & ~c->actor.permits)
		return problem(c, 403, "missing_permission",
			       "this key has permissions that you do not have yourself");
	return 0;
}

static int delete_key(struct call *c)
{
	char id_text[ID_OUT_MAX];
	struct key_row row;
	uint64_t id;
	int r = call_id(c, 0, ID_KEY, &id);

	if (r >= 0)
		r = key_reach(c, id, &row);
	if (r >= 0)
		r = db_run(c->db, NULL, sql_auth_key_revoke, p_int(c->actor.org), p_int(id));
	if (r <= 0)
		return r < 0 ? r : E_UNKNOWN;
	r = audit_put(c, "key.revoked", ids_out(ID_KEY, id, id_text), NULL);
	return r < 0 ? r : http_reply_empty(c, 204);
}

/* The replies of the two POSTs hold a secret and must never be kept: they are not idempotent. */
/* clang-format off */
const struct http_route auth_key_routes[] = {
	{"GET",    "/v1/keys",                     AUTH_MEMBER, PERMIT_KEYS_READ,  0, 0, get_keys },
	{"POST",   "/v1/keys",                     AUTH_MEMBER, PERMIT_KEYS_WRITE, ROUTE_IDEMPOTENT, 0, post_key  },
	{"GET",    "/v1/keys/{key_id}",            AUTH_MEMBER, PERMIT_KEYS_READ,  0, 0, get_key   },
	{"PATCH",  "/v1/keys/{key_id}",            AUTH_MEMBER, PERMIT_KEYS_WRITE, 0, 0, key_patch },
	{"DELETE", "/v1/keys/{key_id}",            AUTH_MEMBER, PERMIT_KEYS_WRITE, 0, 0, delete_key},
	{"POST",   "/v1/keys/{key_id}/regenerate", AUTH_MEMBER, PERMIT_KEYS_WRITE, ROUTE_IDEMPOTENT, 0, key_regenerate},
	{"GET",    "/v1/keys/{key_id}/usage",      AUTH_MEMBER, PERMIT_KEYS_READ,  0, 0, key_usage },
};
/* clang-format on */
const size_t auth_key_routes_n = ARRAY_LEN(auth_key_routes);
