/* control/auth/key_change.c - keys changed: name, scopes, networks, end, owner; a new secret beside
 * the old one; and how often they were used. */
#include "base/clock.h"
#include "control/auth/audit.h"
#include "control/auth/key.h"
#include "control/auth/key_certificate.h"
#include "control/auth/statements.h"
#include "control/auth/token.h"
#include "control/http/api.h"
#include "control/http/body.h"
#include "control/http/problem.h"
#include "control/http/reply.h"

enum { OVERLAP_DEFAULT_S = 86400, OVERLAP_MAX_S = 30 * 86400 };
enum { DAYS_DEFAULT = 30, DAYS_MAX = 400 };

/* ---- change ------------------------------------------------------------------------------- */

struct key_change {
	struct slice name;
	json_t *scopes, *cidrs, *certificate;
	int64_t expires;
	uint64_t owner;
};
enum { P_NAME, P_SCOPES, P_CIDRS, P_EXPIRES, P_OWNER, P_CERTIFICATE };
/* clang-format off */
static const struct body_field change_fields[] = {
	[P_NAME] = {"name", BODY_NAME, offsetof(struct key_change, name), 0, 1, 100, 0},
	[P_SCOPES] = {"scopes", BODY_LIST, offsetof(struct key_change, scopes), 0, 1, KEY_SCOPES_MAX, 0},
	[P_CIDRS] = {"cidrs", BODY_LIST, offsetof(struct key_change, cidrs), 0, 0, KEY_CIDRS_MAX, 0},
	[P_EXPIRES] = {"expires_at", BODY_TIME, offsetof(struct key_change, expires), BODY_NULLABLE, 0, 0, 0},
	[P_OWNER] = {"owner", BODY_ID, offsetof(struct key_change, owner), 0, 0, 0, ID_USER},
	[P_CERTIFICATE] = {"certificate", BODY_OBJECT, offsetof(struct key_change, certificate), BODY_NULLABLE, 0, 0, 0},
};
/* clang-format on */

enum { OWNER_ROLE, OWNER_PERMITS };

/* Guarantee: nobody owns a key that they could not make. */
static int check_owner(struct call *c, uint64_t owner, uint64_t scopes)
{
	OWNED(db_result) res = NULL;
	int r = db_run(c->db, &res, sql_auth_key_owner_role, p_int(c->actor.org), p_int(owner));

	if (r < 0)
		return r;
	if (r == 0)
		problem_add(c, "/owner", "unknown_owner", "is no active member");
	else if (!key_may_have(
		     permit_of_member(db_int(res, 0, OWNER_ROLE), db_int(res, 0, OWNER_PERMITS)),
		     scopes))
		problem_add(c, "/owner", "owner_may_not",
			    "this member may not make a key with these scopes");
	return problem_end(c);
}

static int check_change(struct call *c, const struct key_change *b, struct body_seen seen,
			const struct key_row *row, uint64_t scopes)
{
	if (!row->runs)
		return problem(c, 409, "key_ended", "this key is revoked or has expired: make one");
	if (body_has(seen, P_EXPIRES) && b->expires && b->expires <= clock_wall_ms())
		problem_add(c, "/expires_at", "in_the_past", "must be in the future");
	/* Who could make a key of the owner's larger would have the owner's rights. */
	if (!body_has(seen, P_OWNER) && !body_has(seen, P_SCOPES))
		return problem_end(c);
	if (body_has(seen, P_OWNER) || row->owner)
		return check_owner(c, body_has(seen, P_OWNER) ? b->owner : row->owner,
				   body_has(seen, P_SCOPES) ? scopes : row->scopes);
	return problem_end(c);
}

/* 1, or 0 when the body names nothing. */
static int change_key(struct call *c, uint64_t id, const struct key_change *b,
		      struct body_seen seen)
{
	struct key_certificate cert;
	struct buf cidrs = { 0 };
	struct key_row row = { 0 };
	uint64_t scopes = body_has(seen, P_SCOPES) ? key_read_scopes(c, b->scopes) : 0;
	int r;

	if (body_has(seen, P_CIDRS))
		key_read_cidrs(c, b->cidrs, &cidrs);
	key_certificate_read(c, b->certificate, &cert);
	r = problem_end(c);
	if (r >= 0)
		r = key_reach(c, id, &row);
	if (r >= 0)
		r = check_change(c, b, seen, &row, scopes);
	if (r >= 0 && seen.present)
		r = db_run(c->db, NULL, sql_auth_key_change, p_int(c->actor.org), p_int(id),
			   body_has(seen, P_NAME) ? p_text(b->name) : p_null(),
			   body_has(seen, P_SCOPES) ? p_int(scopes) : p_null(),
			   body_has(seen, P_CIDRS) ? p_text(buf_data(&cidrs)) : p_null(),
			   p_bool(body_has(seen, P_EXPIRES)),
			   b->expires ? p_int(b->expires) : p_null(),
			   body_has(seen, P_OWNER) ? p_int(b->owner) : p_null(),
			   p_bool(body_has(seen, P_CERTIFICATE)),
			   cert.hash.n ? p_bytes(cert.hash) : p_null(), p_text(cert.subject));
	buf_free(&cidrs);
	return r;
}

