/* control/http/call.c - what a handler asks about the request. */
#include "control/http/private.h"

struct slice call_param(const struct call *c, unsigned n)
{
	return c->request->params[n];
}

int call_id(const struct call *c, unsigned n, enum id_kind kind, uint64_t *ret)
{
	return ids_in(kind, c->request->params[n], ret);
}

struct slice call_query(const struct call *c, const char *name)
{
	const struct http_query_item *item = http_query_find(&c->request->query, slice_str(name));

	return item ? item->value : SLICE("");
}

bool call_has_query(const struct call *c, const char *name)
{
	return http_query_find(&c->request->query, slice_str(name)) != NULL;
}

struct slice call_header(const struct call *c, const char *name)
{
	return slice_str(MHD_lookup_connection_value(c->request->conn, MHD_HEADER_KIND, name));
}

struct cookie_wanted {
	const char *name, *value;
};

static enum MHD_Result look_at_cookie(void *arg, enum MHD_ValueKind kind UNUSED, const char *key,
				      const char *value)
{
	struct cookie_wanted *w = arg;

	if (!strcmp(key, w->name) && !w->value)
		w->value = value;
	return w->value ? MHD_NO : MHD_YES;
}

/* libmicrohttpd's own look-up takes "__hOST-x" for "__Host-x", which browsers need not protect. */
struct slice call_cookie(const struct call *c, const char *name)
{
	struct cookie_wanted w = { .name = name };

	(void)MHD_get_connection_values(c->request->conn, MHD_COOKIE_KIND, look_at_cookie, &w);
	return slice_str(w.value);
}

const struct http_certificate *call_certificate(const struct call *c)
{
	return c->request->certified ? &c->request->certificate : NULL;
}

struct slice call_raw_body(const struct call *c)
{
	return buf_data(&c->request->body);
}

struct slice call_method(const struct call *c)
{
	return slice_str(c->request->method);
}

struct slice call_path(const struct call *c)
{
	return slice_str(c->request->path);
}

const char *call_upload(const struct call *c, int64_t *ret_bytes)
{
	*ret_bytes = c->request->upload_bytes;
	return c->request->upload_path;
}

void call_keep_upload(struct call *c)
{
	c->request->keep_upload = true;
}

struct call *call_new(struct app *app, struct db *db, uint32_t org, struct slice param)
{
	struct call_request *q = must_alloc(sizeof(*q));

	q->upload_fd = -1;
	q->params[0] = param;
	q->call.app = app;
	q->call.db = db;
	q->call.request = q;
	q->call.actor = (struct actor){ .kind = ACTOR_PLATFORM, .org = org };
	slice_copy(q->call.request_id, REQUEST_ID_MAX, SLICE("worker"));
	return &q->call;
}

struct call *call_free(struct call *c)
{
	if (!c)
		return NULL;
	http_reply_reset(&c->request->reply);
	free(c->request);
	return NULL;
}
