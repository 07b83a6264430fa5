/* control/federation/providers.c - /v1/identity-providers.  A provider's secret is sealed and never
 * shown. */
#include <stdio.h>

#include "control/auth/audit.h"
#include "control/federation/provider.h"
#include "control/federation/role.h"
#include "control/federation/routes.h"
#include "control/federation/statements.h"
#include "control/http/api.h"
#include "control/http/body.h"
#include "control/http/page.h"
#include "control/http/problem.h"
#include "control/http/reply.h"

enum { PROVIDERS_MOST = 20, SECRET_MAX = 2000 };

enum {
	P_ID,
	P_KIND,
	P_NAME,
	P_STATUS,
	P_CONFIG,
	P_HAS_SECRET,
	P_ROLE,
	P_OWN_ROLE,
	P_CREATED,
	P_UPDATED,
	P_VERSION
};

/* ---- shown --------------------------------------------------------------------------------- */

static json_t *config_of(const struct db_result *res, unsigned i)
{
	struct slice text = db_text(res, i, P_CONFIG);

	return json_loadb(text.p, text.n, 0, NULL);
}

static json_t *provider_json(const struct db_result *res, unsigned i)
{
	const struct federation_kind *kind = federation_kind_of(db_int(res, i, P_KIND));

	return json_pack(
	    "{so ss so ss so sb so so so}", "id",
	    api_id(ID_PROVIDER, (uint64_t)db_int(res, i, P_ID)), "kind", kind ? kind->name : "none",
	    "name", api_text(db_text(res, i, P_NAME)), "status",
	    db_int(res, i, P_STATUS) == PROVIDER_ACTIVE ? "active" : "disabled", "config",
	    config_of(res, i), "has_secret", (int)db_bool(res, i, P_HAS_SECRET), "default_role",
	    role_name_json(db_int(res, i, P_ROLE), db_text(res, i, P_OWN_ROLE)), "created_at",
	    api_time(db_int(res, i, P_CREATED)), "updated_at", api_time(db_int(res, i, P_UPDATED)));
}

static int get_providers(struct call *c)
{
	return page_list(c, provider_json, sql_federation_provider_page, p_int(c->actor.org),
			 PAGE_AFTER, PAGE_LIMIT);
}

static int reply_provider(struct call *c, uint64_t id, unsigned status)
{
	OWNED(db_result) res = NULL;
	const struct federation_kind *kind;
	json_t *shown;
	int r = db_run(c->db, &res, sql_federation_provider_find, p_int(c->actor.org), p_int(id));

	if (r <= 0)
		return r < 0 ? r : E_UNKNOWN;
	shown = provider_json(res, 0);
	kind = federation_kind_of(db_int(res, 0, P_KIND));
	if (shown && kind && kind->show)
		kind->show(c, id, shown);
	http_reply_etag(c, db_int(res, 0, P_VERSION));
	return http_reply_json(c, status, shown);
}

static int get_provider(struct call *c)
{
	uint64_t id;
	int r = call_id(c, 0, ID_PROVIDER, &id);

	return r < 0 ? r : reply_provider(c, id, 200);
}

/* ---- what a body says ---------------------------------------------------------------------- */

struct provider_body {
	struct slice kind, name, status, secret, role;
	json_t *config;
};
#define AT(member) offsetof(struct provider_body, member)
enum { B_NAME, B_STATUS, B_SECRET, B_ROLE, B_CONFIG, B_KIND };
/* clang-format off */
#define FIELDS(required) \
	[B_NAME]   = {"name",         BODY_NAME,   AT(name),   required,      1, 100,           0}, \
	[B_STATUS] = {"status",       BODY_LINE,   AT(status), 0,             1, 20,            0}, \
	[B_SECRET] = {"secret",       BODY_LINE,   AT(secret), BODY_NULLABLE, 1, SECRET_MAX,    0}, \
	[B_ROLE]   = {"default_role", BODY_LINE,   AT(role),   BODY_NULLABLE, 1, ROLE_NAME_MAX, 0}, \
	[B_CONFIG] = {"config",       BODY_OBJECT, AT(config), required,      0, 0,             0}
static const struct body_field post_fields[] = {
	FIELDS(BODY_REQUIRED),
	[B_KIND] = {"kind", BODY_LINE, AT(kind), BODY_REQUIRED, 1, 20, 0},
};
static const struct body_field patch_fields[] = {FIELDS(0)};
/* clang-format on */

