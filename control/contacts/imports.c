/* control/contacts/imports.c - /v1/imports: takes a file and shows how far its import is. */
#include <stdio.h>
#include <unistd.h>

#include "control/auth/audit.h"
#include "control/auth/permit.h"
#include "control/contacts/import_look.h"
#include "control/contacts/import_row.h"
#include "control/contacts/routes.h"
#include "control/contacts/statements.h"
#include "control/http/api.h"
#include "control/http/page.h"
#include "control/http/problem.h"
#include "control/http/reply.h"
#include "control/http/upload.h"

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
	K_LEFT_OUT,
	K_UNWANTED,
	K_REPORT,
};

/* What the look at the upload found; empty for imports from before there was one. */
static json_t *report_json(const struct db_result *r, unsigned i)
{
	struct slice text = db_text(r, i, K_REPORT);

	return json_loadb(text.p, text.n, 0, NULL);
}

static json_t *import_json(const struct db_result *r, unsigned i)
{
	json_t *json = json_pack(
	    "{so ss so sI sI sI sI sI sI sI sI so so so so sI sI}", "id",
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
	    api_time(db_int(r, i, K_FINISHED_AT)), "values_left_out",
	    (json_int_t)db_int(r, i, K_LEFT_OUT), "not_subscribed",
	    (json_int_t)db_int(r, i, K_UNWANTED));
	json_t *report = report_json(r, i);

	if (json && report)
		(void)json_object_update(json, report);
	json_decref(report);
	return json;
}

/* What the request says beside the file: in its query, or in the fields of its form. */
struct import_request {
	json_t *form;
	uint64_t list;
	json_t *mapping;
	struct contact_field_types *types;
};
static const char *const form_names[] = { "list", "mapping" };

static struct slice argument(const struct call *c, const struct import_request *q, const char *name)
{
	const json_t *field = json_object_get(q->form, name);

	return call_has_query(c, name)
		   ? call_query(c, name)
		   : slice_of(json_string_value(field), json_string_length(field));
}

/* mapping={"Column title": "field"} */
static int read_mapping(struct call *c, struct import_request *q)
{
	struct slice text = argument(c, q, "mapping");
	json_t *mapping =
	    text.n ? json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, NULL) : json_object();
	const char *title;
	json_t *name;
	int r = 0;

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
		      import_map_target_known(slice_str(json_string_value(name)), q->types)))
			r = problem(c, 422, "unknown_field", "mapping of \"%.60s\" names no field",
				    title);
	}
	if (r < 0)
		json_decref(mapping);
	else
		q->mapping = mapping;
	return r;
}

