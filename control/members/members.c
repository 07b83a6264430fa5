/* control/members/members.c - who belongs to the organisation, in which role. */
#include "control/auth/audit.h"
#include "control/auth/factor.h"
#include "control/auth/handed.h"
#include "control/auth/key_owner.h"
#include "control/auth/linked.h"
#include "control/auth/login_session.h"
#include "control/auth/permit.h"
#include "control/auth/profile.h"
#include "control/auth/roles.h"
#include "control/auth/throttle.h"
#include "control/auth/token.h"
#include "control/http/api.h"
#include "control/http/body.h"
#include "control/http/page.h"
#include "control/http/problem.h"
#include "control/http/reply.h"
#include "control/members/routes.h"
#include "control/members/statements.h"
#include "message/mailbox.h"

enum {
	K_ID,
	K_EMAIL,
	K_NAME,
	K_ROLE,
	K_STATUS,
	K_CREATED,
	K_LOGIN,
	K_VERSION,
	K_FACTOR,
	K_OWN_ROLE,
	K_AVATAR
};

static const char *status_name(int64_t status)
{
	return status == USER_ACTIVE ? "active" : status == USER_INVITED ? "invited" : "disabled";
}

static json_t *role_name(const struct db_result *res, unsigned i)
{
	int64_t role = db_int(res, i, K_ROLE);

	return role == ROLE_OWN ? api_text(db_text(res, i, K_OWN_ROLE))
				: json_string(permit_role_name((enum role)role));
}

static json_t *member_json(const struct db_result *res, unsigned i)
{
	return json_pack(
	    "{s:o, s:o, s:o, s:o, s:s, s:b, s:o, s:o, s:o}", "id",
	    api_id(ID_USER, (uint64_t)db_int(res, i, K_ID)), "email",
	    api_text(db_text(res, i, K_EMAIL)), "name", api_text(db_text(res, i, K_NAME)), "role",
	    role_name(res, i), "status", status_name(db_int(res, i, K_STATUS)), "second_factor",
	    db_bool(res, i, K_FACTOR), "created_at", api_time(db_int(res, i, K_CREATED)),
	    "last_login_at", api_time(db_int(res, i, K_LOGIN)), "avatar",
	    profile_avatar(db_text(res, i, K_AVATAR)));
}

static int get_members(struct call *c)
{
	return page_list(c, member_json, sql_members_page, p_int(c->actor.org), PAGE_AFTER,
			 PAGE_LIMIT);
}

static int reply_member(struct call *c, uint64_t id, unsigned status, const char *token)
{
	OWNED(db_result) res = NULL;
	json_t *member;
	int r = db_run(c->db, &res, sql_members_find, p_int(c->actor.org), p_int(id));

	if (r <= 0)
		return r < 0 ? r : E_UNKNOWN;
	member = member_json(res, 0);
	if (token)
		(void)json_object_set_new(member, "token", json_string(token));
	http_reply_etag(c, db_int(res, 0, K_VERSION));
	return http_reply_json(c, status, member);
}

static int get_member(struct call *c)
{
	uint64_t id;
	int r = call_id(c, 0, ID_USER, &id);

	return r < 0 ? r : reply_member(c, id, 200, NULL);
}

struct member_body {
	struct slice email, name, role, status;
};
enum { M_EMAIL, M_NAME, M_ROLE };
/* clang-format off */
static const struct body_field invite_fields[] = {
	[M_EMAIL] = {"email", BODY_EMAIL, offsetof(struct member_body, email), BODY_REQUIRED, 0, 0, 0},
	[M_NAME] = {"name", BODY_NAME, offsetof(struct member_body, name), 0, 0, 100, 0},
	[M_ROLE] = {"role", BODY_LINE, offsetof(struct member_body, role), BODY_REQUIRED, 1, ROLE_NAME_MAX, 0},
};
/* clang-format on */

enum { LOCKED_ROLE, LOCKED_PERMITS };

/* Guarantee: nobody changes, disables, removes or takes over by a reset a member who may do what
 * they may not.  The row stays locked, so that its role cannot rise before the change. */
static int check_reach(struct call *c, uint64_t id)
{
	OWNED(db_result) res = NULL;
	int r = db_run(c->db, &res, sql_members_lock, p_int(c->actor.org), p_int(id));

	if (r <= 0)
		return r < 0 ? r : E_UNKNOWN;
	if (permit_of_member(db_int(res, 0, LOCKED_ROLE), db_int(res, 0, LOCKED_PERMITS)) &
	    ~c->actor.permits)
		return problem(c, 403, "missing_permission",
			       "this member has permissions that you do not have yourself");
	return 0;
}

