/* control/platform/factor.c - POST /v1/admin/orgs/{org_id}/reset-factor: an admin of an
 * organisation has lost phone and recovery codes, and nobody there can help.
 *
 * The operator finds out who is asking before; nothing here could.  The reason stands in the
 * organisation's audit, and the person gets a mail. */
#include "control/auth/audit.h"
#include "control/auth/codes.h"
#include "control/auth/factor.h"
#include "control/auth/linked.h"
#include "control/http/api.h"
#include "control/http/body.h"
#include "control/http/problem.h"
#include "control/http/reply.h"
#include "control/platform/routes.h"
#include "control/platform/statements.h"
#include "message/mailbox.h"

struct factor_reset_body {
	struct slice email, reason;
};
/* clang-format off */
static const struct body_field fields[] = {
	{"email",  BODY_EMAIL, offsetof(struct factor_reset_body, email),  BODY_REQUIRED, 0, 0,   0},
	{"reason", BODY_NAME,  offsetof(struct factor_reset_body, reason), BODY_REQUIRED, 1, 500, 0},
};
/* clang-format on */

struct resetting {
	struct call *c;
	uint32_t org;
	struct slice email, reason;
};

static int remove_factors(struct resetting *k, uint64_t user)
{
	struct call *c = k->c;
	char id[ID_OUT_MAX];
	int r = factor_remove_all(c, k->org, user);

	if (r == 0)
		return problem(c, 409, "no_factor", "this admin has no second factor");
	if (r >= 0)
		r = db_run(c->db, NULL, sql_platform_sessions_end, p_int(k->org), p_int(user));
	if (r >= 0)
		r = linked_end(c, k->org, user);
	if (r >= 0)
		r = factor_tell(c, k->org, user, FACTOR_OPERATOR_REMOVED);
	return r < 0 ? r
		     : audit_put_in(c, k->org, "member.factor_removed", ids_out(ID_USER, user, id),
				    json_pack("{s:o}", "reason", api_text(k->reason)));
}

static int reset(struct db *db, void *arg)
{
	struct resetting *k = arg;
	char norm[MAILBOX_MAX + 2];
	OWNED(db_result) res = NULL;
	struct mailbox box;
	int r = mailbox_parse(k->email, MAILBOX_CONTACT, &box);

	if (r >= 0)
		r = db_run(db, &res, sql_platform_admin_find, p_int(k->org),
			   p_text(mailbox_normal(&box, norm)));
	if (r == 0)
		return problem(k->c, 404, "no_such_admin",
			       "no active admin of this organisation has this address; other "
			       "members are helped by an admin");
	if (r > 0)
		r = remove_factors(k, (uint64_t)db_int(res, 0, 0));
	return r < 0 ? r : http_reply_empty(k->c, 204);
}

static int post_reset(struct call *c)
{
	struct resetting k = { .c = c };
	struct factor_reset_body b = { 0 };
	struct body_seen seen;
	uint64_t org = 0;
	int r = call_id(c, 0, ID_ORG, &org);

	if (r >= 0 && (org == 0 || org > INT32_MAX))
		r = E_UNKNOWN;
	if (r >= 0)
		r = http_body_read(c, fields, ARRAY_LEN(fields), &b, &seen);
	if (r < 0)
		return r;
	k.org = (uint32_t)org;
	k.email = b.email;
	k.reason = b.reason;
	return db_tx(c->db, k.org, reset, &k);
}

/* clang-format off */
const struct http_route platform_factor_routes[] = {
	{"POST", "/v1/admin/orgs/{org_id}/reset-factor", AUTH_PLATFORM, 0, ROUTE_NO_TX, 0, post_reset},
};
/* clang-format on */
const size_t platform_factor_routes_n = ARRAY_LEN(platform_factor_routes);
