/* control/org/org.c - GET and PATCH of the organisation, and its audit. */
#include "control/auth/audit.h"
#include "control/auth/permit.h"
#include "control/http/api.h"
#include "control/http/body.h"
#include "control/http/cors.h"
#include "control/http/page.h"
#include "control/http/problem.h"
#include "control/http/reply.h"
#include "control/org/traits.h"
#include "control/org/codes.h"
#include "control/org/origins.h"
#include "control/org/routes.h"
#include "control/org/statements.h"

enum {
	K_NAME,
	K_STATUS,
	K_NOTE,
	K_FOOTER,
	K_ADDRESS,
	K_CREATED,
	K_VERSION,
	K_HANDLE,
	K_FACTOR,
	K_ORIGINS,
	K_PROFILE,
};

static int get_org(struct call *c)
{
	OWNED(db_result) res = NULL;
	int r = db_run(c->db, &res, sql_org_find, p_int(c->actor.org));
	struct slice origins;

	if (r <= 0)
		return r < 0 ? r : E_UNKNOWN;
	http_reply_etag(c, db_int(res, 0, K_VERSION));
	origins = db_text(res, 0, K_ORIGINS);
	return http_reply_json(
	    c, 200,
	    json_pack(
		"{s:o, s:o, s:o, s:s, s:o, s:o, s:o, s:b, s:o, s:o, s:o}", "id",
		api_id(ID_ORG, c->actor.org), "handle", api_text(db_text(res, 0, K_HANDLE)), "name",
		api_text(db_text(res, 0, K_NAME)), "status",
		db_int(res, 0, K_STATUS) == ORG_ACTIVE ? "active" : "suspended", "status_note",
		api_text(db_text(res, 0, K_NOTE)), "footer", api_text(db_text(res, 0, K_FOOTER)),
		"postal_address", api_text(db_text(res, 0, K_ADDRESS)), "require_factor",
		db_bool(res, 0, K_FACTOR), "origins", json_loadb(origins.p, origins.n, 0, NULL),
		"profile", traits_json(db_text(res, 0, K_PROFILE)), "created_at",
		api_time(db_int(res, 0, K_CREATED))));
}

struct org_body {
	struct slice name, footer, address, handle;
	bool require_factor;
	json_t *origins, *profile;
};
enum { O_NAME, O_FOOTER, O_ADDRESS, O_HANDLE, O_FACTOR, O_ORIGINS, O_PROFILE };
/* clang-format off */
static const struct body_field org_fields[] = {
	[O_NAME] = {"name", BODY_NAME, offsetof(struct org_body, name), 0, 1, 200, 0},
	[O_FOOTER] = {"footer", BODY_TEXT, offsetof(struct org_body, footer), 0, 0, 4000, 0},
	[O_ADDRESS] = {"postal_address", BODY_TEXT, offsetof(struct org_body, address), 0, 0, 1000, 0},
	[O_HANDLE] = {"handle", BODY_LINE, offsetof(struct org_body, handle), 0, 3, 40, 0},
	[O_FACTOR] = {"require_factor", BODY_BOOL, offsetof(struct org_body, require_factor), 0, 0, 0, 0},
	[O_ORIGINS] = {"origins", BODY_LIST, offsetof(struct org_body, origins), BODY_RESET, 0, CORS_ORIGINS_MAX, 0},
	[O_PROFILE] = {"profile", BODY_OBJECT, offsetof(struct org_body, profile), 0, 0, 0, 0},
};
/* clang-format on */

static int lock_version(struct call *c)
{
	OWNED(db_result) res = NULL;
	int r = db_run(c->db, &res, "SELECT version FROM orgs WHERE org_id = $1 FOR UPDATE",
		       p_int(c->actor.org));

	return r < 0 ? r : r == 0 ? E_UNKNOWN : call_if_match(c, db_int(res, 0, 0));
}

