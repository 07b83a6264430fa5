/* control/http/request.c - libmicrohttpd's callbacks: a request from its headers to its reply.
 * Runs on the listener's thread and only touches memory and the upload's file. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "control/app/options.h"
#include "control/http/options.h"
#include "control/http/percent.h"
#include "control/http/private.h"

enum { DRAIN_MAX = 16 << 20, ID_RANDOM = 16 };

static struct call_request *request_new(struct http_listener *l, struct MHD_Connection *conn)
{
	struct call_request *q = must_alloc(sizeof(*q));

	q->server = l->server;
	q->conn = conn;
	q->guest =
	    MHD_get_connection_info(conn, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
	http_guest_stage(q->guest, GUEST_BODY, 0, clock_mono_ms());
	q->listener = l->kind;
	q->upload_fd = -1;
	q->began_us = clock_mono_us();
	list_init(&q->link);
	q->call.app = l->server->app;
	q->call.request = q;
	slice_copy(q->call.request_id, REQUEST_ID_MAX, SLICE("req_"));
	ids_random(q->call.request_id + 4, ID_RANDOM);
	return q;
}

static void request_free(struct call_request *q)
{
	if (q->upload_fd >= 0)
		(void)close(q->upload_fd);
	if (q->upload_path && !q->keep_upload)
		(void)unlink(q->upload_path);
	free(q->upload_path);
	buf_free(&q->body);
	http_query_free(&q->query);
	json_decref(q->call.body);
	http_reply_reset(&q->reply);
	free(q);
}

static enum MHD_Result keep_forwarded(void *last, enum MHD_ValueKind kind UNUSED, const char *name,
				      const char *value)
{
	if (value && slice_eq_nocase(slice_str(name), SLICE("X-Forwarded-For")))
		*(struct slice *)last = slice_str(value);
	return MHD_YES;
}

static struct slice last_word(struct slice s)
{
	s = slice_trim(s);
	size_t from = s.n;

	while (from && s.p[from - 1] != ',' && s.p[from - 1] != ' ')
		from--;
	return slice_skip(s, from);
}

/* The peer, or what a proxy that we trust says it is: one step only, from the right.  Some proxies
 * add a line of their own below those that they were sent. */
