/* control/web/serve.c - answers with an embedded file, compressed where the client takes that. */
#include "control/http/accept.h"
#include "control/http/call.h"
#include "control/http/gunzip.h"
#include "control/http/problem.h"
#include "control/http/reply.h"
#include "control/web/files.h"
#include "control/web/routes.h"

enum { FILE_NAME_MAX = 64 };
/* The viewer shows pictures that it carries as data, and sets style by script. */
static const char page_policy[] = "default-src 'none'; script-src 'self'; style-src 'self'; "
				  "img-src 'self' data:; connect-src 'self'; "
				  "form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

static int add_plain(void *arg, struct slice plain)
{
	return buf_append(arg, plain);
}

static int reply_plain(struct call *c, const struct web_file *f)
{
	OWNED(gunzip) z = NULL;
	struct buf plain = { 0 };
	int r = gunzip_open(&z, add_plain, &plain);

	if (r >= 0)
		r = gunzip_feed(z, slice_of(f->gzipped, f->gzipped_n));
	if (r >= 0)
		r = gunzip_end(z);
	if (r >= 0)
		r = http_reply_bytes(c, 200, f->type, buf_data(&plain));
	buf_free(&plain);
	return r;
}

static int no_file(struct call *c)
{
	return problem(c, 404, "not_found", "there is no such file");
}

static int reply_file(struct call *c, struct slice name)
{
	const struct web_file *f = web_file_find(name);
	int r;

	if (!f)
		return no_file(c);
	if (accept_gzip(call_header(c, "Accept-Encoding"))) {
		r = http_reply_bytes(c, 200, f->type, slice_of(f->gzipped, f->gzipped_n));
		http_reply_header(c, "Content-Encoding", "gzip");
	} else {
		r = reply_plain(c, f);
	}
	http_reply_header(c, "Content-Security-Policy", "%s", page_policy);
	http_reply_header(c, "Cache-Control", "no-cache");
	http_reply_header(c, "Vary", "Accept-Encoding");
	http_reply_etag(c, f->tag);
	return r;
}

static int get_docs(struct call *c)
{
	return reply_file(c, SLICE("docs"));
}

static int get_docs_file(struct call *c)
{
	struct buf name;
	int r;

	buf_init(&name, FILE_NAME_MAX);
	r = buf_append(&name, SLICE("docs/"));
	if (r >= 0)
		r = buf_append(&name, call_param(c, 0));
	r = r < 0 ? no_file(c)
		  : reply_file(c, buf_data(&name)); /* what is too long is no file's name */
	buf_free(&name);
	return r;
}

/* clang-format off */
const struct http_route web_routes[] = {
	{"GET", "/docs",        AUTH_NONE, 0, ROUTE_NO_TX | ROUTE_AT_ONCE, 0, get_docs},
	{"GET", "/docs/{file}", AUTH_NONE, 0, ROUTE_NO_TX | ROUTE_AT_ONCE, 0, get_docs_file},
};
/* clang-format on */
const size_t web_routes_n = ARRAY_LEN(web_routes);
