/* control/contacts/contacts.c - /v1/contacts: create or update by address, read, change, erase. */
#include "control/auth/audit.h"
#include "control/auth/permit.h"
#include "control/contacts/leaving.h"
#include "control/contacts/lists.h"
#include "control/contacts/routes.h"
#include "control/contacts/statements.h"
#include "control/contacts/values.h"
#include "control/http/api.h"
#include "control/http/body.h"
#include "control/http/page.h"
#include "control/http/problem.h"
#include "control/http/reply.h"
#include "control/suppression/suppress.h"

static const char *const status_names[] = {
	[CONTACT_SUBSCRIBED] = "subscribed",
	[CONTACT_UNSUBSCRIBED] = "unsubscribed",
	[CONTACT_BOUNCED] = "bounced",
	[CONTACT_COMPLAINED] = "complained",
};

static int status_parse(struct slice word)
{
	for (int i = 1; i < (int)ARRAY_LEN(status_names); i++)
		if (slice_eq(word, slice_str(status_names[i])))
			return i;
	return 0;
}

enum { K_ID, K_EMAIL, K_FIRST, K_LAST, K_STATUS, K_FIELDS, K_CREATED, K_UPDATED, K_VERSION };

static json_t *contact_json(const struct db_result *r, unsigned i)
{
	struct slice fields = db_text(r, i, K_FIELDS);
	int64_t status = db_int(r, i, K_STATUS);
	json_t *values = json_loadb(fields.p, fields.n, 0, NULL);

	return json_pack(
	    "{so so so so ss so so so}", "id", api_id(ID_CONTACT, (uint64_t)db_int(r, i, K_ID)),
	    "email", api_text(db_text(r, i, K_EMAIL)), "first_name",
	    api_text(db_text(r, i, K_FIRST)), "last_name", api_text(db_text(r, i, K_LAST)),
	    "status",
	    status >= 1 && status < (int64_t)ARRAY_LEN(status_names) ? status_names[status] : "",
	    "fields", values ? values : json_object(), "created_at",
	    api_time(db_int(r, i, K_CREATED)), "updated_at", api_time(db_int(r, i, K_UPDATED)));
}

static int reply_contact(struct call *c, unsigned status, const struct db_result *row)
{
	http_reply_etag(c, db_int(row, 0, K_VERSION));
	return http_reply_json(c, status, contact_json(row, 0));
}

/* {contact_id} is an id or, where people type it, the address. */
static int find_contact(struct call *c, struct db_result **ret)
{
	struct slice given = call_param(c, 0);
	struct suppress_address a;
	uint64_t id = 0;
	int r;

	if (memchr(given.p ? given.p : "", '@', given.n)) {
		if (suppress_address_parse(given, &a) < 0)
			return E_UNKNOWN;
		r = db_run(c->db, ret, sql_contacts_find_by_email, p_int(c->actor.org),
			   p_text(a.normal));
	} else {
		r = call_id(c, 0, ID_CONTACT, &id);
		if (r >= 0)
			r = db_run(c->db, ret, sql_contacts_find, p_int(c->actor.org), p_int(id));
	}
	return r == 0 ? E_UNKNOWN : r;
}

/* ---- reading ----------------------------------------------------------------------------- */

static int read_filter(struct call *c, int64_t *ret_status, uint64_t *ret_list,
		       struct suppress_address *a, struct slice *ret_email)
{
	struct slice status = call_query(c, "status"), list = call_query(c, "list"),
		     email = call_query(c, "email");

	*ret_status = status.n ? status_parse(status) : 0;
	if (status.n && !*ret_status)
		return problem(c, 400, "invalid_filter",
			       "status must be subscribed, unsubscribed, bounced or complained");
	*ret_list = 0;
	if (list.n && ids_in(ID_LIST, list, ret_list) < 0)
		return problem(c, 400, "invalid_filter", "list must be the id of a list");
	*ret_email = SLICE("");
	if (email.n) {
		if (suppress_address_parse(email, a) < 0)
			return problem(c, 400, "invalid_filter",
				       "email must be one whole email address");
		*ret_email = a->normal;
	}
	return 0;
}

static int list_contacts(struct call *c)
{
	struct suppress_address a;
	struct slice email;
	uint64_t list;
	int64_t status;
	int r = read_filter(c, &status, &list, &a, &email);

	if (r < 0)
		return r;
	if (list)
		return page_list(c, contact_json, sql_contacts_page_of_list, p_int(c->actor.org),
				 PAGE_AFTER, PAGE_LIMIT, p_int(status), p_text(email), p_int(list));
	return page_list(c, contact_json, sql_contacts_page, p_int(c->actor.org), PAGE_AFTER,
			 PAGE_LIMIT, p_int(status), p_text(email));
}