/* What is to be kept of a provider. */
struct provider_row {
	const struct federation_kind *kind;
	struct slice name;
	int64_t status;
	json_t *config; /* borrowed */
	struct role_choice role;
};

static void read_status(struct call *c, const struct provider_body *b, struct provider_row *row)
{
	if (slice_eq(b->status, SLICE("active")))
		row->status = PROVIDER_ACTIVE;
	else if (slice_eq(b->status, SLICE("disabled")))
		row->status = PROVIDER_DISABLED;
	else
		problem_add(c, "/status", "unknown_status", "must be active or disabled");
}

static int read_body(struct call *c, const struct provider_body *b, struct body_seen seen,
		     struct provider_row *row)
{
	if (body_has(seen, B_NAME))
		row->name = b->name;
	if (body_has(seen, B_STATUS))
		read_status(c, b, row);
	if (b->config) {
		row->kind->check(c, b->config);
		row->config = b->config;
	}
	if (b->role.n)
		return role_of_strangers(c, b->role, &row->role);
	if (body_has(seen, B_ROLE))
		row->role = (struct role_choice){ 0 };
	return problem_end(c);
}

/* The secret belongs to its provider's number, which is there by now. */
static int put_secret(struct call *c, uint64_t id, struct slice secret)
{
	struct buf sealed = { 0 };
	int seal_id = 0, r = 0;

	if (secret.n)
		r = federation_provider_seal(c, id, secret, &seal_id, &sealed);
	if (r >= 0)
		r = db_run(c->db, NULL, sql_federation_provider_secret, p_int(c->actor.org),
			   p_int(id), p_bytes(buf_data(&sealed)), p_int(seal_id));
	buf_free(&sealed);
	return r < 0 ? r : 0;
}

static int refuse_name(struct call *c)
{
	return problem(c, 409, "name_taken",
		       "another identity provider is called so: choose another name");
}

/* ---- making, changing, removing ------------------------------------------------------------- */

static int insert(struct call *c, const struct provider_row *row, uint64_t *ret_id)
{
	char *config = json_dumps(row->config, JSON_COMPACT);
	OWNED(db_result) res = NULL;
	int r = db_run(c->db, &res, sql_federation_provider_insert, p_int(c->actor.org),
		       p_int(row->kind->code), p_text(row->name), p_int(row->status),
		       p_str(config ? config : "{}"), p_int(row->role.role), p_str(row->role.own),
		       p_int(PROVIDERS_MOST));

	free(config);
	if (r == 0)
		return problem(c, 409, "too_many_providers",
			       "an organisation has at most %d identity providers", PROVIDERS_MOST);
	if (r < 0)
		return r == E_EXISTS ? refuse_name(c) : r;
	*ret_id = (uint64_t)db_int(res, 0, 0);
	return 0;
}

static int read_new(struct call *c, struct provider_body *b, struct provider_row *row)
{
	struct body_seen seen;
	int r = http_body_read(c, post_fields, ARRAY_LEN(post_fields), b, &seen);

	if (r < 0)
		return r;
	row->kind = federation_kind_named(b->kind);
	if (!row->kind)
		problem_add(c, "/kind", "unknown_kind", "is no kind of provider: see the document");
	else if (row->kind->secret_needed && !b->secret.n)
		problem_add(c, "/secret", "required", "is required for this kind");
	r = row->kind ? read_body(c, b, seen, row) : problem_end(c);
	return r < 0 ? r : role_may_all(c);
}

static int post_provider(struct call *c)
{
	struct provider_row row = { .status = PROVIDER_ACTIVE };
	struct provider_body b = { 0 };
	char id_text[ID_OUT_MAX];
	uint64_t id = 0;
	int r = read_new(c, &b, &row);

	if (r >= 0)
		r = insert(c, &row, &id);
	if (r >= 0)
		r = put_secret(c, id, b.secret);
	if (r >= 0)
		r = audit_put(c, "identity_provider.created", ids_out(ID_PROVIDER, id, id_text),
			      json_pack("{so ss so}", "name", api_text(row.name), "kind",
					row.kind->name, "config", json_incref(row.config)));
	if (r < 0)
		return r;
	http_reply_header(c, "Location", "/v1/identity-providers/%s", id_text);
	return reply_provider(c, id, 201);
}

