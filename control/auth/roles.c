/* control/auth/roles.c - /v1/roles: the built-in roles, and those of the organisation. */
#include "control/auth/roles.h"

#include "control/auth/audit.h"
#include "control/auth/key_owner.h"
#include "control/auth/routes.h"
#include "control/auth/statements.h"
#include "control/http/api.h"
#include "control/http/body.h"
#include "control/http/problem.h"
#include "control/http/reply.h"

enum { ROLES_MOST = 100, PERMITS_MOST = 64 };

enum { K_NAME, K_TITLE, K_PERMITS, K_MEMBERS, K_CREATED, K_VERSION };

static json_t *role_json(const struct db_result *res, unsigned i)
{
	return json_pack("{s:o, s:o, s:b, s:o, s:I, s:o}", "name",
			 api_text(db_text(res, i, K_NAME)), "title",
			 api_text(db_text(res, i, K_TITLE)), "built_in", 0, "permissions",
			 permit_json((uint64_t)db_int(res, i, K_PERMITS)), "members",
			 (json_int_t)db_int(res, i, K_MEMBERS), "created_at",
			 api_time(db_int(res, i, K_CREATED)));
}

static json_t *built_in_json(enum role role, int64_t members)
{
	return json_pack("{s:s, s:s, s:b, s:o, s:I, s:n}", "name", permit_role_name(role), "title",
			 permit_role_title(role), "built_in", 1, "permissions",
			 permit_json(permit_of_role(role)), "members", (json_int_t)members,
			 "created_at");
}

/* ---- reading ----------------------------------------------------------------------------- */

enum { COUNT_ROLE, COUNT_N };

static int count_members(struct call *c, int64_t ret[ROLE_END])
{
	OWNED(db_result) res = NULL;
	int r = db_run(c->db, &res, sql_auth_role_counts, p_int(c->actor.org));

	for (unsigned i = 0; r >= 0 && i < db_rows(res); i++) {
		int64_t role = db_int(res, i, COUNT_ROLE);

		if (role > 0 && role < ROLE_END)
			ret[role] = db_int(res, i, COUNT_N);
	}
	return r < 0 ? r : 0;
}

static int get_roles(struct call *c)
{
	OWNED(db_result) res = NULL;
	int64_t members[ROLE_END] = { 0 };
	json_t *data;
	int r = count_members(c, members);

	if (r >= 0)
		r = db_run(c->db, &res, sql_auth_role_list, p_int(c->actor.org));
	if (r < 0)
		return r;
	data = json_array();
	for (unsigned i = 1; i < ROLE_END; i++)
		(void)json_array_append_new(data, built_in_json((enum role)i, members[i]));
	for (unsigned i = 0; i < db_rows(res); i++)
		(void)json_array_append_new(data, role_json(res, i));
	return http_reply_json(c, 200, json_pack("{s:o}", "data", data));
}

static int reply_role(struct call *c, struct slice name, unsigned status)
{
	OWNED(db_result) res = NULL;
	int r = db_run(c->db, &res, sql_auth_role_find, p_int(c->actor.org), p_text(name));

	if (r <= 0)
		return r < 0 ? r : E_UNKNOWN;
	http_reply_etag(c, db_int(res, 0, K_VERSION));
	return http_reply_json(c, status, role_json(res, 0));
}

static int get_role(struct call *c)
{
	int64_t members[ROLE_END] = { 0 };
	enum role role;
	int r;

	if (permit_role_parse(call_param(c, 0), &role) < 0)
		return reply_role(c, call_param(c, 0), 200);
	r = count_members(c, members);
	http_reply_etag(c, 1); /* it stays as it is */
	return r < 0 ? r : http_reply_json(c, 200, built_in_json(role, members[role]));
}

/* ---- choosing one ------------------------------------------------------------------------ */

enum { FOUND_PERMITS };

static int find_own(struct call *c, struct slice name, struct role_choice *ret)
{
	OWNED(db_result) res = NULL;
	int r = db_run(c->db, &res, sql_auth_role_share, p_int(c->actor.org), p_text(name));

	if (r <= 0)
		return r;
	ret->role = ROLE_OWN;
	ret->permits = (uint64_t)db_int(res, 0, FOUND_PERMITS);
	slice_copy(ret->own, sizeof(ret->own), name);
	return r;
}

