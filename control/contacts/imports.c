/* control/contacts/imports.c - /v1/imports: take a file, say how far it is. */
#include <stdio.h>
#include <unistd.h>

#include "control/auth/permit.h"
#include "control/contacts/import_row.h"
#include "control/contacts/routes.h"
#include "control/http/api.h"
#include "control/http/page.h"
#include "control/http/problem.h"
#include "control/http/reply.h"

enum { WAITING_MAX = 20 };

static const char *const status_names[] = { "",          "waiting", "running",
					    "completed", "failed",  "cancelled" };

#define IMPORT_COLUMNS                                                                             \
	"id, status, coalesce(list_id, 0), bytes, rows_read, n_created, n_updated, n_invalid,"     \
	" n_duplicate, n_suppressed, error, to_ms(created_at), coalesce(to_ms(started_at), 0),"    \
	" coalesce(to_ms(finished_at), 0)"

static json_t *import_json(const struct db_result *r, unsigned i)
{
	return json_pack(
	    "{so ss so sI sI sI sI sI sI sI sI so so so so}", "id",
	    api_id(ID_IMPORT, (uint64_t)db_int(r, i, 0)), "status", status_names[db_int(r, i, 1)],
	    "list", api_id(ID_LIST, (uint64_t)db_int(r, i, 2)), "bytes",
	    (json_int_t)db_int(r, i, 3), "rows", (json_int_t)db_int(r, i, 4), "imported",
	    (json_int_t)(db_int(r, i, 5) + db_int(r, i, 6)), "created", (json_int_t)db_int(r, i, 5),
	    "updated", (json_int_t)db_int(r, i, 6), "invalid", (json_int_t)db_int(r, i, 7),
	    "duplicate", (json_int_t)db_int(r, i, 8), "suppressed", (json_int_t)db_int(r, i, 9),
	    "error", api_text(db_text(r, i, 10)), "created_at", api_time(db_int(r, i, 11)),
	    "started_at", api_time(db_int(r, i, 12)), "finished_at", api_time(db_int(r, i, 13)));
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
			       "mapping is a JSON object: column title to field name");
	}
	json_object_foreach(mapping, title, name)
	{
		bool fine =
		    json_is_null(name) || (json_is_string(name) && !json_string_length(name));

		if (r >= 0 && !fine &&
		    !(json_is_string(name) &&
		      import_target_known(slice_str(json_string_value(name)), types)))
			r = problem(c, 422, "unknown_field", "mapping of \"%.60s\" names no field",
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
	return r == 0 || r == E_UNKNOWN ? problem(c, 422, "unknown_list", "no such list") : r;
}

/* A file that waits takes disk that is everybody's. */
static int check_waiting(struct call *c)
{
	OWNED(db_result) n = NULL;
	int r =
	    db_run(c->db, &n, "SELECT count(*) FROM imports WHERE org_id = $1 AND status IN (1, 2)",
		   p_int(c->actor.org));

	if (r < 0 || db_int(n, 0, 0) < WAITING_MAX)
		return r < 0 ? r : 0;
	http_reply_header(c, "Retry-After", "60");
	return problem(c, 429, "too_many_imports", "%d imports wait already", WAITING_MAX);
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
		return problem(c, 400, "empty_body", "the body is a CSV file");
	}
	OWNED_MEM char *text = json_dumps(mapping, JSON_COMPACT);
	json_decref(mapping);
	r = db_run(c->db, &row,
		   "INSERT INTO imports (org_id, list_id, mapping, path, bytes, created_by) "
		   "VALUES ($1, nullif($2::bigint, 0), $3, $4, $5, nullif($6::bigint, 0)) "
		   "RETURNING " IMPORT_COLUMNS,
		   p_int(c->actor.org), p_int(list), p_str(text), p_str(path), p_int(bytes),
		   p_int(c->actor.kind == ACTOR_USER ? c->actor.id : 0));
	if (r < 0)
		return r;
	call_keep_upload(c);
	http_reply_header(c, "Location", "/v1/imports/%s",
			  ids_out(ID_IMPORT, (uint64_t)db_int(row, 0, 0), id));
	return http_reply_json(c, 202, import_json(row, 0));
}