int key_patch(struct call *c)
{
	struct key_change b = { 0 };
	struct body_seen seen;
	char id_text[ID_OUT_MAX];
	uint64_t id;
	int r = call_id(c, 0, ID_KEY, &id);

	if (r >= 0)
		r = http_body_read(c, change_fields, ARRAY_LEN(change_fields), &b, &seen);
	if (r >= 0)
		r = change_key(c, id, &b, seen);
	if (r > 0)
		r = audit_put(c, "key.changed", ids_out(ID_KEY, id, id_text), json_incref(c->body));
	return r < 0 ? r : key_reply(c, id, 200, NULL);
}

/* ---- a new secret ------------------------------------------------------------------------- */

struct regenerate_body {
	int64_t overlap;
};
static const struct body_field regenerate_fields[] = {
	{ "overlap", BODY_INT, offsetof(struct regenerate_body, overlap), 0, 0, OVERLAP_MAX_S, 0 },
};

static int put_secret(struct call *c, uint64_t id, int64_t overlap, char token[TOKEN_MAX])
{
	char secret[TOKEN_SECRET_LEN + 1];
	uint8_t hash[TOKEN_HASH_LEN];
	OWNED(db_result) res = NULL;
	int r;

	token_secret(secret);
	token_hash(c->app->key_pepper, slice_str(secret), hash);
	r = db_run(c->db, &res, sql_auth_key_regenerate, p_int(c->actor.org), p_int(id),
		   p_bytes(slice_of((char *)hash, sizeof(hash))), p_int(overlap));
	if (r > 0)
		(void)token_format_key(db_bool(res, 0, 0), c->actor.org, id, secret, token);
	explicit_bzero(secret, sizeof(secret));
	return r < 0 ? r : 0;
}

int key_regenerate(struct call *c)
{
	struct regenerate_body b = { .overlap = OVERLAP_DEFAULT_S };
	struct body_seen seen;
	char token[TOKEN_MAX], id_text[ID_OUT_MAX];
	struct key_row row;
	uint64_t id;
	int r = call_id(c, 0, ID_KEY, &id);

	if (r >= 0)
		r = http_body_read(c, regenerate_fields, ARRAY_LEN(regenerate_fields), &b, &seen);
	if (r >= 0)
		r = key_reach(c, id, &row);
	if (r >= 0 && !row.runs)
		r = problem(c, 409, "key_ended", "this key is revoked or has expired: make one");
	if (r >= 0)
		r = put_secret(c, id, b.overlap, token);
	if (r >= 0)
		r = audit_put(c, "key.regenerated", ids_out(ID_KEY, id, id_text),
			      json_pack("{s:I}", "overlap", (json_int_t)b.overlap));
	if (r >= 0)
		r = key_reply(c, id, 200, token);
	explicit_bzero(token, sizeof(token));
	return r;
}

/* ---- use ---------------------------------------------------------------------------------- */

enum { D_DAY, D_REQUESTS, D_REFUSED };

static int read_days(struct call *c, int64_t *ret)
{
	uint64_t n = DAYS_DEFAULT;

	if (call_has_query(c, "days") &&
	    (slice_u64(call_query(c, "days"), DAYS_MAX, &n) < 0 || n == 0))
		return problem(c, 400, "invalid_days", "days must be a number from 1 to %d",
			       DAYS_MAX);
	*ret = (int64_t)n;
	return 0;
}

static json_t *day_json(const struct db_result *res, unsigned i)
{
	return json_pack("{s:o, s:I, s:I}", "day", api_text(db_text(res, i, D_DAY)), "requests",
			 (json_int_t)db_int(res, i, D_REQUESTS), "refused",
			 (json_int_t)db_int(res, i, D_REFUSED));
}

int key_usage(struct call *c)
{
	OWNED(db_result) key = NULL;
	OWNED(db_result) res = NULL;
	json_t *data;
	int64_t days = 0;
	uint64_t id;
	int r = call_id(c, 0, ID_KEY, &id);

	if (r >= 0)
		r = read_days(c, &days);
	if (r < 0)
		return r;
	r = db_run(c->db, &key, sql_auth_key_find, p_int(c->actor.org), p_int(id));
	if (r <= 0)
		return r < 0 ? r : E_UNKNOWN;
	r = db_run(c->db, &res, sql_auth_key_days, p_int(c->actor.org), p_int(id), p_int(days));
	if (r < 0)
		return r;
	data = json_array();
	for (unsigned i = 0; i < db_rows(res); i++)
		(void)json_array_append_new(data, day_json(res, i));
	return http_reply_json(c, 200, json_pack("{s:o}", "data", data));
}
