/* control/contacts/lists.c - /v1/lists and who is on them. */
#include <stdio.h>

#include "base/random.h"
#include "control/auth/audit.h"
#include "control/auth/permit.h"
#include "control/contacts/lists.h"
#include "control/contacts/routes.h"
#include "control/contacts/statements.h"
#include "control/db/column.h"
#include "control/http/api.h"
#include "control/http/body.h"
#include "control/http/page.h"
#include "control/http/problem.h"
#include "control/http/reply.h"
#include "control/suppression/address.h"

enum { FOLD_ONE_IN = 32, MEMBERS_MAX = 10000 };

int contact_list_grow(struct db *db, uint32_t org, uint64_t list, int64_t n)
{
	int r;

	if (n == 0)
		return 0;
	r = db_run(db, NULL, "INSERT INTO list_counts (org_id, list_id, n) VALUES ($1, $2, $3)",
		   p_int(org), p_int(list), p_int(n));
	if (r >= 0 && random_below(FOLD_ONE_IN) == 0)
		r = db_run(db, NULL, sql_contacts_list_count_fold, p_int(org), p_int(list));
	return r < 0 ? r : 0;
}

struct list_body {
	struct slice name, description;
};
static const struct body_field create_body[] = {
	{ "name", BODY_NAME, offsetof(struct list_body, name), BODY_REQUIRED, 1, 200, 0 },
	{ "description", BODY_TEXT, offsetof(struct list_body, description), 0, 0, 2000, 0 },
};
static const struct body_field patch_body[] = {
	{ "name", BODY_NAME, offsetof(struct list_body, name), 0, 1, 200, 0 },
	{ "description", BODY_TEXT, offsetof(struct list_body, description), 0, 0, 2000, 0 },
};

enum { K_ID, K_NAME, K_DESCRIPTION, K_CREATED, K_UPDATED, K_VERSION, K_SIZE };

static json_t *list_json(const struct db_result *r, unsigned i)
{
	return json_pack(
	    "{so so so so so sI}", "id", api_id(ID_LIST, (uint64_t)db_int(r, i, K_ID)), "name",
	    api_text(db_text(r, i, K_NAME)), "description", api_text(db_text(r, i, K_DESCRIPTION)),
	    "created_at", api_time(db_int(r, i, K_CREATED)), "updated_at",
	    api_time(db_int(r, i, K_UPDATED)), "contacts", (json_int_t)db_int(r, i, K_SIZE));
}

static int reply_list(struct call *c, unsigned status, const struct db_result *row)
{
	http_reply_etag(c, db_int(row, 0, K_VERSION));
	return http_reply_json(c, status, list_json(row, 0));
}

static int list_lists(struct call *c)
{
	return page_list(c, list_json, sql_contacts_list_page, p_int(c->actor.org), PAGE_AFTER,
			 PAGE_LIMIT);
}

static int create_list(struct call *c)
{
	OWNED(db_result) row = NULL;
	struct list_body b = { 0 };
	struct body_seen seen;
	int r = http_body_read(c, create_body, ARRAY_LEN(create_body), &b, &seen);

	if (r >= 0)
		r = db_run(c->db, &row, sql_contacts_list_insert, p_int(c->actor.org),
			   p_text(b.name), p_text(b.description));
	if (r >= 0)
		r = audit_put_id(c, "list.created", ID_LIST, (uint64_t)db_int(row, 0, K_ID),
				 json_pack("{so}", "name", api_text(b.name)));
	return r < 0 ? r : reply_list(c, 201, row);
}

static int load(struct call *c, const char *sql, uint64_t *ret_id, struct db_result **ret)
{
	int r = call_id(c, 0, ID_LIST, ret_id);

	if (r >= 0)
		r = db_run(c->db, ret, sql, p_int(c->actor.org), p_int(*ret_id));
	return r == 0 ? E_UNKNOWN : r;
}

static int load_list(struct call *c, uint64_t *ret_id, struct db_result **ret)
{
	return load(c, sql_contacts_list_find, ret_id, ret);
}

/* To change it, if it is still what the caller read. */
static int lock_list(struct call *c, uint64_t *ret_id, struct db_result **ret)
{
	int r = load(c, sql_contacts_list_find_lock, ret_id, ret);

	return r < 0 ? r : call_if_match(c, db_int(*ret, 0, K_VERSION));
}

static int get_list(struct call *c)
{
	OWNED(db_result) row = NULL;
	uint64_t id;
	int r = load_list(c, &id, &row);

	return r < 0 ? r : reply_list(c, 200, row);
}

static int patch_list(struct call *c)
{
	OWNED(db_result) row = NULL;
	OWNED(db_result) new = NULL;
	struct list_body b = { 0 };
	struct body_seen seen;
	uint64_t id;
	int r = lock_list(c, &id, &row);

	if (r >= 0)
		r = http_body_read(c, patch_body, ARRAY_LEN(patch_body), &b, &seen);
	if (r >= 0 && !seen.present)
		return reply_list(c, 200, row);
	if (r >= 0)
		r = db_run(c->db, &new, sql_contacts_list_update, p_int(c->actor.org), p_int(id),
			   p_opt(b.name), p_opt(b.description));
	if (r == 0)
		return reply_list(c, 200, row);
	if (r >= 0)
		r = audit_put_id(c, "list.changed", ID_LIST, id, audit_members(c));
	return r < 0 ? r : reply_list(c, 200, new);
}

