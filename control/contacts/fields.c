/* control/contacts/fields.c - /v1/fields: typed definitions of what contacts carry. */
#include "control/auth/audit.h"
#include "control/auth/permit.h"
#include "control/contacts/routes.h"
#include "control/contacts/statements.h"
#include "control/contacts/values.h"
#include "control/http/api.h"
#include "control/http/body.h"
#include "control/http/page.h"
#include "control/http/problem.h"
#include "control/http/reply.h"

struct field_body {
	struct slice name, label, type;
};
static const struct body_field create_body[] = {
	{ "name", BODY_LINE, offsetof(struct field_body, name), BODY_REQUIRED, 1, 63, 0 },
	{ "type", BODY_LINE, offsetof(struct field_body, type), BODY_REQUIRED, 1, 20, 0 },
	{ "label", BODY_NAME, offsetof(struct field_body, label), 0, 0, 200, 0 },
};
static const struct body_field patch_body[] = {
	{ "label", BODY_NAME, offsetof(struct field_body, label), 0, 0, 200, 0 },
};

enum { K_ID, K_NAME, K_LABEL, K_TYPE, K_CREATED };

static json_t *field_json(const struct db_result *r, unsigned i)
{
	return json_pack("{so so so ss so}", "id", api_id(ID_FIELD, (uint64_t)db_int(r, i, K_ID)),
			 "name", api_text(db_text(r, i, K_NAME)), "label",
			 api_text(db_text(r, i, K_LABEL)), "type",
			 contact_field_type_name((int)db_int(r, i, K_TYPE)), "created_at",
			 api_time(db_int(r, i, K_CREATED)));
}

static int list_fields(struct call *c)
{
	return page_list(c, field_json, sql_contacts_field_page, p_int(c->actor.org), PAGE_AFTER,
			 PAGE_LIMIT);
}

/* Names that mean something else where contacts, imports or templates use them; NULL for others. */
static const char *name_taken(struct slice name)
{
	static const char built_in[] = "is the name of a field that every contact has: choose "
				       "another name";
	static const char *const taken[][2] = {
		{ "email", built_in },
		{ "first_name", built_in },
		{ "last_name", built_in },
		{ "unsubscribe_url", "is what templates call the link to unsubscribe: choose "
				     "another name" },
		{ "status", "is what contacts and imports call whether somebody wants mail: "
			    "choose another name, like customer_status" },
	};

	for (size_t i = 0; i < ARRAY_LEN(taken); i++)
		if (slice_eq(name, slice_str(taken[i][0])))
			return taken[i][1];
	return NULL;
}

static bool name_is_plain(struct slice name)
{
	for (size_t i = 0; i < name.n; i++)
		if (!((name.p[i] >= 'a' && name.p[i] <= 'z') || name.p[i] == '_' ||
		      (i && name.p[i] >= '0' && name.p[i] <= '9')))
			return false;
	return name.n && name.p[0] != '_';
}

static int create_field(struct call *c)
{
	OWNED(db_result) row = NULL;
	struct field_body b = { 0 };
	struct body_seen seen;
	int type, r = http_body_read(c, create_body, ARRAY_LEN(create_body), &b, &seen);

	if (r < 0)
		return r;
	type = contact_field_type_parse(b.type);
	if (!type)
		problem_add(c, "/type", "unknown_type", "must be text, number, boolean or date");
	if (!name_is_plain(b.name))
		problem_add(c, "/name", "invalid_name",
			    "must begin with a lower-case letter and hold only lower-case letters, "
			    "digits and _");
	else if (name_taken(b.name))
		problem_add(c, "/name", "reserved_name", "%s", name_taken(b.name));
	r = problem_end(c);
	if (r < 0)
		return r;
	r = db_run(c->db, &row, sql_contacts_field_insert, p_int(c->actor.org), p_text(b.name),
		   p_text(b.label), p_int(type), p_int(FIELDS_PER_ORG_MAX));
	if (r == 0)
		return problem(c, 409, "too_many_fields",
			       "an organisation can have %d fields: delete one first",
			       FIELDS_PER_ORG_MAX);
	if (r >= 0)
		r = audit_put_id(c, "field.created", ID_FIELD, (uint64_t)db_int(row, 0, K_ID),
				 json_pack("{so}", "name", api_text(b.name)));
	return r < 0 ? r : http_reply_json(c, 201, field_json(row, 0));
}

static int patch_field(struct call *c)
{
	OWNED(db_result) row = NULL;
	struct field_body b = { 0 };
	struct body_seen seen;
	uint64_t id;
	int r = call_id(c, 0, ID_FIELD, &id);

	if (r >= 0)
		r = http_body_read(c, patch_body, ARRAY_LEN(patch_body), &b, &seen);
	if (r >= 0)
		r = db_run(c->db, &row, sql_contacts_field_update, p_int(c->actor.org), p_int(id),
			   p_opt(b.label));
	if (r == 0)
		return E_UNKNOWN;
	if (r >= 0)
		r = audit_put_id(c, "field.changed", ID_FIELD, id, audit_members(c));
	return r < 0 ? r : http_reply_json(c, 200, field_json(row, 0));
}

/* Values stay in the contacts' documents, unseen, so that a definition deleted by mistake can be
 * made again. */
static int delete_field(struct call *c)
{
	uint64_t id;
	int r = call_id(c, 0, ID_FIELD, &id);

	if (r >= 0)
		r = db_run(c->db, NULL, "DELETE FROM fields WHERE org_id = $1 AND id = $2",
			   p_int(c->actor.org), p_int(id));
	if (r == 0)
		return E_UNKNOWN;
	if (r >= 0)
		r = audit_put_id(c, "field.deleted", ID_FIELD, id, NULL);
	return r < 0 ? r : http_reply_empty(c, 204);
}

const struct http_route contacts_field_routes[] = {
	{ "GET", "/v1/fields", AUTH_MEMBER, PERMIT_CONTACTS_READ, 0, 0, list_fields },
	{ "POST", "/v1/fields", AUTH_MEMBER, PERMIT_CONTACTS_WRITE, ROUTE_IDEMPOTENT, 0,
	  create_field },
	{ "PATCH", "/v1/fields/{field_id}", AUTH_MEMBER, PERMIT_CONTACTS_WRITE, 0, 0, patch_field },
	{ "DELETE", "/v1/fields/{field_id}", AUTH_MEMBER, PERMIT_CONTACTS_WRITE, 0, 0,
	  delete_field },
};
const size_t contacts_field_routes_n = ARRAY_LEN(contacts_field_routes);