static int read_list(struct call *c, struct import_request *q)
{
	struct slice text = argument(c, q, "list");
	int r;

	if (!text.n)
		return 0;
	r = ids_in(ID_LIST, text, &q->list);
	if (r >= 0)
		r = db_run(c->db, NULL, "SELECT 1 FROM lists WHERE org_id = $1 AND id = $2",
			   p_int(c->actor.org), p_int(q->list));
	return r == 0 || r == E_UNKNOWN ? problem(c, 422, "unknown_list", "no such list") : r;
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

/* Refused here, or not at all for what its columns are. */
static int look_at(struct call *c, const char *path, const struct import_rules *rules,
		   struct import_look *look)
{
	int r = import_look(path, rules, look);

	if (r < 0 || !look->fault.code[0])
		return r;
	if (look->titles) {
		problem_member(c, "titles", look->titles);
		problem_member(c, "suggested_mapping", look->mapping);
	}
	return problem(c, 422, look->fault.code, "%s", look->fault.text);
}

static int put_import(struct call *c, const struct import_request *q)
{
	OWNED(db_result) row = NULL;
	OWNED_MEM char *mapping = json_dumps(q->mapping, JSON_COMPACT);
	OWNED_MEM char *report = NULL;
	struct import_rules rules = { q->mapping, q->types };
	struct import_look look;
	char id[ID_OUT_MAX];
	int64_t bytes;
	const char *path = call_upload(c, &bytes);
	int r = look_at(c, path, &rules, &look);

	if (r >= 0) {
		report = json_dumps(look.report, JSON_COMPACT);
		r = db_run(c->db, &row, sql_contacts_import_insert, p_int(c->actor.org),
			   p_int(q->list), p_str(mapping), p_str(path), p_int(bytes),
			   p_int(c->actor.kind == ACTOR_USER ? c->actor.id : 0), p_str(report));
	}
	import_look_clear(&look);
	if (r >= 0)
		r = audit_put_id(c, "import.started", ID_IMPORT, (uint64_t)db_int(row, 0, K_ID),
				 json_pack("{so sI}", "list", api_id(ID_LIST, q->list), "bytes",
					   (json_int_t)bytes));
	if (r < 0)
		return r;
	call_keep_upload(c);
	http_reply_header(c, "Location", "/v1/imports/%s",
			  ids_out(ID_IMPORT, (uint64_t)db_int(row, 0, K_ID), id));
	return http_reply_json(c, 202, import_json(row, 0));
}

static int need_body(struct call *c)
{
	int64_t bytes = 0;

	if (call_upload(c, &bytes) && bytes)
		return 0;
	return problem(c, 400, "empty_body", "the body is a CSV file");
}

static int create_import(struct call *c)
{
	struct import_request q = { 0 };
	int r = check_waiting(c);

	if (r >= 0)
		r = need_body(c);
	if (r >= 0)
		r = upload_unpack(c, form_names, ARRAY_LEN(form_names), &q.form);
	if (r >= 0)
		r = need_body(c);
	if (r >= 0)
		r = read_list(c, &q);
	if (r >= 0)
		r = contact_field_types_load(&q.types, c->db, c->actor.org);
	if (r >= 0)
		r = read_mapping(c, &q);
	if (r >= 0)
		r = put_import(c, &q);
	contact_field_types_free(q.types);
	json_decref(q.mapping);
	json_decref(q.form);
	return r;
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

enum { BAD_N, BAD_LINE, BAD_REASON, BAD_VALUE, BAD_COLUMN, BAD_TAKEN };

static json_t *error_json(const struct db_result *r, unsigned i)
{
	return json_pack("{sI ss so so ss}", "line", (json_int_t)db_int(r, i, BAD_LINE), "reason",
			 import_row_problem_name((int)db_int(r, i, BAD_REASON)), "value",
			 api_text(db_text(r, i, BAD_VALUE)), "column",
			 api_text(db_text(r, i, BAD_COLUMN)), "left_out",
			 db_int(r, i, BAD_TAKEN) ? "value" : "record");
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
	r = audit_put_id(c, "import.cancelled", ID_IMPORT, id, NULL);
	if (r < 0)
		return r;
	OWNED_MEM char *path = must_copy(db_text(file, 0, 0));
	(void)unlink(path); /* a running worker has it open, and finds its row cancelled */
	return http_reply_empty(c, 204);
}

const struct http_route contacts_import_routes[] = {
	{ "POST", "/v1/imports", AUTH_MEMBER, PERMIT_CONTACTS_WRITE,
	  ROUTE_UPLOAD | ROUTE_COSTLY | ROUTE_IDEMPOTENT, 0, create_import },
	{ "GET", "/v1/imports", AUTH_MEMBER, PERMIT_CONTACTS_READ, 0, 0, list_imports },
	{ "GET", "/v1/imports/{import_id}", AUTH_MEMBER, PERMIT_CONTACTS_READ, 0, 0, get_import },
	{ "GET", "/v1/imports/{import_id}/errors", AUTH_MEMBER, PERMIT_CONTACTS_READ, 0, 0,
	  list_errors },
	{ "DELETE", "/v1/imports/{import_id}", AUTH_MEMBER, PERMIT_CONTACTS_WRITE, 0, 0,
	  cancel_import },
};
const size_t contacts_import_routes_n = ARRAY_LEN(contacts_import_routes);