static int delete_list(struct call *c)
{
	OWNED(db_result) row = NULL;
	uint64_t id;
	int r = lock_list(c, &id, &row);

	if (r < 0)
		return r;
	r = db_run(c->db, NULL, "DELETE FROM lists WHERE org_id = $1 AND id = $2",
		   p_int(c->actor.org), p_int(id));
	if (r == E_UNKNOWN)
		return problem(c, 409, "in_use",
			       "a campaign uses this list: take it out of the campaign, or delete "
			       "the campaign, first");
	if (r >= 0)
		r = audit_put_id(c, "list.deleted", ID_LIST, id, NULL);
	return r < 0 ? r : http_reply_empty(c, 204);
}

/* ---- members ----------------------------------------------------------------------------- */

struct members_body {
	json_t *ids, *emails;
};
static const struct body_field members_body[] = {
	{ "contact_ids", BODY_LIST, offsetof(struct members_body, ids), 0, 1, MEMBERS_MAX, 0 },
	{ "emails", BODY_LIST, offsetof(struct members_body, emails), 0, 1, MEMBERS_MAX, 0 },
};

static void bad_item(struct call *c, const char *member, size_t i, const char *code)
{
	char pointer[64];

	(void)snprintf(pointer, sizeof(pointer), "/%s/%zu", member, i);
	problem_add(c, pointer, code, "must be the id or the email address of a contact");
}

static int take_members(struct call *c, const struct members_body *b, struct db_column *ids,
			struct db_column *emails)
{
	struct suppress_address a;
	uint64_t id;

	for (size_t i = 0; i < json_array_size(b->ids); i++) {
		if (ids_in(ID_CONTACT, api_text_of(json_array_get(b->ids, i)), &id) < 0)
			bad_item(c, "contact_ids", i, "invalid_id");
		else
			db_column_u64(ids, id);
	}
	for (size_t i = 0; i < json_array_size(b->emails); i++) {
		if (suppress_address_parse(api_text_of(json_array_get(b->emails, i)), &a) < 0)
			bad_item(c, "emails", i, "invalid_email");
		else
			db_column_text(emails, a.normal);
	}
	return problem_end(c);
}

enum { DONE_ALL, DONE_COUNTED }; /* who was counted in the size of the list */

static int change_members(struct call *c, const char *sql, int sign)
{
	OWNED(db_result) list = NULL;
	OWNED(db_result) done = NULL;
	struct members_body b = { 0 };
	struct body_seen seen;
	struct db_column ids, emails;
	uint64_t id;
	int r = load_list(c, &id, &list);

	if (r >= 0)
		r = http_body_read(c, members_body, ARRAY_LEN(members_body), &b, &seen);
	if (r < 0)
		return r;
	db_column_init(&ids), db_column_init(&emails);
	r = take_members(c, &b, &ids, &emails);
	if (r >= 0)
		r = db_run(c->db, &done, sql, p_int(c->actor.org), p_int(id),
			   p_str(db_column_array(&ids)), p_str(db_column_array(&emails)));
	db_column_free(&ids), db_column_free(&emails);
	if (r >= 0)
		r = contact_list_grow(c->db, c->actor.org, id,
				      sign * db_int(done, 0, DONE_COUNTED));
	if (r >= 0)
		r = audit_put_id(
		    c, sign < 0 ? "list.left" : "list.joined", ID_LIST, id,
		    json_pack("{sI}", "contacts", (json_int_t)db_int(done, 0, DONE_ALL)));
	if (r < 0)
		return r;
	return http_reply_json(c, 200,
			       json_pack("{sI}", sign < 0 ? "removed" : "added",
					 (json_int_t)db_int(done, 0, DONE_ALL)));
}

static int join_list(struct call *c)
{
	return change_members(c, sql_contacts_list_join, 1);
}

static int leave_list(struct call *c)
{
	return change_members(c, sql_contacts_list_leave, -1);
}

const struct http_route contacts_list_routes[] = {
	{ "GET", "/v1/lists", AUTH_MEMBER, PERMIT_CONTACTS_READ, 0, 0, list_lists },
	{ "POST", "/v1/lists", AUTH_MEMBER, PERMIT_CONTACTS_WRITE, ROUTE_IDEMPOTENT, 0,
	  create_list },
	{ "GET", "/v1/lists/{list_id}", AUTH_MEMBER, PERMIT_CONTACTS_READ, 0, 0, get_list },
	{ "PATCH", "/v1/lists/{list_id}", AUTH_MEMBER, PERMIT_CONTACTS_WRITE, 0, 0, patch_list },
	{ "DELETE", "/v1/lists/{list_id}", AUTH_MEMBER, PERMIT_CONTACTS_WRITE, 0, 0, delete_list },
	{ "PUT", "/v1/lists/{list_id}/contacts", AUTH_MEMBER, PERMIT_CONTACTS_WRITE, 0, 0,
	  join_list },
	{ "DELETE", "/v1/lists/{list_id}/contacts", AUTH_MEMBER, PERMIT_CONTACTS_WRITE, 0, 0,
	  leave_list },
};
const size_t contacts_list_routes_n = ARRAY_LEN(contacts_list_routes);