static int post_member(struct call *c)
{
	char norm[MAILBOX_MAX + 2], token[TOKEN_MAX], id_text[ID_OUT_MAX];
	OWNED(db_result) res = NULL;
	struct member_body b = { 0 };
	struct body_seen seen;
	struct mailbox box;
	struct role_choice role = { 0 };
	int r = http_body_read(c, invite_fields, ARRAY_LEN(invite_fields), &b, &seen);

	if (r >= 0)
		r = throttle_invite(c);
	if (r >= 0)
		r = roles_choose(c, "/role", b.role, &role);
	if (r >= 0)
		r = mailbox_parse(b.email, MAILBOX_CONTACT, &box);
	if (r >= 0)
		r = db_run(c->db, &res, sql_members_insert, p_int(c->actor.org), p_text(b.email),
			   p_text(mailbox_normal(&box, norm)), p_text(b.name), p_int(role.role),
			   p_str(role.own));
	if (r < 0)
		return r;
	uint64_t id = (uint64_t)db_int(res, 0, 0);
	r = handed_token(c, c->actor.org, id, TOKEN_INVITE, token);
	if (r < 0)
		return r;
	r = audit_put(c, "member.invited", ids_out(ID_USER, id, id_text),
		      json_pack("{s:o}", "role", api_text(b.role)));
	http_reply_header(c, "Location", "/v1/members/%s", id_text);
	return r < 0 ? r : reply_member(c, id, 201, *token ? token : NULL);
}

/* Guarantee: an organisation keeps at least one active admin.  The rows of all admins are locked,
 * so that two admins cannot demote each other at once. */
static int keeps_admin(struct call *c)
{
	int r = db_run(c->db, NULL, sql_members_admins_active, p_int(c->actor.org));

	if (r < 0)
		return r;
	return r > 0 ? 0
		     : problem(c, 409, "last_admin",
			       "this is the last active admin: make another member an admin first");
}

static int lock_admins(struct call *c)
{
	int r = db_run(c->db, NULL, sql_members_admins_lock, p_int(c->actor.org));
	return r < 0 ? r : 0;
}

/* All who change members lock in this order. */
static int lock_member(struct call *c, uint64_t id)
{
	int r = lock_admins(c);

	return r < 0 ? r : check_reach(c, id);
}

enum { P_NAME, P_ROLE, P_STATUS };
/* clang-format off */
static const struct body_field patch_fields[] = {
	[P_NAME] = {"name", BODY_NAME, offsetof(struct member_body, name), 0, 0, 100, 0},
	[P_ROLE] = {"role", BODY_LINE, offsetof(struct member_body, role), 0, 1, ROLE_NAME_MAX, 0},
	[P_STATUS] = {"status", BODY_LINE, offsetof(struct member_body, status), 0, 1, 20, 0},
};
/* clang-format on */

static int read_status(struct call *c, struct slice name, int *ret)
{
	bool active = slice_eq(name, SLICE("active")), disabled = slice_eq(name, SLICE("disabled"));

	if (!active && !disabled)
		problem_add(c, "/status", "unknown_status", "must be active or disabled");
	*ret = active ? USER_ACTIVE : USER_DISABLED;
	return problem_end(c);
}

/* 1, or 0 when all is as it was. */
static int update_member(struct call *c, uint64_t id, const struct member_body *b,
			 struct body_seen seen)
{
	struct role_choice role = { 0 };
	int status = 0, r = 0;

	if (body_has(seen, P_ROLE))
		r = roles_choose(c, "/role", b->role, &role);
	if (r >= 0 && body_has(seen, P_STATUS))
		r = read_status(c, b->status, &status);
	if (r >= 0)
		r = lock_member(c, id);
	if (r >= 0)
		r = login_session_if_match(c, id);
	if (r >= 0)
		r = key_owner_changes(c, id, body_has(seen, P_ROLE) ? &role.permits : NULL, status);
	struct db_param new_role = body_has(seen, P_ROLE) ? p_int(role.role) : p_null();
	struct db_param new_status = status ? p_int(status) : p_null();
	if (r >= 0)
		r = db_run(c->db, NULL, sql_members_tokens_end, p_int(c->actor.org), p_int(id),
			   new_role, new_status, p_str(role.own));
	if (r >= 0)
		r = db_run(c->db, NULL, sql_members_update, p_int(c->actor.org), p_int(id),
			   new_role, new_status,
			   body_has(seen, P_NAME) ? p_text(b->name) : p_null(), p_str(role.own));
	if (r <= 0)
		return r;
	if (status == USER_DISABLED)
		r = login_session_end_all(c, id, 0);
	if (r >= 0)
		r = keeps_admin(c);
	return r < 0 ? r : 1;
}

