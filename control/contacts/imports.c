/* control/contacts/imports.c - /v1/imports: takes a file and shows how far its import is. */
#include <stdio.h>
#include <unistd.h>

#include "control/auth/permit.h"
#include "control/contacts/import_row.h"
#include "control/contacts/routes.h"
#include "control/contacts/statements.h"
#include "control/http/api.h"
#include "control/http/page.h"
#include "control/http/problem.h"
#include "control/http/reply.h"

enum { WAITING_MAX = 20 };

static const char *const status_names[] = {
	"",
	[IMPORT_WAITING] = "waiting",
	[IMPORT_RUNNING] = "running",
	[IMPORT_DONE] = "completed",
	[IMPORT_FAILED] = "failed",
	[IMPORT_CANCELLED] = "cancelled",
};

enum {
	K_ID,
	K_STATUS,
	K_LIST,
	K_BYTES,
	K_ROWS,
	K_CREATED,
	K_UPDATED,
	K_INVALID,
	K_DUPLICATE,
	K_SUPPRESSED,
	K_ERROR,
	K_CREATED_AT,
	K_STARTED_AT,
	K_FINISHED_AT,
};

static json_t *import_json(const struct db_result *r, unsigned i)
{
	return json_pack(
	    "{so ss so sI sI sI sI sI sI sI sI so so so so}", "id",
	    api_id(ID_IMPORT, (uint64_t)db_int(r, i, K_ID)), "status",
	    status_names[db_int(r, i, K_STATUS)], "list",
	    api_id(ID_LIST, (uint64_t)db_int(r, i, K_LIST)), "bytes",
	    (json_int_t)db_int(r, i, K_BYTES), "rows", (json_int_t)db_int(r, i, K_ROWS), "imported",
	    (json_int_t)(db_int(r, i, K_CREATED) + db_int(r, i, K_UPDATED)), "created",
	    (json_int_t)db_int(r, i, K_CREATED), "updated", (json_int_t)db_int(r, i, K_UPDATED),
	    "invalid", (json_int_t)db_int(r, i, K_INVALID), "duplicate",
	    (json_int_t)db_int(r, i, K_DUPLICATE), "suppressed",
	    (json_int_t)db_int(r, i, K_SUPPRESSED), "error", api_text(db_text(r, i, K_ERROR)),
	    "created_at", api_time(db_int(r, i, K_CREATED_AT)), "started_at",
	    api_time(db_int(r, i, K_STARTED_AT)), "finished_at",
	    api_time(db_int(r, i, K_FINISHED_AT)));
}

/* ?mapping={"Column title": "field"} */
static int read_mapping(struct call *c, json_t **ret)
{
	OWNED(contact_field_types) types = NULL;
	struct slice text = call_query(c, "mapping");
	json_t *mapping =
	    text.n ? json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, NULL) : json_object();
	const char *title;
	json_t *name;
	int r = contact_field_types_load(&types, c->db, c->actor.org);

	if (!json_is_object(mapping)) {
		json_decref(mapping);
		return problem(c, 400, "invalid_mapping",
			       "mapping must be a JSON object from column titles to field names");
	}
	json_object_foreach(mapping, title, name)
	{
		bool fine =
		    json_is_null(name) || (json_is_string(name) && !json_string_length(name));

		if (r >= 0 && !fine &&
		    !(json_is_string(name) &&
		      import_target_known(slice_str(json_string_value(name)), types)))
			r = problem(c, 422, "unknown_field",
				    "mapping names a field for \"%.60s\" that does not exist: "
				    "define it under /v1/fields first",
				    title);
	}
	if (r < 0)
		json_decref(mapping);
	else
		*ret = mapping;
	return r;
}

static int read_list(struct call *c, uint64_t *ret)
{
	struct slice text = call_query(c, "list");
	int r;

	*ret = 0;
	if (!text.n)
		return 0;
	r = ids_in(ID_LIST, text, ret);
	if (r >= 0)
		r = db_run(c->db, NULL, "SELECT 1 FROM lists WHERE org_id = $1 AND id = $2",
			   p_int(c->actor.org), p_int(*ret));
	return r == 0 || r == E_UNKNOWN
		   ? problem(c, 422, "unknown_list", "there is no list with this id")
		   : r;
}

/* A file that waits takes disk space from everybody. */
static int check_waiting(struct call *c)
{
	OWNED(db_result) n = NULL;
	int r = db_run(c->db, &n, sql_contacts_import_count_open, p_int(c->actor.org));

	if (r < 0 || db_int(n, 0, 0) < WAITING_MAX)
		return r < 0 ? r : 0;
	http_reply_header(c, "Retry-After", "60");
	return problem(c, 429, "too_many_imports",
		       "%d imports are waiting already: try again when one has finished",
		       WAITING_MAX);
}