static int get_contact(struct call *c)
{
	OWNED(db_result) row = NULL;
	OWNED(db_result) lists = NULL;
	json_t *json, *ids;
	int r = find_contact(c, &row);

	if (r >= 0)
		r = db_run(c->db, &lists, sql_contacts_lists_of, p_int(c->actor.org),
			   p_int(db_int(row, 0, K_ID)));
	if (r < 0)
		return r;
	json = contact_json(row, 0);
	ids = json_array();
	for (unsigned i = 0; i < db_rows(lists); i++)
		(void)json_array_append_new(ids, api_id(ID_LIST, (uint64_t)db_int(lists, i, 0)));
	(void)json_object_set_new(json, "lists", ids);
	http_reply_etag(c, db_int(row, 0, K_VERSION));
	return http_reply_json(c, 200, json);
}

/* ---- writing ----------------------------------------------------------------------------- */

struct contact_body {
	struct slice email, first_name, last_name, status;
	json_t *fields, *lists;
};
enum { B_EMAIL, B_FIRST, B_LAST, B_STATUS, B_FIELDS, B_LISTS, B_ROWS };
static const struct body_field contact_body[B_ROWS] = {
	[B_EMAIL] = { "email", BODY_EMAIL, offsetof(struct contact_body, email), 0, 0, 0, 0 },
	[B_FIRST] = { "first_name", BODY_NAME, offsetof(struct contact_body, first_name), 0, 0, 200,
		      0 },
	[B_LAST] = { "last_name", BODY_NAME, offsetof(struct contact_body, last_name), 0, 0, 200,
		     0 },
	[B_STATUS] = { "status", BODY_LINE, offsetof(struct contact_body, status), 0, 0, 20, 0 },
	[B_FIELDS] = { "fields", BODY_OBJECT, offsetof(struct contact_body, fields), BODY_RESET, 0,
		       0, 0 },
	[B_LISTS] = { "lists", BODY_LIST, offsetof(struct contact_body, lists), 0, 0, 100, 0 },
};

static int check_fields(struct call *c, const json_t *fields)
{
	OWNED(contact_field_types) types = NULL;
	const char *name;
	json_t *value;
	char pointer[128];
	int r = fields ? contact_field_types_load(&types, c->db, c->actor.org) : 0;

	if (r < 0 || !fields)
		return r;
	json_object_foreach((json_t *)fields, name, value)
	{
		enum contact_field_type type = contact_field_types_find(types, slice_str(name));

		(void)snprintf(pointer, sizeof(pointer), "/fields/%.100s", name);
		if (!type)
			problem_add(
			    c, pointer, "unknown_field",
			    "there is no field with this name: define it under /v1/fields first");
		else if (!contact_field_value_fits(type, value))
			problem_add(c, pointer, "wrong_type",
				    "must be a %s, as the field is defined",
				    contact_field_type_name(type));
	}
	return 0;
}

static int read_contact(struct call *c, struct contact_body *b, struct body_seen *seen,
			struct suppress_address *a, int64_t *ret_status)
{
	int r = http_body_read(c, contact_body, B_ROWS, b, seen);

	if (r < 0)
		return r;
	if (body_has(*seen, B_EMAIL) && suppress_address_parse(b->email, a) < 0)
		problem_add(c, "/email", "invalid_email",
			    "must be an email address that mail can be sent to");
	*ret_status = body_has(*seen, B_STATUS) ? status_parse(b->status) : 0;
	if (body_has(*seen, B_STATUS) && !*ret_status)
		problem_add(c, "/status", "unknown_status",
			    "must be subscribed, unsubscribed, bounced or complained");
	r = check_fields(c, b->fields);
	return r < 0 ? r : problem_end(c);
}

static int join_lists(struct call *c, const json_t *lists, int64_t contact)
{
	for (size_t i = 0; i < json_array_size(lists); i++) {
		const json_t *item = json_array_get(lists, i);
		char pointer[32];
		uint64_t list;
		int r;

		(void)snprintf(pointer, sizeof(pointer), "/lists/%zu", i);
		if (!json_is_string(item) ||
		    ids_in(ID_LIST, slice_str(json_string_value(item)), &list) < 0) {
			problem_add(c, pointer, "unknown_list", "there is no list with this id");
			continue;
		}
		r = db_run(c->db, NULL, sql_contacts_join_list, p_int(c->actor.org), p_int(list),
			   p_int(contact));
		if (r > 0)
			r = contact_list_grow(c->db, c->actor.org, list, 1);
		else if (r == 0)
			r = db_run(c->db, NULL, "SELECT 1 FROM lists WHERE org_id = $1 AND id = $2",
				   p_int(c->actor.org), p_int(list)) == 0
				? (problem_add(c, pointer, "unknown_list",
					       "there is no list with this id"),
				   0)
				: 0;
		if (r < 0)
			return r;
	}
	return problem_end(c);
}