static int list_imports(struct call *c)
{
	return page_list(c, import_json,
			 "SELECT " IMPORT_COLUMNS
			 " FROM imports WHERE org_id = $1 AND id > $2 ORDER BY id LIMIT $3",
			 p_int(c->actor.org), PAGE_AFTER, PAGE_LIMIT);
}

static int load_import(struct call *c, uint64_t *ret_id, struct db_result **ret)
{
	int r = call_id(c, 0, ID_IMPORT, ret_id);

	if (r >= 0)
		r = db_run(c->db, ret,
			   "SELECT " IMPORT_COLUMNS " FROM imports WHERE org_id = $1 AND id = $2",
			   p_int(c->actor.org), p_int(*ret_id));
	return r == 0 ? E_UNKNOWN : r;
}

static int get_import(struct call *c)
{
	OWNED(db_result) row = NULL;
	uint64_t id;
	int r = load_import(c, &id, &row);

	return r < 0 ? r : http_reply_json(c, 200, import_json(row, 0));
}

static json_t *error_json(const struct db_result *r, unsigned i)
{
	return json_pack("{sI ss so}", "line", (json_int_t)db_int(r, i, 0), "reason",
			 import_problem_name((int)db_int(r, i, 1)), "value",
			 api_text(db_text(r, i, 2)));
}

static int list_errors(struct call *c)
{
	OWNED(db_result) import = NULL;
	uint64_t id;
	int r = load_import(c, &id, &import);

	return r < 0 ? r
		     : page_list(
			   c, error_json,
			   "SELECT line, reason, value FROM import_errors WHERE org_id = $1 AND "
			   "import_id = $2"
			   " AND line > $3 ORDER BY line LIMIT $4",
			   p_int(c->actor.org), p_int(id), PAGE_AFTER, PAGE_LIMIT);
}

/* An import is one transaction: it can be called off until that has begun to end. */
static int cancel_import(struct call *c)
{
	OWNED(db_result) row = NULL;
	OWNED(db_result) file = NULL;
	uint64_t id;
	int r = load_import(c, &id, &row);

	if (r >= 0)
		r = db_run(
		    c->db, &file,
		    "UPDATE imports i SET status = 5, finished_at = now(), path = '' FROM"
		    " (SELECT path FROM imports WHERE org_id = $1 AND id = $2 FOR UPDATE) old "
		    "WHERE i.org_id = $1 AND i.id = $2 AND i.status IN (1, 2) RETURNING old.path",
		    p_int(c->actor.org), p_int(id));
	if (r == 0)
		return problem(c, 409, "finished", "the import has finished");
	if (r < 0)
		return r;
	OWNED_MEM char *path = must_copy(db_text(file, 0, 0));
	(void)unlink(path); /* a running worker has it open, and finds its row cancelled */
	return http_reply_empty(c, 204);
}

const struct http_route import_routes[] = {
	{ "POST", "/v1/imports", AUTH_MEMBER, PERMIT_CONTACTS_WRITE, ROUTE_UPLOAD, 0,
	  create_import },
	{ "GET", "/v1/imports", AUTH_MEMBER, PERMIT_CONTACTS_READ, 0, 0, list_imports },
	{ "GET", "/v1/imports/{import_id}", AUTH_MEMBER, PERMIT_CONTACTS_READ, 0, 0, get_import },
	{ "GET", "/v1/imports/{import_id}/errors", AUTH_MEMBER, PERMIT_CONTACTS_READ, 0, 0,
	  list_errors },
	{ "DELETE", "/v1/imports/{import_id}", AUTH_MEMBER, PERMIT_CONTACTS_WRITE, 0, 0,
	  cancel_import },
};
const size_t import_routes_n = ARRAY_LEN(import_routes);
