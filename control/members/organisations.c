/* control/members/organisations.c - the organisations of the person logged in: which they are,
 * going over to another one, and leaving the links.
 *
 * Guarantee: where somebody goes over to, that organisation's second factor is asked for, and no
 *            password or factor of the organisation that they came from stands for it.
 * Guarantee: an organisation decides for its own accounts only: schema/sql/0052_persons.sql. */
#include "control/auth/arrival.h"
#include "control/auth/audit.h"
#include "control/auth/codes.h"
#include "control/auth/gate.h"
#include "control/auth/linked.h"
#include "control/auth/options.h"
#include "control/auth/permit.h"
#include "control/auth/proof.h"
#include "control/auth/statements.h"
#include "control/http/api.h"
#include "control/http/body.h"
#include "control/http/problem.h"
#include "control/http/reply.h"
#include "control/members/joining.h"
#include "control/members/routes.h"
#include "control/members/statements.h"

enum { ORG_ACTIVE = 1 };
enum { O_ORG, O_NAME, O_HANDLE, O_STATUS, O_ROLE, O_OWN_ROLE, O_LOGIN };

json_t *joining_json(const struct call *c, const struct db_result *res, unsigned i)
{
	int64_t role = db_int(res, i, O_ROLE), org = db_int(res, i, O_ORG);

	return json_pack("{s:o, s:o, s:o, s:s, s:o, s:b, s:o}", "id", api_id(ID_ORG, (uint64_t)org),
			 "name", api_text(db_text(res, i, O_NAME)), "handle",
			 api_text(db_text(res, i, O_HANDLE)), "status",
			 db_int(res, i, O_STATUS) == ORG_ACTIVE ? "active" : "suspended", "role",
			 role == ROLE_OWN ? api_text(db_text(res, i, O_OWN_ROLE))
					  : json_string(permit_role_name((enum role)role)),
			 "current", org == (int64_t)c->actor.org, "last_login_at",
			 api_time(db_int(res, i, O_LOGIN)));
}

/* The session's secret as the database keeps it. */
static struct db_param session_hash(struct call *c, uint8_t hash[TOKEN_HASH_LEN])
{
	auth_session_hash(c, hash);
	return p_bytes(slice_of((const char *)hash, TOKEN_HASH_LEN));
}

int joining_own(struct call *c)
{
	if (c->actor.own)
		return 0;
	return problem(c, 403, "password_required",
		       "your organisation let you in, which counts for it alone: give your own "
		       "password at /v1/me/proof, or log in with it");
}

int joining_sso_only(struct call *c)
{
	return problem(c, 403, "sso_required",
		       "passwords do not count in that organisation, and so nobody comes there "
		       "from another one: sign in by one of its identity providers");
}

static int get_organisations(struct call *c)
{
	uint8_t hash[TOKEN_HASH_LEN];
	OWNED(db_result) res = NULL;
	json_t *list = json_array();
	int r = db_run(c->db, &res, sql_members_organisations, p_int(c->actor.session),
		       session_hash(c, hash));

	for (int i = 0; i < r; i++)
		(void)json_array_append_new(list, joining_json(c, res, (unsigned)i));
	if (r < 0) {
		json_decref(list);
		return r;
	}
	return http_reply_json(c, 200, json_pack("{s:o}", "data", list));
}

/* ---- going over -------------------------------------------------------------------------- */

struct switching {
	struct call *c;
	uint32_t org;
};
enum { E_MEMBER, E_PROVED };

static int go_over(struct db *db, void *arg)
{
	struct switching *s = arg;
	struct call *c = s->c;
	uint8_t hash[TOKEN_HASH_LEN];
	OWNED(db_result) res = NULL;
	OWNED(db_result) row = NULL;
	int r = db_run(db, &res, sql_members_enter, p_int(c->actor.org), p_int(c->actor.session),
		       session_hash(c, hash), p_int(auth_options(c->app)->proof_life));

	if (r <= 0)
		return r < 0 ? r : E_UNKNOWN;
	uint64_t user = (uint64_t)db_int(res, 0, E_MEMBER);
	const struct login_shown shown = { .own = true, .proved = db_bool(res, 0, E_PROVED) };
	r = db_run(db, &row, sql_members_active_lock, p_int(s->org), p_int(user));
	if (r <= 0)
		return r < 0 ? r : E_UNKNOWN;
	if (db_bool(row, 0, 0))
		return joining_sso_only(c);
	r = audit_put_user(c, s->org, user, "login.switched", NULL);
	return r < 0 ? r : arrival_continue_shown(c, s->org, user, 200, shown);
}

struct switch_body {
	uint64_t org;
};
static const struct body_field switch_fields[] = {
	{ "organisation", BODY_ID, offsetof(struct switch_body, org), BODY_REQUIRED, 0, 0, ID_ORG },
};

/* Whether it does not exist, or is not theirs, makes no difference. */
static int post_switch(struct call *c)
{
	struct switching s = { .c = c };
	struct switch_body b = { 0 };
	struct body_seen seen;
	int r = http_body_read(c, switch_fields, ARRAY_LEN(switch_fields), &b, &seen);

	if (r >= 0)
		r = joining_own(c);
	if (r < 0)
		return r;
	if (b.org == 0 || b.org > INT32_MAX)
		return E_UNKNOWN;
	s.org = (uint32_t)b.org;
	return db_tx(c->db, s.org, go_over, &s);
}

/* ---- leaving ----------------------------------------------------------------------------- */

static int delete_organisation(struct call *c)
{
	uint8_t hash[TOKEN_HASH_LEN];
	OWNED(db_result) res = NULL;
	uint64_t org = 0;
	int r = call_id(c, 0, ID_ORG, &org);

	if (r >= 0 && (org == 0 || org > INT32_MAX))
		r = E_UNKNOWN;
	if (r >= 0)
		r = db_run(c->db, &res, sql_members_leave, p_int(c->actor.session),
			   session_hash(c, hash), p_int(org));
	if (r < 0)
		return r;
	if (db_is_null(res, 0, 0))
		return E_UNKNOWN;
	r = linked_tell(c, c->actor.org, c->actor.id, false);
	if (r >= 0 && org != c->actor.org) {
		r = db_turn(c->db, (uint32_t)org);
		if (r >= 0)
			r = linked_tell(c, (uint32_t)org, (uint64_t)db_int(res, 0, 0), false);
		if (r >= 0)
			r = db_turn(c->db, c->actor.org);
	}
	return r < 0 ? r : http_reply_empty(c, 204);
}

#define OVER (ROUTE_BRAKED | ROUTE_NO_TX | ROUTE_SUSPENDED_TOO)
/* clang-format off */
const struct http_route members_organisation_routes[] = {
	{"GET",    "/v1/me/organisations",          AUTH_SESSION, 0, 0, 0, get_organisations},
	{"POST",   "/v1/me/organisations",          AUTH_SESSION, 0, OVER, 0, joining_post},
	{"DELETE", "/v1/me/organisations/{org_id}", AUTH_SESSION, 0, ROUTE_SUSPENDED_TOO, 0, delete_organisation},
	{"POST",   "/v1/auth/switch",               AUTH_SESSION, 0, OVER, 0, post_switch},
};
/* clang-format on */
const size_t members_organisation_routes_n = ARRAY_LEN(members_organisation_routes);