int roles_choose(struct call *c, const char *pointer, struct slice name, struct role_choice *ret)
{
	int r = 1;

	*ret = (struct role_choice){ .role = ROLE_VIEWER };
	if (permit_role_parse(name, &ret->role) >= 0)
		ret->permits = permit_of_role(ret->role);
	else
		r = find_own(c, name, ret);
	if (r < 0)
		return r;
	if (r == 0)
		problem_add(c, pointer, "unknown_role",
			    "is no role: see /v1/roles for those that there are");
	else if (ret->permits & ~c->actor.permits)
		problem_add(c, pointer, "missing_permission",
			    "this role has permissions that you do not have yourself");
	return problem_end(c);
}

/* ---- changing ---------------------------------------------------------------------------- */

struct role_body {
	struct slice name, title;
	json_t *permissions;
};
enum { R_NAME, R_TITLE, R_PERMISSIONS };
/* clang-format off */
static const struct body_field make_fields[] = {
	[R_NAME] = {"name", BODY_LINE, offsetof(struct role_body, name), BODY_REQUIRED, 1, ROLE_NAME_MAX, 0},
	[R_TITLE] = {"title", BODY_NAME, offsetof(struct role_body, title), 0, 0, 100, 0},
	[R_PERMISSIONS] = {"permissions", BODY_LIST, offsetof(struct role_body, permissions), BODY_REQUIRED, 1, PERMITS_MOST, 0},
};
enum { C_TITLE, C_PERMISSIONS };
static const struct body_field change_fields[] = {
	[C_TITLE] = {"title", BODY_NAME, offsetof(struct role_body, title), 0, 0, 100, 0},
	[C_PERMISSIONS] = {"permissions", BODY_LIST, offsetof(struct role_body, permissions), 0, 1, PERMITS_MOST, 0},
};
/* clang-format on */

/* Nobody can put a permission into a role that they do not have. */
static uint64_t read_permits(struct call *c, json_t *list)
{
	uint64_t set = 0, bit;
	json_t *item;
	size_t i;

	json_array_foreach(list, i, item)
	{
		const char *name = json_string_value(item);

		if (!name || permit_parse(slice_str(name), &bit) < 0)
			problem_add(c, "/permissions", "unknown_permission",
				    "entry %zu is not the name of a permission", i);
		else if (bit & ~c->actor.permits)
			problem_add(c, "/permissions", "missing_permission",
				    "you cannot give %s because you do not have it yourself", name);
		else
			set |= bit;
	}
	return set;
}

static void check_name(struct call *c, struct slice s)
{
	enum role taken;
	bool good = true;

	for (size_t i = 0; i < s.n; i++)
		good &= (s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= '0' && s.p[i] <= '9') ||
			(s.p[i] == '-' && i > 0 && i + 1 < s.n);
	if (!good)
		problem_add(c, "/name", "invalid_name",
			    "takes small letters, digits, and hyphens between them");
	else if (permit_role_parse(s, &taken) >= 0)
		problem_add(c, "/name", "built_in", "is the name of a built-in role");
}

static int audit_role(struct call *c, const char *action, struct slice name, json_t *detail)
{
	char object[ROLE_NAME_MAX + 1];

	slice_copy(object, sizeof(object), name);
	return audit_put(c, action, object, detail);
}

static int post_role(struct call *c)
{
	struct role_body b = { 0 };
	struct body_seen seen;
	uint64_t permits;
	int r = http_body_read(c, make_fields, ARRAY_LEN(make_fields), &b, &seen);

	if (r < 0)
		return r;
	check_name(c, b.name);
	permits = read_permits(c, b.permissions);
	r = problem_end(c);
	if (r >= 0)
		r = db_run(c->db, NULL, sql_auth_role_insert, p_int(c->actor.org), p_text(b.name),
			   p_text(b.title), p_int((int64_t)permits), p_int(ROLES_MOST));
	if (r == 0)
		return problem(c, 409, "too_many_roles",
			       "an organisation has at most %d roles of its own", ROLES_MOST);
	if (r >= 0)
		r = audit_role(c, "role.created", b.name, json_incref(c->body));
	if (r < 0)
		return r;
	http_reply_header(c, "Location", "/v1/roles/%.*s", (int)b.name.n, b.name.p);
	return reply_role(c, b.name, 201);
}

enum { LOCKED_PERMITS, LOCKED_VERSION };

