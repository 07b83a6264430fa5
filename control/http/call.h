/* control/http/call.h - one request as its handler sees it: who asks, what for, and the reply.
 * Owns:    the server owns the call; whatever a handler is given lives until it returns.
 *          reply_* take the json they are given.
 * Fails:   a handler that returns a negative code without a reply is answered for:
 *            E_UNKNOWN 404, E_EXISTS 409, E_CONFLICT 409, E_SYNTAX 400, E_LIMIT 413, E_DENIED 403,
 *            E_FULL, E_TIMEOUT, E_DB 503 with Retry-After, everything else 500 and a line in the
 * log. Threads: one at a time. */
#pragma once
#include <jansson.h>

#include "control/app/app.h"
#include "control/auth/permit.h"
#include "control/http/ids.h"
#include "control/http/route.h"

enum actor_kind { ACTOR_USER = 1, ACTOR_KEY, ACTOR_PLATFORM, ACTOR_NOBODY }; /* audit.actor_kind */
struct actor {
	enum actor_kind kind;
	uint32_t org; /* 0: none */
	uint64_t id;  /* of the user or key */
	uint64_t session;
	uint64_t permits;
	enum role role;
	bool suspended;
};

enum { REQUEST_ID_MAX = 32, REPLY_HEADERS_MAX = 8, PROBLEM_ITEMS_MAX = 50 };
struct call_request; /* what the server keeps; control/http/private.h */
struct call {
	struct app *app;
	struct db *db; /* as cp_api; inside the organisation's transaction */
	const struct http_route *route;
	struct actor actor;
	char request_id[REQUEST_ID_MAX];
	struct ip ip;
	json_t *body; /* an object, or NULL when there was none */
	struct call_request *request;
};

/* A call that no request made: a worker does what a handler does, as the platform, for one
 * organisation.  param is the first path parameter and must outlive the call. */
struct call *call_new(struct app *app, struct db *db, uint32_t org, struct slice param);
struct call *call_free(struct call *c);

/* The request. */
struct slice call_param(const struct call *c, unsigned n); /* path parameter, decoded */
int call_id(const struct call *c, unsigned n, enum id_kind kind,
	    uint64_t *ret) MUST_CHECK;                           /* E_UNKNOWN */
struct slice call_query(const struct call *c, const char *name); /* empty when absent; decoded */
bool call_has_query(const struct call *c, const char *name);
struct slice call_header(const struct call *c, const char *name); /* empty when absent */
struct slice call_cookie(const struct call *c, const char *name); /* empty when absent */
struct slice call_raw_body(const struct call *c);
struct slice call_method(const struct call *c);
struct slice call_path(const struct call *c);
/* An upload: the file, and its size.  Removed after the call unless call_keep_upload() took it. */
const char *call_upload(const struct call *c, int64_t *ret_bytes);
void call_keep_upload(struct call *c);

/* The reply.  Each returns 0 so that a handler can end with it. */
int http_reply_json(struct call *c, unsigned status, json_t *json); /* takes json; NULL is a 500 */
int http_reply_empty(struct call *c, unsigned status);
int http_reply_bytes(struct call *c, unsigned status, const char *type,
		     struct slice bytes); /* copied */
void http_reply_header(struct call *c, const char *name, const char *format, ...) PRINTF(3, 4);
void http_reply_etag(struct call *c, int64_t version);

/* Refusals, RFC 9457; return E_ANSWERED.  problem_add() collects what is wrong with members and
 * problem_end() refuses with 422 when there was any, else returns 0. */
int problem(struct call *c, unsigned status, const char *code, const char *format, ...)
    PRINTF(4, 5);
void problem_add(struct call *c, const char *pointer, const char *code, const char *format, ...)
    PRINTF(4, 5);
int problem_end(struct call *c) MUST_CHECK;
unsigned problem_count(const struct call *c);

/* If-Match against the version of the row: 0, or 412 and E_ANSWERED.  Without the header 0. */
int call_if_match(struct call *c, int64_t version) MUST_CHECK;
/* One try of those an address has for passwords (ROUTE_BRAKED takes it at the door): 0, or 429 and
 * E_ANSWERED. */
int call_brake(struct call *c) MUST_CHECK;

/* Pages: ?limit=1..200 and ?after=cursor.  Ask the database for page.limit + 1 rows beyond
 * (page.text, page.id), put at most page.limit into data, and say whether there was one more. */
struct page {
	int64_t limit;
	bool first; /* no cursor was given: id is 0 and text empty */
	int64_t id;
	struct slice text;
	char text_buf[512];
};
int page_read(struct call *c, struct page *ret) MUST_CHECK; /* 400 and E_ANSWERED */
/* {"data": [...], "next": cursor or null}; last_* are of the last row in data. */
int page_reply(struct call *c, const struct page *p, json_t *data, bool more, int64_t last_id,
	       struct slice last_text) MUST_CHECK;

/* Pieces of JSON. */
json_t *api_id(enum id_kind kind, uint64_t id); /* null for 0 */
json_t *api_text(struct slice s);
json_t *api_time(int64_t ms);                                   /* RFC 3339; null for 0 */
int api_time_parse(struct slice s, int64_t *ret_ms) MUST_CHECK; /* RFC 3339, any offset; E_SYNTAX */