/* Letters, digits and hyphens, which begin and end with neither a hyphen nor nothing. */
static void check_handle(struct call *c, struct slice s)
{
	bool good = true;

	for (size_t i = 0; i < s.n; i++)
		good &= (s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= '0' && s.p[i] <= '9') ||
			(s.p[i] == '-' && i > 0 && i + 1 < s.n);
	if (!good)
		problem_add(c, "/handle", "invalid_handle",
			    "takes small letters, digits, and hyphens between them");
}

static int update_org(struct call *c, const struct org_body *b, struct body_seen seen)
{
	char *origins = b->origins ? json_dumps(b->origins, JSON_COMPACT) : NULL;
	char *profile = b->profile ? json_dumps(b->profile, JSON_COMPACT) : NULL;
	int r;

	r = db_run(c->db, NULL, sql_org_update, p_int(c->actor.org), p_opt(b->name),
		   p_opt(b->footer), p_opt(b->address), p_opt(b->handle),
		   body_has(seen, O_FACTOR) ? p_bool(b->require_factor) : p_null(),
		   !body_has(seen, O_ORIGINS) ? p_null() : p_str(origins ? origins : "[]"),
		   profile ? p_str(profile) : p_null());
	free(origins);
	free(profile);
	return r;
}

static int patch_org(struct call *c)
{
	struct org_body b = { 0 };
	struct body_seen seen;
	char id[ID_OUT_MAX];
	int r = http_body_read(c, org_fields, ARRAY_LEN(org_fields), &b, &seen);

	if (r >= 0) {
		check_handle(c, b.handle);
		origins_check(c, b.origins);
		traits_check(c, b.profile);
		r = problem_end(c);
	}
	if (r >= 0)
		r = lock_version(c);
	if (r >= 0 && !seen.present)
		return get_org(c);
	if (r >= 0)
		r = update_org(c, &b, seen);
	if (r == E_EXISTS)
		return problem(c, 409, "handle_taken",
			       "another organisation is called so: choose another handle");
	if (r > 0)
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

enum {
	A_ID,
	A_AT,
	A_ACTOR_KIND,
	A_ACTOR,
	A_ACTION,
	A_OBJECT,
	A_DETAIL,
	A_REQUEST,
	A_IP,
};

static json_t *audit_json(const struct db_result *res, unsigned i)
{
	struct slice detail = db_text(res, i, A_DETAIL);

	return json_pack(
	    "{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "id",
	    api_id(ID_AUDIT, (uint64_t)db_int(res, i, A_ID)), "at", api_time(db_int(res, i, A_AT)),
	    "actor", actor_json(db_int(res, i, A_ACTOR_KIND), (uint64_t)db_int(res, i, A_ACTOR)),
	    "action", api_text(db_text(res, i, A_ACTION)), "object",
	    api_text(db_text(res, i, A_OBJECT)), "detail", json_loadb(detail.p, detail.n, 0, NULL),
	    "request_id", api_text(db_text(res, i, A_REQUEST)), "ip",
	    api_text(db_text(res, i, A_IP)));
}

static int get_audit(struct call *c)
{
	/* newest first: the cursor's id is an upper bound */
	return page_list(c, audit_json, sql_org_audit_page, p_int(c->actor.org), PAGE_AFTER,
			 PAGE_LIMIT);
}

static int get_notices(struct call *c)
{
	return page_list(c, audit_json, sql_org_notice_page, p_int(c->actor.org), PAGE_AFTER,
			 PAGE_LIMIT);
}

/* clang-format off */
const struct http_route org_routes[] = {
	{"GET",   "/v1/org",   AUTH_MEMBER, PERMIT_ORG_READ,   0, 0, get_org  },
	{"PATCH", "/v1/org",   AUTH_MEMBER, PERMIT_ORG_WRITE,  0, 0, patch_org},
	{"GET",   "/v1/audit", AUTH_MEMBER, PERMIT_AUDIT_READ, 0, 0, get_audit },
	{"GET",   "/v1/notices", AUTH_MEMBER, PERMIT_CAMPAIGNS_READ, 0, 0, get_notices },
};
/* clang-format on */
const size_t org_routes_n = ARRAY_LEN(org_routes);
