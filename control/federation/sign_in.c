/* control/federation/sign_in.c - /v1/org/sign-in: who may come in by a provider, as what, and
 * whether passwords still count. */
#include <stdio.h>

#include "control/auth/audit.h"
#include "control/federation/role.h"
#include "control/federation/routes.h"
#include "control/federation/statements.h"
#include "control/http/api.h"
#include "control/http/body.h"
#include "control/http/problem.h"
#include "control/http/reply.h"
#include "message/mailbox.h"

enum { DOMAINS_MOST = 50 };
enum { K_DOMAINS, K_ROLE, K_OWN_ROLE, K_SSO_ONLY, K_VERSION };

static int reply(struct call *c, const struct db_result *res)
{
	struct slice domains = db_text(res, 0, K_DOMAINS);

	http_reply_etag(c, db_int(res, 0, K_VERSION));
	return http_reply_json(
	    c, 200,
	    json_pack("{so so sb}", "domains", json_loadb(domains.p, domains.n, 0, NULL),
		      "default_role",
		      role_name_json(db_int(res, 0, K_ROLE), db_text(res, 0, K_OWN_ROLE)),
		      "sso_only", (int)db_bool(res, 0, K_SSO_ONLY)));
}

static int get_sign_in(struct call *c)
{
	OWNED(db_result) res = NULL;
	int r = db_run(c->db, &res, sql_federation_sign_in_find, p_int(c->actor.org));

	return r <= 0 ? (r < 0 ? r : E_UNKNOWN) : reply(c, res);
}

struct sign_in_body {
	json_t *domains;
	struct slice role;
	bool sso_only;
};
enum { B_DOMAINS, B_ROLE, B_SSO_ONLY };
/* clang-format off */
static const struct body_field fields[] = {
	[B_DOMAINS] = {"domains", BODY_LIST, offsetof(struct sign_in_body, domains), BODY_RESET, 0, DOMAINS_MOST, 0},
	[B_ROLE] = {"default_role", BODY_LINE, offsetof(struct sign_in_body, role), 0, 1, ROLE_NAME_MAX, 0},
	[B_SSO_ONLY] = {"sso_only", BODY_BOOL, offsetof(struct sign_in_body, sso_only), BODY_RESET, 0, 0, 0},
};
/* clang-format on */

/* Normalised as addresses are, so that comparing bytes compares domains. */
static json_t *read_domains(struct call *c, const json_t *list)
{
	json_t *domains = json_array(), *item;
	char text[MAILBOX_MAX + 2], pointer[32];
	struct slice name;
	size_t i;

	json_array_foreach(list, i, item)
	{
		(void)snprintf(pointer, sizeof(pointer), "/domains/%zu", i);
		if (!json_is_string(item) ||
		    mailbox_domain_parse(api_text_of(item), MAILBOX_CONTACT, text, &name) < 0)
			problem_add(c, pointer, "invalid_domain", "must be the name of a domain");
		else
			(void)json_array_append_new(domains, api_text(name));
	}
	return domains;
}

/* The way in that stays must be there. */
static int check_only(struct call *c, bool sso_only)
{
	OWNED(db_result) res = NULL;
	int r;

	if (!sso_only)
		return 0;
	r = db_run(c->db, &res, sql_federation_providers_any, p_int(c->actor.org));
	if (r < 0 || db_int(res, 0, 0) > 0)
		return r < 0 ? r : 0;
	return problem(c, 409, "no_provider",
		       "without an active identity provider nobody but admins could sign in: set "
		       "one up first");
}

static int update(struct call *c, const struct sign_in_body *b, struct body_seen seen,
		  const struct db_result *old)
{
	struct role_choice role = { .role = (enum role)db_int(old, 0, K_ROLE) };
	json_t *domains = body_has(seen, B_DOMAINS) ? read_domains(c, b->domains) : NULL;
	char *text = domains ? json_dumps(domains, JSON_COMPACT) : NULL;
	bool only = body_has(seen, B_SSO_ONLY) ? b->sso_only : db_bool(old, 0, K_SSO_ONLY);
	int r = problem_end(c);

	slice_copy(role.own, sizeof(role.own), db_text(old, 0, K_OWN_ROLE));
	if (r >= 0 && body_has(seen, B_ROLE))
		r = role_of_strangers(c, b->role, &role);
	if (r >= 0)
		r = role_may_all(c);
	if (r >= 0 && body_has(seen, B_SSO_ONLY))
		r = check_only(c, only);
	if (r >= 0)
		r = db_run(c->db, NULL, sql_federation_sign_in_update, p_int(c->actor.org),
			   text ? p_str(text) : p_text(db_text(old, 0, K_DOMAINS)),
			   p_int(role.role), p_str(role.own), p_bool(only));
	free(text);
	json_decref(domains);
	return r;
}

static int patch_sign_in(struct call *c)
{
	OWNED(db_result) old = NULL;
	struct sign_in_body b = { 0 };
	struct body_seen seen;
	int r = http_body_read(c, fields, ARRAY_LEN(fields), &b, &seen);

	if (r >= 0)
		r = db_run(c->db, &old, sql_federation_sign_in_lock, p_int(c->actor.org));
	if (r >= 0)
		r = call_if_match(c, db_int(old, 0, K_VERSION));
	if (r < 0 || !seen.present)
		return r < 0 ? r : get_sign_in(c);
	r = update(c, &b, seen, old);
	if (r > 0)
		r = audit_put_id(c, "org.sign_in_changed", ID_ORG, c->actor.org,
				 json_incref(c->body));
	return r < 0 ? r : get_sign_in(c);
}

/* clang-format off */
const struct http_route federation_sign_in_routes[] = {
	{"GET",   "/v1/org/sign-in", AUTH_MEMBER, PERMIT_MEMBERS_READ,  0, 0, get_sign_in  },
	{"PATCH", "/v1/org/sign-in", AUTH_MEMBER, PERMIT_MEMBERS_WRITE, 0, 0, patch_sign_in},
};
/* clang-format on */
const size_t federation_sign_in_routes_n = ARRAY_LEN(federation_sign_in_routes);