static char *fields_text(const json_t *fields)
{
	char *text = fields ? json_dumps(fields, JSON_COMPACT) : NULL;

	return text ? text : must_copy(SLICE("{}"));
}

/* Takes every value of the contact away: all names with null. */
static char *no_fields(const struct db_result *old)
{
	struct slice text = db_text(old, 0, K_FIELDS);
	json_t *fields = json_loadb(text.p, text.n, 0, NULL);
	const char *name;
	json_t *value;

	json_object_foreach(fields, name, value)
	{
		(void)json_object_set_new(fields, name, json_null());
	}
	char *made = fields_text(fields);
	json_decref(fields);
	return made;
}

/* Which members were given; of their values only the status, which is nobody's data. */
static int note(struct call *c, const struct db_result *row, const char *action, int64_t status)
{
	json_t *detail = c->body ? audit_members(c) : NULL;

	if (detail && status)
		(void)json_object_set_new(detail, "status", json_string(status_names[status]));
	return audit_put_id(c, action, ID_CONTACT, (uint64_t)db_int(row, 0, K_ID), detail);
}

/* ---- what a person said ------------------------------------------------------------------ */

static bool is_optout(int64_t status)
{
	return status == CONTACT_UNSUBSCRIBED || status == CONTACT_COMPLAINED;
}

/* Those who may allow a suppressed address again may also call its contact subscribed again. */
static int check_again(struct call *c, const struct db_result *old, int64_t status)
{
	if (status != CONTACT_SUBSCRIBED || !is_optout(db_int(old, 0, K_STATUS)) ||
	    (c->actor.permits & PERMIT_SUPPRESSIONS_DELETE_OPTOUT))
		return 0;
	return problem(c, 403, "missing_permission",
		       "this person asked not to be written to (%s): making the contact subscribed "
		       "again needs the permission suppressions.delete_optout",
		       status_names[db_int(old, 0, K_STATUS)]);
}

/* Guarantee: it outlives the contact.  The address that is given up is suppressed, so that whoever
 * is imported with it again is not written to. */
static int keep_optout(struct call *c, const struct db_result *old)
{
	int64_t status = db_int(old, 0, K_STATUS);
	struct suppress_address a;

	if (!is_optout(status) || suppress_address_parse(db_text(old, 0, K_EMAIL), &a) < 0)
		return 0;
	return suppress_add(c->db, c->actor.org, &a,
			    status == CONTACT_COMPLAINED ? SUPPRESS_COMPLAINT
							 : SUPPRESS_UNSUBSCRIBED,
			    "contact", 0);
}

static bool is_another(const struct db_result *old, const struct suppress_address *a)
{
	struct suppress_address had;

	return suppress_address_parse(db_text(old, 0, K_EMAIL), &had) < 0 ||
	       !slice_eq(had.normal, a->normal);
}

/* What was composed for an address that is given up, or for a person who wants no more, ends. */
static int end_mail(struct call *c, uint64_t contact)
{
	return contacts_leaving->contact(c->app, c->db, c->actor.org, contact, CONTACT_IS_CHANGED);
}

/* By address, and only when it matters. */
static int check_again_at(struct call *c, const struct suppress_address *a, int64_t status)
{
	OWNED(db_result) old = NULL;
	int r = status == CONTACT_SUBSCRIBED ? db_run(c->db, &old, sql_contacts_find_lock,
						      p_int(c->actor.org), p_text(a->normal))
					     : 0;

	return r > 0 ? check_again(c, old, status) : r;
}

/* ---- handlers ---------------------------------------------------------------------------- */

static int post_contact(struct call *c)
{
	OWNED(db_result) row = NULL;
	struct contact_body b = { 0 };
	struct suppress_address a;
	struct body_seen seen;
	int64_t status = 0;
	int r = read_contact(c, &b, &seen, &a, &status);

	if (r < 0)
		return r;
	if (!body_has(seen, B_EMAIL)) {
		problem_add(c, "/email", "required", "is required");
		return problem_end(c);
	}
	r = check_again_at(c, &a, status);
	if (r < 0)
		return r;
	OWNED_MEM char *fields = fields_text(b.fields);
	r = db_run(c->db, &row, sql_contacts_upsert, p_int(c->actor.org),
		   p_text(mailbox_text(&a.box)), p_text(a.normal), p_opt(b.first_name),
		   p_opt(b.last_name), p_int(status), p_str(fields));
	bool fresh = r >= 0 && db_int(row, 0, K_VERSION) == 1;
	if (r >= 0 && !fresh && is_optout(status))
		r = end_mail(c, (uint64_t)db_int(row, 0, K_ID));
	if (r >= 0)
		r = join_lists(c, b.lists, db_int(row, 0, K_ID));
	if (r >= 0)
		r = note(c, row, fresh ? "contact.created" : "contact.changed", status);
	return r < 0 ? r : reply_contact(c, fresh ? 201 : 200, row);
}