static int patch_member(struct call *c)
{
	struct member_body b = { 0 };
	struct body_seen seen;
	char id_text[ID_OUT_MAX];
	uint64_t id;
	int r = call_id(c, 0, ID_USER, &id);

	if (r >= 0)
		r = http_body_read(c, patch_fields, ARRAY_LEN(patch_fields), &b, &seen);
	if (r >= 0 && !seen.present) {
		r = login_session_if_match(c, id);
		return r < 0 ? r : reply_member(c, id, 200, NULL);
	}
	if (r >= 0)
		r = update_member(c, id, &b, seen);
	if (r > 0)
		r = audit_put(c, "member.changed", ids_out(ID_USER, id, id_text),
			      json_incref(c->body));
	return r < 0 ? r : reply_member(c, id, 200, NULL);
}

static int delete_member(struct call *c)
{
	char id_text[ID_OUT_MAX];
	uint64_t id;
	int r = call_id(c, 0, ID_USER, &id);

	if (r >= 0)
		r = lock_member(c, id);
	if (r >= 0)
		r = login_session_if_match(c, id);
	if (r >= 0)
		r = key_owner_leaves(c, id);
	if (r >= 0)
		r = db_run(c->db, NULL, "DELETE FROM users WHERE org_id = $1 AND id = $2",
			   p_int(c->actor.org), p_int(id));
	if (r <= 0)
		return r < 0 ? r : E_UNKNOWN;
	r = keeps_admin(c);
	if (r >= 0)
		r = audit_put(c, "member.removed", ids_out(ID_USER, id, id_text), NULL);
	return r < 0 ? r : http_reply_empty(c, 204);
}

static int post_reset(struct call *c)
{
	char token[TOKEN_MAX], id_text[ID_OUT_MAX];
	uint64_t id;
	int r = call_id(c, 0, ID_USER, &id);

	if (r >= 0)
		r = check_reach(c, id);
	if (r >= 0)
		r = throttle_invite(c);
	if (r < 0)
		return r;
	r = handed_token(c, c->actor.org, id, TOKEN_RESET, token);
	if (r >= 0)
		r = audit_put(c, "member.reset", ids_out(ID_USER, id, id_text), NULL);
	return r < 0 ? r : reply_member(c, id, 201, *token ? token : NULL);
}

/* Of somebody whose phone and recovery codes are gone: they enter by their password alone then, and
 * their sessions end. */
static int delete_factor(struct call *c)
{
	uint64_t id;
	int r = call_id(c, 0, ID_USER, &id);

	if (r >= 0)
		r = check_reach(c, id);
	if (r >= 0)
		r = factor_remove_all(c, c->actor.org, id);
	if (r <= 0)
		return r < 0 ? r : problem(c, 409, "no_factor", "this member has no second factor");
	r = login_session_end_all(c, id, 0);
	if (r >= 0)
		r = linked_end(c, c->actor.org, id);
	if (r >= 0)
		r = factor_tell(c, c->actor.org, id, FACTOR_ADMIN_REMOVED);
	if (r >= 0)
		r = audit_put_id(c, "member.factor_removed", ID_USER, id, NULL);
	return r < 0 ? r : http_reply_empty(c, 204);
}

/* clang-format off */
const struct http_route members_routes[] = {
	{"GET",    "/v1/members",                 AUTH_MEMBER, PERMIT_MEMBERS_READ,  0, 0, get_members },
	{"POST",   "/v1/members",                 AUTH_MEMBER, PERMIT_MEMBERS_WRITE, ROUTE_REAL | ROUTE_IDEMPOTENT, 0, post_member},
	{"GET",    "/v1/members/{user_id}",       AUTH_MEMBER, PERMIT_MEMBERS_READ,  0,             0, get_member   },
	{"PATCH",  "/v1/members/{user_id}",       AUTH_MEMBER, PERMIT_MEMBERS_WRITE, 0, 0, patch_member },
	{"DELETE", "/v1/members/{user_id}",       AUTH_MEMBER, PERMIT_MEMBERS_WRITE, 0, 0, delete_member },
	{"POST",   "/v1/members/{user_id}/reset", AUTH_MEMBER, PERMIT_MEMBERS_WRITE,
	           ROUTE_NO_BODY | ROUTE_REAL | ROUTE_IDEMPOTENT, 0, post_reset},
	{"DELETE", "/v1/members/{user_id}/factor", AUTH_MEMBER, PERMIT_MEMBERS_WRITE, 0,            0, delete_factor},
};
/* clang-format on */
const size_t members_routes_n = ARRAY_LEN(members_routes);