static int lock(struct call *c, uint64_t *ret_id, struct db_result **ret)
{
	int r = call_id(c, 0, ID_PROVIDER, ret_id);

	if (r >= 0)
		r = db_run(c->db, ret, sql_federation_provider_lock, p_int(c->actor.org),
			   p_int(*ret_id));
	if (r <= 0)
		return r < 0 ? r : E_UNKNOWN;
	return call_if_match(c, db_int(*ret, 0, P_VERSION));
}

static struct provider_row row_of(const struct db_result *res, json_t *config)
{
	struct provider_row row = {
		.kind = federation_kind_of(db_int(res, 0, P_KIND)),
		.name = db_text(res, 0, P_NAME),
		.status = db_int(res, 0, P_STATUS),
		.config = config,
		.role = { .role = (enum role)db_int(res, 0, P_ROLE) },
	};

	slice_copy(row.role.own, sizeof(row.role.own), db_text(res, 0, P_OWN_ROLE));
	return row;
}

static int update(struct call *c, uint64_t id, const struct provider_row *row)
{
	char *config = json_dumps(row->config, JSON_COMPACT);
	int r = db_run(c->db, NULL, sql_federation_provider_update, p_int(c->actor.org), p_int(id),
		       p_text(row->name), p_int(row->status), p_str(config ? config : "{}"),
		       p_int(row->role.role), p_str(row->role.own));

	free(config);
	return r == E_EXISTS ? refuse_name(c) : r;
}

/* Those who are known at one party must not be whoever has the same subject at another. */
static int change(struct call *c, uint64_t id, const struct db_result *res, json_t *config)
{
	struct provider_row row = row_of(res, config);
	struct provider_body b = { 0 };
	struct body_seen seen;
	int r = http_body_read(c, patch_fields, ARRAY_LEN(patch_fields), &b, &seen);

	if (r < 0 || !row.kind || !seen.present)
		return r < 0 ? r : row.kind ? 0 : E_UNKNOWN;
	r = read_body(c, &b, seen, &row);
	if (r >= 0)
		r = role_may_all(c);
	if (r >= 0 && !row.kind->same_party(config, row.config))
		r = problem(c, 409, "another_party",
			    "accounts are linked to the party that this provider is: make another "
			    "provider for another party");
	if (r >= 0)
		r = update(c, id, &row);
	if (r >= 0 && body_has(seen, B_SECRET))
		r = put_secret(c, id, b.secret);
	return r < 0 ? r
		     : audit_put_id(c, "identity_provider.changed", ID_PROVIDER, id,
				    audit_members(c));
}

static int patch_provider(struct call *c)
{
	OWNED(db_result) res = NULL;
	json_t *config = NULL;
	uint64_t id;
	int r = lock(c, &id, &res);

	if (r < 0)
		return r;
	config = config_of(res, 0);
	r = change(c, id, res, config);
	json_decref(config);
	return r < 0 ? r : reply_provider(c, id, 200);
}

static int delete_provider(struct call *c)
{
	OWNED(db_result) res = NULL;
	uint64_t id;
	int r = lock(c, &id, &res);

	if (r >= 0)
		r = db_run(c->db, NULL, sql_federation_provider_delete, p_int(c->actor.org),
			   p_int(id));
	if (r >= 0)
		r = audit_put_id(c, "identity_provider.removed", ID_PROVIDER, id, NULL);
	return r < 0 ? r : http_reply_empty(c, 204);
}

/* clang-format off */
const struct http_route federation_provider_routes[] = {
	{"GET",    "/v1/identity-providers", AUTH_MEMBER, PERMIT_MEMBERS_READ, 0, 0, get_providers},
	{"POST",   "/v1/identity-providers", AUTH_MEMBER, PERMIT_MEMBERS_WRITE, ROUTE_IDEMPOTENT, 0, post_provider},
	{"GET",    "/v1/identity-providers/{provider_id}", AUTH_MEMBER, PERMIT_MEMBERS_READ,  0, 0, get_provider   },
	{"PATCH",  "/v1/identity-providers/{provider_id}", AUTH_MEMBER, PERMIT_MEMBERS_WRITE, 0, 0, patch_provider },
	{"DELETE", "/v1/identity-providers/{provider_id}", AUTH_MEMBER, PERMIT_MEMBERS_WRITE, 0, 0, delete_provider},
};
/* clang-format on */
const size_t federation_provider_routes_n = ARRAY_LEN(federation_provider_routes);