/* To change it, if it is still what the caller read. */
static int lock_contact(struct call *c, struct db_result **ret)
{
	OWNED(db_result) found = NULL;
	int r = find_contact(c, &found);

	if (r >= 0)
		r = db_run(c->db, ret, sql_contacts_find_id_lock, p_int(c->actor.org),
			   p_int(db_int(found, 0, K_ID)));
	if (r <= 0)
		return r < 0 ? r : E_UNKNOWN;
	return call_if_match(c, db_int(*ret, 0, K_VERSION));
}

static int patch_contact(struct call *c)
{
	OWNED(db_result) old = NULL;
	OWNED(db_result) row = NULL;
	struct contact_body b = { 0 };
	struct suppress_address a = { 0 };
	struct body_seen seen;
	int64_t status = 0;
	int r = lock_contact(c, &old);

	if (r >= 0)
		r = read_contact(c, &b, &seen, &a, &status);
	if (r < 0)
		return r;
	if (!seen.present)
		return reply_contact(c, 200, old);
	bool moved = body_has(seen, B_EMAIL);
	bool another = moved && is_another(old, &a);
	r = check_again(c, old, status);
	if (r >= 0 && another)
		r = keep_optout(c, old);
	if (r >= 0 && (another || is_optout(status)))
		r = end_mail(c, (uint64_t)db_int(old, 0, K_ID));
	if (r < 0)
		return r;
	OWNED_MEM char *fields =
	    body_has(seen, B_FIELDS) && !b.fields ? no_fields(old) : fields_text(b.fields);
	r = db_run(c->db, &row, sql_contacts_update, p_int(c->actor.org),
		   p_int(db_int(old, 0, K_ID)), moved ? p_text(mailbox_text(&a.box)) : p_null(),
		   moved ? p_text(a.normal) : p_null(), p_opt(b.first_name), p_opt(b.last_name),
		   p_int(status), p_str(fields));
	bool same = r == 0;
	if (r >= 0)
		r = join_lists(c, b.lists, db_int(old, 0, K_ID));
	if (r >= 0 && (!same || b.lists))
		r = note(c, same ? old : row, "contact.changed", status);
	return r < 0 ? r : reply_contact(c, 200, same ? old : row);
}

static int delete_contact(struct call *c)
{
	OWNED(db_result) old = NULL;
	int r = lock_contact(c, &old);

	if (r >= 0)
		r = keep_optout(c, old);
	if (r >= 0)
		r = db_run(c->db, NULL, sql_contacts_leave_lists, p_int(c->actor.org),
			   p_int(db_int(old, 0, K_ID)));
	if (r >= 0)
		r = contacts_leaving->contact(c->app, c->db, c->actor.org,
					      (uint64_t)db_int(old, 0, K_ID), CONTACT_IS_ERASED);
	if (r >= 0)
		r = db_run(c->db, NULL, "DELETE FROM contacts WHERE org_id = $1 AND id = $2",
			   p_int(c->actor.org), p_int(db_int(old, 0, K_ID)));
	if (r >= 0)
		r = note(c, old, "contact.deleted", 0);
	return r < 0 ? r : http_reply_empty(c, 204);
}

const struct http_route contacts_routes[] = {
	{ "GET", "/v1/contacts", AUTH_MEMBER, PERMIT_CONTACTS_READ, 0, 0, list_contacts },
	{ "POST", "/v1/contacts", AUTH_MEMBER, PERMIT_CONTACTS_WRITE, ROUTE_IDEMPOTENT, 0,
	  post_contact },
	{ "GET", "/v1/contacts/{contact_id}", AUTH_MEMBER, PERMIT_CONTACTS_READ, 0, 0,
	  get_contact },
	{ "PATCH", "/v1/contacts/{contact_id}", AUTH_MEMBER, PERMIT_CONTACTS_WRITE, 0, 0,
	  patch_contact },
	{ "DELETE", "/v1/contacts/{contact_id}", AUTH_MEMBER, PERMIT_CONTACTS_WRITE, 0, 0,
	  delete_contact },
};
const size_t contacts_routes_n = ARRAY_LEN(contacts_routes);