static int create_import(struct call *c)
{
	OWNED(db_result) row = NULL;
	json_t *mapping = NULL;
	char id[ID_OUT_MAX];
	int64_t bytes = 0;
	uint64_t list = 0;
	const char *path = call_upload(c, &bytes);
	int r = check_waiting(c);

	if (r >= 0)
		r = read_list(c, &list);
	if (r >= 0)
		r = read_mapping(c, &mapping);
	if (r < 0)
		return r;
	if (!path || bytes == 0) {
		json_decref(mapping);
		return problem(c, 400, "empty_body", "the body is empty: send a CSV file");
	}
	OWNED_MEM char *text = json_dumps(mapping, JSON_COMPACT);
	json_decref(mapping);
	r = db_run(c->db, &row, sql_contacts_import_insert, p_int(c->actor.org), p_int(list),
		   p_str(text), p_str(path), p_int(bytes),
		   p_int(c->actor.kind == ACTOR_USER ? c->actor.id : 0));
	if (r < 0)
		return r;
	call_keep_upload(c);
	http_reply_header(c, "Location", "/v1/imports/%s",
			  ids_out(ID_IMPORT, (uint64_t)db_int(row, 0, K_ID), id));
	return http_reply_json(c, 202, import_json(row, 0));
}

static int list_imports(struct call *c)
{
	return page_list(c, import_json, sql_contacts_import_page, p_int(c->actor.org), PAGE_AFTER,
			 PAGE_LIMIT);
}

static int load_import(struct call *c, uint64_t *ret_id, struct db_result **ret)
{
	int r = call_id(c, 0, ID_IMPORT, ret_id);

	if (r >= 0)
		r = db_run(c->db, ret, sql_contacts_import_find, p_int(c->actor.org),
			   p_int(*ret_id));
	return r == 0 ? E_UNKNOWN : r;
}

static int get_import(struct call *c)
{
	OWNED(db_result) row = NULL;
	uint64_t id;
	int r = load_import(c, &id, &row);

	return r < 0 ? r : http_reply_json(c, 200, import_json(row, 0));
}

enum { BAD_LINE, BAD_REASON, BAD_VALUE };

static json_t *error_json(const struct db_result *r, unsigned i)
{
	return json_pack("{sI ss so}", "line", (json_int_t)db_int(r, i, BAD_LINE), "reason",
			 import_problem_name((int)db_int(r, i, BAD_REASON)), "value",
			 api_text(db_text(r, i, BAD_VALUE)));
}

static int list_errors(struct call *c)
{
	OWNED(db_result) import = NULL;
	uint64_t id;
	int r = load_import(c, &id, &import);

	return r < 0 ? r
		     : page_list(c, error_json, sql_contacts_import_error_page, p_int(c->actor.org),
				 p_int(id), PAGE_AFTER, PAGE_LIMIT);
}

/* An import is one transaction: it can be cancelled until that begins to commit. */
static int cancel_import(struct call *c)
{
	OWNED(db_result) row = NULL;
	OWNED(db_result) file = NULL;
	uint64_t id;
	int r = load_import(c, &id, &row);

	if (r >= 0)
		r = db_run(c->db, &file, sql_contacts_import_cancel, p_int(c->actor.org),
			   p_int(id));
	if (r == 0)
		return problem(c, 409, "finished",
			       "the import has finished and cannot be cancelled any more");
	if (r < 0)
		return r;
	OWNED_MEM char *path = must_copy(db_text(file, 0, 0));
	(void)unlink(path); /* a running worker has it open, and finds its row cancelled */
	return http_reply_empty(c, 204);
}

const struct http_route contacts_import_routes[] = {
	{ "POST", "/v1/imports", AUTH_MEMBER, PERMIT_CONTACTS_WRITE, ROUTE_UPLOAD, 0,
	  create_import },
	{ "GET", "/v1/imports", AUTH_MEMBER, PERMIT_CONTACTS_READ, 0, 0, list_imports },
	{ "GET", "/v1/imports/{import_id}", AUTH_MEMBER, PERMIT_CONTACTS_READ, 0, 0, get_import },
	{ "GET", "/v1/imports/{import_id}/errors", AUTH_MEMBER, PERMIT_CONTACTS_READ, 0, 0,
	  list_errors },
	{ "DELETE", "/v1/imports/{import_id}", AUTH_MEMBER, PERMIT_CONTACTS_WRITE, 0, 0,
	  cancel_import },
};
const size_t contacts_import_routes_n = ARRAY_LEN(contacts_import_routes);
