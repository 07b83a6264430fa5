/* control/federation/identities.c - /v1/me/identities: the caller's own accounts at providers. */
#include "control/auth/audit.h"
#include "control/auth/proof.h"
#include "control/federation/journey.h"
#include "control/federation/kind.h"
#include "control/federation/routes.h"
#include "control/federation/statements.h"
#include "control/http/api.h"
#include "control/http/body.h"
#include "control/http/page.h"
#include "control/http/problem.h"
#include "control/http/reply.h"

enum { I_ID, I_PROVIDER, I_NAME, I_KIND, I_SUBJECT, I_EMAIL, I_CREATED, I_USED };

static json_t *identity_json(const struct db_result *res, unsigned i)
{
	const struct federation_kind *kind = federation_kind_of(db_int(res, i, I_KIND));

	return json_pack("{so s{so so ss} so so so so}", "id",
			 api_id(ID_IDENTITY, (uint64_t)db_int(res, i, I_ID)), "provider", "id",
			 api_id(ID_PROVIDER, (uint64_t)db_int(res, i, I_PROVIDER)), "name",
			 api_text(db_text(res, i, I_NAME)), "kind", kind ? kind->name : "none",
			 "subject", api_text(db_text(res, i, I_SUBJECT)), "email",
			 api_text(db_text(res, i, I_EMAIL)), "created_at",
			 api_time(db_int(res, i, I_CREATED)), "last_used_at",
			 api_time(db_int(res, i, I_USED)));
}

static int get_identities(struct call *c)
{
	return page_list(c, identity_json, sql_federation_identity_page, p_int(c->actor.org),
			 p_int(c->actor.id), PAGE_AFTER, PAGE_LIMIT);
}

struct link_body {
	struct slice token;
};
static const struct body_field link_fields[] = {
	{ "token", BODY_LINE, offsetof(struct link_body, token), BODY_REQUIRED, 1, TOKEN_MAX, 0 },
};

static int link_it(struct call *c, uint32_t org UNUSED, const struct federation_person *p)
{
	OWNED(db_result) res = NULL;
	uint64_t id;
	int r = federation_link(c, p, &id);

	if (r >= 0)
		r = db_run(c->db, &res, sql_federation_identity_find, p_int(c->actor.org),
			   p_int(c->actor.id), p_int(id));
	if (r <= 0)
		return r < 0 ? r : E_UNKNOWN;
	return http_reply_json(c, 201, identity_json(res, 0));
}

static int post_identity(struct call *c)
{
	struct link_body b = { 0 };
	struct body_seen seen;
	int r = http_body_read(c, link_fields, ARRAY_LEN(link_fields), &b, &seen);

	if (r >= 0)
		r = proof_need(c);
	return r < 0 ? r : journey_claim(c, b.token, link_it);
}

/* Guarantee: nobody loses their last way in. */
static int check_ways(struct call *c, uint64_t id)
{
	OWNED(db_result) res = NULL;
	int r = db_run(c->db, &res, sql_federation_identity_ways, p_int(c->actor.org),
		       p_int(c->actor.id), p_int(id));

	if (r <= 0)
		return r < 0 ? r : E_UNKNOWN;
	return db_bool(res, 0, 0) ? 0
				  : problem(c, 409, "last_way_in",
					    "you could not sign in any more without this account: "
					    "choose a password or link another one first");
}

static int delete_identity(struct call *c)
{
	uint64_t id;
	int r = call_id(c, 0, ID_IDENTITY, &id);

	if (r >= 0)
		r = db_run(c->db, NULL, sql_federation_identity_find, p_int(c->actor.org),
			   p_int(c->actor.id), p_int(id));
	if (r <= 0)
		return r < 0 ? r : E_UNKNOWN;
	r = proof_need(c);
	if (r >= 0)
		r = check_ways(c, id);
	if (r >= 0)
		r = db_run(c->db, NULL, sql_federation_identity_delete, p_int(c->actor.org),
			   p_int(c->actor.id), p_int(id));
	if (r >= 0)
		r = audit_put_id(c, "identity.unlinked", ID_IDENTITY, id, NULL);
	return r < 0 ? r : http_reply_empty(c, 204);
}

/* clang-format off */
const struct http_route federation_identity_routes[] = {
	{"GET",    "/v1/me/identities",               AUTH_SESSION, 0, 0, 0, get_identities},
	{"POST",   "/v1/me/identities",               AUTH_SESSION, 0, 0, 0, post_identity  },
	{"DELETE", "/v1/me/identities/{identity_id}", AUTH_SESSION, 0, 0, 0, delete_identity},
};
/* clang-format on */
const size_t federation_identity_routes_n = ARRAY_LEN(federation_identity_routes);
