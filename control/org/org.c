/* control/org/org.c - GET and PATCH of the organisation, and its audit. */
#include "control/auth/audit.h"
#include "control/auth/permit.h"
#include "control/http/api.h"
#include "control/http/body.h"
#include "control/http/page.h"
#include "control/http/reply.h"
#include "control/org/routes.h"

static int get_org(struct call *c)
{
	OWNED(db_result) res = NULL;
	int r =
	    db_run(c->db, &res,
		   "SELECT name, status, status_note, footer, to_ms(created_at), version FROM orgs"
		   " WHERE org_id = $1",
		   p_int(c->actor.org));

	if (r <= 0)
		return r < 0 ? r : E_UNKNOWN;
	http_reply_etag(c, db_int(res, 0, 5));
	return http_reply_json(
	    c, 200,
	    json_pack("{s:o, s:o, s:s, s:o, s:o, s:o}", "id", api_id(ID_ORG, c->actor.org), "name",
		      api_text(db_text(res, 0, 0)), "status",
		      db_int(res, 0, 1) == 1 ? "active" : "suspended", "status_note",
		      api_text(db_text(res, 0, 2)), "footer", api_text(db_text(res, 0, 3)),
		      "created_at", api_time(db_int(res, 0, 4))));
}

struct org_body {
	struct slice name, footer;
};
/* clang-format off */
static const struct body_field org_fields[] = {
	{"name",   BODY_LINE, offsetof(struct org_body, name),   0, 1, 200,  0},
	{"footer", BODY_TEXT, offsetof(struct org_body, footer), 0, 0, 4000, 0},
};
/* clang-format on */

static int lock_version(struct call *c)
{
	OWNED(db_result) res = NULL;
	int r = db_run(c->db, &res, "SELECT version FROM orgs WHERE org_id = $1 FOR UPDATE",
		       p_int(c->actor.org));

	return r < 0 ? r : r == 0 ? E_UNKNOWN : call_if_match(c, db_int(res, 0, 0));
}

static int patch_org(struct call *c)
{
	struct org_body b = { 0 };
	struct body_seen seen;
	char id[ID_OUT_MAX];
	int r = http_body_read(c, org_fields, ARRAY_LEN(org_fields), &b, &seen);

	if (r >= 0)
		r = lock_version(c);
	if (r >= 0)
		r = db_run(
		    c->db, NULL,
		    "UPDATE orgs SET name = coalesce($2, name), footer = coalesce($3, footer),"
		    " version = version + 1, updated_at = now() WHERE org_id = $1",
		    p_int(c->actor.org), p_opt(b.name), p_opt(b.footer));
	if (r >= 0)
		r = audit_put(c, "org.changed", ids_out(ID_ORG, c->actor.org, id),
			      json_incref(c->body));
	return r < 0 ? r : get_org(c);
}

static json_t *actor_json(int64_t kind, uint64_t id)
{
	switch (kind) {
	case ACTOR_USER:
		return api_id(ID_USER, id);
	case ACTOR_KEY:
		return api_id(ID_KEY, id);
	case ACTOR_PLATFORM:
		return json_string("platform");
	default:
		return json_null();
	}
}

static json_t *audit_json(const struct db_result *res, unsigned i)
{
	struct slice detail = db_text(res, i, 6);

	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "id",
			 api_id(ID_AUDIT, (uint64_t)db_int(res, i, 0)), "at",
			 api_time(db_int(res, i, 1)), "actor",
			 actor_json(db_int(res, i, 2), (uint64_t)db_int(res, i, 3)), "action",
			 api_text(db_text(res, i, 4)), "object", api_text(db_text(res, i, 5)),
			 "detail", json_loadb(detail.p, detail.n, 0, NULL), "request_id",
			 api_text(db_text(res, i, 7)), "ip", api_text(db_text(res, i, 8)));
}

static int get_audit(struct call *c)
{
	/* newest first: the cursor's id is an upper bound */
	return page_list(c, audit_json,
			 "SELECT id, to_ms(at), actor_kind, actor_id, action, object, "
			 "detail::text, request_id, ip"
			 " FROM audit WHERE org_id = $1 AND ($2 = 0 OR id < $2) ORDER BY id DESC "
			 "LIMIT $3",
			 p_int(c->actor.org), PAGE_AFTER, PAGE_LIMIT);
}

/* clang-format off */
const struct http_route org_routes[] = {
	{"GET",   "/v1/org",   AUTH_MEMBER, PERMIT_ORG_READ,   0, 0, get_org  },
	{"PATCH", "/v1/org",   AUTH_MEMBER, PERMIT_ORG_WRITE,  0, 0, patch_org},
	{"GET",   "/v1/audit", AUTH_MEMBER, PERMIT_AUDIT_READ, 0, 0, get_audit},
};
/* clang-format on */
const size_t org_routes_n = ARRAY_LEN(org_routes);
