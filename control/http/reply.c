/* control/http/reply.c - replies, and handing them to libmicrohttpd. */
#include <stdarg.h>
#include <stdio.h>

#include "base/clock.h"
#include "control/http/etag.h"
#include "control/http/options.h"
#include "control/http/people.h"
#include "control/http/private.h"

void http_reply_reset(struct http_reply *reply)
{
	for (unsigned i = 0; i < reply->n_headers; i++) {
		free(reply->headers[i].name);
		free(reply->headers[i].value);
	}
	json_decref(reply->errors);
	json_decref(reply->members);
	buf_free(&reply->body);
	memset(reply, 0, sizeof(*reply));
}

static int dump_piece(const char *p, size_t n, void *out)
{
	return buf_append(out, slice_of(p, n)) < 0 ? -1 : 0;
}

static void set_body(struct call *c, unsigned status, const char *type)
{
	struct http_reply *reply = &c->request->reply;

	reply->status = status;
	slice_copy(reply->type, sizeof(reply->type), slice_str(type));
	buf_clear(&reply->body);
}

int http_reply_json(struct call *c, unsigned status, json_t *json)
{
	if (!json)
		return problem(c, 500, "internal",
			       "the answer could not be written: tell the operator of this service "
			       "the request's id");
	set_body(c, status, "application/json");
	if (json_dump_callback(json, dump_piece, &c->request->reply.body, JSON_COMPACT) < 0)
		c->request->reply.status = 500;
	json_decref(json);
	return 0;
}

int http_reply_empty(struct call *c, unsigned status)
{
	set_body(c, status, "");
	return 0;
}

int http_reply_bytes(struct call *c, unsigned status, const char *type, struct slice bytes)
{
	set_body(c, status, type);
	return buf_append(&c->request->reply.body, bytes);
}

void http_reply_header(struct call *c, const char *name, const char *format, ...)
{
	struct http_reply *reply = &c->request->reply;
	char value[1024];
	va_list ap;

	if (reply->n_headers == REPLY_HEADERS_MAX)
		return;
	va_start(ap, format);
	(void)vsnprintf(value, sizeof(value), format, ap);
	va_end(ap);
	value[strcspn(value, "\r\n")] = '\0';
	reply->headers[reply->n_headers].name = must_copy(slice_str(name));
	reply->headers[reply->n_headers++].value = must_copy(slice_str(value));
}

void http_reply_etag(struct call *c, int64_t version)
{
	c->request->reply.version = version;
}

/* The values of a header that came several times, as one list (RFC 9110, 5.2). */
struct gathered {
	const char *name;
	struct buf *values;
};

static enum MHD_Result gather(void *arg, enum MHD_ValueKind kind UNUSED, const char *name,
			      const char *value)
{
	struct gathered *g = arg;

	if (value && slice_eq_nocase(slice_str(name), slice_str(g->name))) {
		buf_put(g->values, SLICE(","));
		buf_put(g->values, slice_str(value));
	}
	return MHD_YES;
}

static bool header_matches(struct call *c, const char *name, int64_t version, bool weak)
{
	struct buf values;
	struct gathered g = { name, &values };
	bool matches;

	buf_init(&values, 0);
	(void)MHD_get_connection_values(c->request->conn, MHD_HEADER_KIND, gather, &g);
	matches = etag_matches(buf_data(&values), version, weak);
	buf_free(&values);
	return matches;
}

int call_if_match(struct call *c, int64_t version)
{
	c->request->matched = true;
	if (!call_header(c, "If-Match").p || header_matches(c, "If-Match", version, false))
		return 0;
	return problem(c, 412, "version_mismatch",
		       "the object was changed meanwhile and is at version %lld: read it again "
		       "before you change it",
		       (long long)version);
}

/* On every reply that does not say otherwise.  Only the pages of control/web load anything. */
static const char *const fixed_headers[][2] = {
	{ "X-Content-Type-Options", "nosniff" },
	{ "Referrer-Policy", "no-referrer" },
	{ "X-Frame-Options", "DENY" },
	/* What CORS allows is not held back by these (control/http/cors.c). */
	{ "Cross-Origin-Resource-Policy", "same-origin" },
	{ "Cross-Origin-Opener-Policy", "same-origin" },
	{ "Permissions-Policy",
	  "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()" },
	{ "Content-Security-Policy",
	  "default-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'" },
};

static bool says(const struct http_reply *reply, const char *name)
{
	for (unsigned i = 0; i < reply->n_headers; i++)
		if (!strcmp(reply->headers[i].name, name))
			return true;
	return false;
}

static void put_headers(struct call_request *q, struct MHD_Response *res)
{
	const struct http_reply *reply = &q->reply;
	char etag[32];

	for (unsigned i = 0; i < ARRAY_LEN(fixed_headers); i++)
		if (!says(reply, fixed_headers[i][0]))
			(void)MHD_add_response_header(res, fixed_headers[i][0],
						      fixed_headers[i][1]);
	(void)MHD_add_response_header(res, "X-Request-Id", q->call.request_id);
	if (http_options(q->call.app)->cookie_secure)
		(void)MHD_add_response_header(res, "Strict-Transport-Security", "max-age=31536000");
	if (reply->type[0])
		(void)MHD_add_response_header(res, "Content-Type", reply->type);
	for (unsigned i = 0; i < reply->n_headers; i++) {
		(void)MHD_add_response_header(res, reply->headers[i].name, reply->headers[i].value);
	}
	http_cors_put(q, res);
	if (q->rate[0]) {
		(void)MHD_add_response_header(res, "RateLimit-Policy", q->rate_policy);
		(void)MHD_add_response_header(res, "RateLimit", q->rate);
	}
	if (!says(reply, "Cache-Control"))
		(void)MHD_add_response_header(res, "Cache-Control", "no-store");
	if (reply->version) {
		(void)snprintf(etag, sizeof(etag), "\"%lld\"", (long long)reply->version);
		(void)MHD_add_response_header(res, "ETag", etag);
	}
}

static void honour_none_match(struct call_request *q)
{
	if (!q->reply.version || !call_header(&q->call, "If-None-Match").p ||
	    q->reply.status != 200 || strcmp(q->method, "GET"))
		return;
	if (header_matches(&q->call, "If-None-Match", q->reply.version, true))
		(void)http_reply_empty(&q->call, 304);
}

enum MHD_Result http_reply_send(struct call_request *q)
{
	struct slice body;
	struct MHD_Response *res;
	enum MHD_Result r;

	q->state = REQ_DONE;
	if (!q->reply.status)
		(void)problem(&q->call, 500, "internal",
			      "the request was not answered: tell the operator of this service the "
			      "request's id");
	people_answer(q);
	honour_none_match(q);
	body = buf_data(&q->reply.body);
	/* The bytes live in the request, which outlives the response. */
	res = MHD_create_response_from_buffer(body.n, (void *)body.p, MHD_RESPMEM_PERSISTENT);
	if (!res)
		return MHD_NO;
	put_headers(q, res);
	http_guest_stage(q->guest, GUEST_REPLY, body.n, clock_mono_ms());
	r = MHD_queue_response(q->conn, q->reply.status, res);
	MHD_destroy_response(res);
	return r;
}