static void find_peer(struct call_request *q)
{
	const union MHD_ConnectionInfo *info =
	    MHD_get_connection_info(q->conn, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	const struct http_options *o = http_options(q->call.app);
	struct slice last = SLICE("");
	struct ip named;
	uint16_t port;

	if (!info || !info->client_addr)
		return;
	ip_from_sockaddr(info->client_addr, &q->call.ip, &port);
	if (!http_is_proxy(o, &q->call.ip))
		return;
	(void)MHD_get_connection_values(q->conn, MHD_HEADER_KIND, keep_forwarded, &last);
	last = last_word(last);
	if (ip_parse(last, &named) >= 0 || ip_port_parse(last, &named, &port) >= 0)
		q->call.ip = named;
}

/* Percent-decodes one path segment into the arena; false on bad escapes, NUL, or bad UTF-8. */
static bool decode_segment(struct call_request *q, struct slice in, struct slice *ret)
{
	if (percent_decode(in, q->arena + q->arena_used, sizeof(q->arena) - q->arena_used, ret) < 0)
		return false;
	q->arena_used += ret->n;
	return true;
}

static uint64_t length_of(const struct call *c)
{
	struct slice length = call_header(c, "Content-Length");
	uint64_t n = 0;

	return !length.n ? 0 : slice_u64(length, INT64_MAX, &n) < 0 ? UINT64_MAX : n;
}

/* What can be refused from the request line and headers alone. */
static int look_at_head(struct call_request *q, const char *url, const char *method)
{
	struct call *c = &q->call;
	char allow[ROUTE_METHODS_TEXT_MAX];
	int r;

	if (strlen(url) >= sizeof(q->path))
		return problem(c, 414, "uri_too_long", "the path is longer than %d bytes",
			       PATH_MAX_LEN - 1);
	slice_copy(q->path, sizeof(q->path), slice_str(url));
	/* OPTIONS is the longest and fits: a name that is cut is none of ours. */
	slice_copy(q->method, sizeof(q->method), slice_str(method));
	/* HEAD is GET without a body: the library leaves it out (RFC 9110 section 9.3.2). */
	if (!strcmp(q->method, "HEAD"))
		slice_copy(q->method, sizeof(q->method), SLICE("GET"));
	r = http_route_find(q->listener, slice_str(q->method), slice_str(q->path), &q->match);
	c->route = q->match.route;
	if (http_cors_preflight(q))
		return E_ANSWERED;
	if (r == E_DENIED) {
		http_reply_header(c, "Allow", "%s",
				  http_route_methods_text(q->match.allowed, allow));
		return problem(c, 405, "method_not_allowed",
			       "this path does not take %s: the header Allow names what it takes",
			       q->method);
	}
	if (r < 0)
		return problem(c, 404, "no_such_route",
			       "there is nothing at this path: check the address");
	http_query_read(&q->query, q->conn);
	q->body_max = http_route_bytes(c->route);
	if (!q->body_max)
		q->body_max = (size_t)http_options(c->app)->upload_max;
	buf_init(&q->body, q->body_max);
	for (unsigned i = 0; i < ROUTE_PARAMS_MAX; i++)
		if (q->match.params[i].p && !decode_segment(q, q->match.params[i], &q->params[i]))
			return problem(c, 404, "not_found", "there is no such object");
	if (length_of(c) > q->body_max)
		return problem(c, 413, "too_large",
			       "the body is too large: it may have %zu bytes at most", q->body_max);
	return 0;
}

static int open_upload(struct call_request *q)
{
	const char *dir = app_options(q->call.app)->data_dir;
	size_t n = strlen(dir) + 64;

	q->upload_path = must_alloc(n);
	(void)snprintf(q->upload_path, n, "%s/upload-%s", dir, q->call.request_id);
	q->upload_fd = open(q->upload_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	return q->upload_fd < 0 ? -errno : 0;
}

/* Answers before the body was read; its bytes must not be taken for another request. */
static enum MHD_Result send_and_close(struct call_request *q)
{
	http_reply_header(&q->call, "Connection", "close");
	return http_reply_send(q);
}

static enum MHD_Result submit_to_gate(struct call_request *q)
{
	q->state = REQ_GATE;
	if (request_submit(q) >= 0)
		return MHD_YES;
	(void)problem(&q->call, 503, "busy",
		      "too many requests are waiting: try again in a few seconds");
	return send_and_close(q);
}

static enum MHD_Result begin(struct http_listener *l, struct MHD_Connection *conn, const char *url,
			     const char *method, const char *version, void **con_cls)
{
	struct call_request *q = request_new(l, conn);
	char text[FRAMING_FAULT_MAX];
	const char *fault = http_framing_fault(conn, version, text);
	int r;

	*con_cls = q;
	find_peer(q);
	q->certified = http_tls_peer(conn, &q->certificate);
	if (fault) {
		(void)problem(&q->call, 400, "ambiguous_request", "%s", fault);
		return send_and_close(q);
	}
	r = look_at_head(q, http_target_path(url), method);
	if (r >= 0)
		return q->call.route->flags & ROUTE_UPLOAD ? submit_to_gate(q) : MHD_YES;
	/* A body within bounds is taken and dropped: most clients read no reply before they have
	 * written all.  Of a route that exists, the gate is asked first: 401 goes before all. */
	q->drop_body = length_of(&q->call) <= DRAIN_MAX;
	if (q->drop_body)
		return MHD_YES;
	return q->call.route ? submit_to_gate(q) : send_and_close(q);
}

/* False when the peer does not stop sending: then the connection ends. */
static bool take_piece(struct call_request *q, struct slice piece)
{
	int r;

	q->taken += piece.n;
	http_guest_stage(q->guest, GUEST_BODY, q->taken, clock_mono_ms());
	if (q->drop_body) {
		q->dropped += piece.n;
		return q->dropped <= DRAIN_MAX;
	}
	if (!(q->call.route->flags & ROUTE_UPLOAD)) {
		r = buf_append(&q->body, piece);
	} else {
		q->upload_bytes += (int64_t)piece.n;
		r = (size_t)q->upload_bytes > q->body_max ? E_LIMIT
							  : file_write_all(q->upload_fd, piece);
	}
	if (r >= 0)
		return true;
	q->drop_body = true;
	if (r == E_LIMIT)
		(void)problem(&q->call, 413, "too_large",
			      "the body is too large: it may have %zu bytes at most", q->body_max);
	else
		(void)problem(&q->call, 503, "no_room",
			      "the upload could not be stored: try again later");
	return true;
}

/* After the gate: the reply when the caller was refused, otherwise the body. */
static enum MHD_Result after_gate(struct call_request *q)
{
	int r;

	q->state = REQ_BODY;
	http_guest_stage(q->guest, GUEST_BODY, 0, clock_mono_ms());
	if (q->reply.status) {
		q->drop_body = length_of(&q->call) <= DRAIN_MAX;
		return q->drop_body ? MHD_YES : send_and_close(q);
	}
	r = open_upload(q);
	if (r >= 0)
		return MHD_YES;
	(void)problem(&q->call, 503, "no_room", "the upload could not be stored: try again later");
	return send_and_close(q);
}

/* The whole request is here. */
static enum MHD_Result take_end(struct call_request *q)
{
	bool at_once = q->call.route && q->call.route->flags & ROUTE_AT_ONCE;

	if (!q->call.route || (q->drop_body && q->gated))
		return http_reply_send(q);
	if (at_once && !q->reply.status && http_query_check(&q->call) >= 0)
		(void)!q->call.route->handle(&q->call);
	if (at_once)
		return http_reply_send(q);
	q->state = REQ_QUEUED;
	if (request_submit(q) >= 0)
		return MHD_YES;
	http_reply_header(&q->call, "Retry-After", "1");
	(void)problem(&q->call, 503, "busy",
		      "too many requests are waiting: try again in a few seconds");
	return http_reply_send(q);
}

enum MHD_Result request_access(void *cls, struct MHD_Connection *conn, const char *url,
			       const char *method, const char *version, const char *data,
			       size_t *data_size, void **con_cls)
{
	struct call_request *q = *con_cls;

	if (!q)
		return begin(cls, conn, url, method, version, con_cls);
	if (q->state == REQ_GATE)
		return after_gate(q);
	if (*data_size) {
		bool fine = take_piece(q, slice_of(data, *data_size));

		*data_size = 0;
		return fine ? MHD_YES : MHD_NO;
	}
	return q->state == REQ_QUEUED ? http_reply_send(q) : take_end(q);
}

void request_completed(void *cls UNUSED, struct MHD_Connection *conn UNUSED, void **con_cls,
		       enum MHD_RequestTerminationCode why UNUSED)
{
	struct call_request *q = *con_cls;

	if (!q)
		return;
	http_metrics_count(q);
	http_guest_stage(q->guest, GUEST_KEPT, 0, clock_mono_ms());
	request_free(q);
	*con_cls = NULL;
}