/* Locks it.  Guarantee: nobody changes or removes a role that may do what they may not. */
static int lock_role(struct call *c, struct slice name, uint64_t *ret_permits)
{
	OWNED(db_result) res = NULL;
	enum role built_in;
	int r;

	if (permit_role_parse(name, &built_in) >= 0)
		return problem(c, 409, "built_in", "built-in roles stay as they are: make one");
	r = db_run(c->db, &res, sql_auth_role_lock, p_int(c->actor.org), p_text(name));
	if (r <= 0)
		return r < 0 ? r : E_UNKNOWN;
	*ret_permits = (uint64_t)db_int(res, 0, LOCKED_PERMITS);
	r = call_if_match(c, db_int(res, 0, LOCKED_VERSION));
	if (r >= 0 && (*ret_permits & ~c->actor.permits))
		return problem(c, 403, "missing_permission",
			       "this role has permissions that you do not have yourself");
	return r;
}

/* Those who have the role: keys that they may own no more end, and so does what was handed over for
 * the role as it was. */
static int change_members(struct call *c, struct slice name, uint64_t permits)
{
	OWNED(db_result) res = NULL;
	int r = db_run(c->db, &res, sql_auth_role_members, p_int(c->actor.org), p_text(name));

	for (unsigned i = 0; r >= 0 && i < db_rows(res); i++) {
		uint64_t user = (uint64_t)db_int(res, i, 0);

		r = key_owner_changes(c, user, &permits, 0);
		if (r >= 0)
			r = db_run(c->db, NULL, sql_auth_tokens_end, p_int(c->actor.org),
				   p_int(user));
	}
	return r < 0 ? r : 0;
}

static int patch_role(struct call *c)
{
	struct slice name = call_param(c, 0);
	struct role_body b = { 0 };
	struct body_seen seen;
	uint64_t before = 0, permits;
	int r = http_body_read(c, change_fields, ARRAY_LEN(change_fields), &b, &seen);

	if (r >= 0)
		r = lock_role(c, name, &before);
	if (r < 0)
		return r;
	permits = body_has(seen, C_PERMISSIONS) ? read_permits(c, b.permissions) : before;
	r = problem_end(c);
	if (r >= 0 && permits != before)
		r = change_members(c, name, permits);
	if (r >= 0)
		r = db_run(c->db, NULL, sql_auth_role_update, p_int(c->actor.org), p_text(name),
			   body_has(seen, C_TITLE) ? p_text(b.title) : p_null(),
			   p_int((int64_t)permits));
	if (r > 0)
		r = audit_role(c, "role.changed", name, json_incref(c->body));
	return r < 0 ? r : reply_role(c, name, 200);
}

static int delete_role(struct call *c)
{
	struct slice name = call_param(c, 0);
	OWNED(db_result) res = NULL;
	uint64_t before = 0;
	int r = lock_role(c, name, &before);

	if (r >= 0)
		r = db_run(c->db, &res, sql_auth_role_members, p_int(c->actor.org), p_text(name));
	if (r > 0)
		return problem(c, 409, "role_in_use",
			       "%d members have this role: give them another one first", r);
	if (r < 0)
		return r;
	r = db_run(c->db, NULL, "DELETE FROM roles WHERE org_id = $1 AND name = $2",
		   p_int(c->actor.org), p_text(name));
	if (r == E_UNKNOWN)
		return problem(c, 409, "role_in_use",
			       "people who come in by themselves get this role: choose another one "
			       "in /v1/org/sign-in and for the identity providers first");
	if (r >= 0)
		r = audit_role(c, "role.deleted", name, NULL);
	return r < 0 ? r : http_reply_empty(c, 204);
}

/* clang-format off */
const struct http_route auth_role_routes[] = {
	{"GET",    "/v1/roles",        AUTH_MEMBER, PERMIT_MEMBERS_READ,  0, 0, get_roles  },
	{"POST",   "/v1/roles",        AUTH_MEMBER, PERMIT_MEMBERS_WRITE, ROUTE_IDEMPOTENT, 0, post_role},
	{"GET",    "/v1/roles/{name}", AUTH_MEMBER, PERMIT_MEMBERS_READ,  0, 0, get_role   },
	{"PATCH",  "/v1/roles/{name}", AUTH_MEMBER, PERMIT_MEMBERS_WRITE, ROUTE_IF_MATCH, 0, patch_role },
	{"DELETE", "/v1/roles/{name}", AUTH_MEMBER, PERMIT_MEMBERS_WRITE, 0, 0, delete_role},
};
/* clang-format on */
const size_t auth_role_routes_n = ARRAY_LEN(auth_role_routes);
