/* control/http/call.h - one request as its handler sees it: who asks, and what for.  Handlers
 * answer with control/http/reply.h, problem.h or page.h.
 *
 * Owns:    the server owns the call; what a handler is given lives until the handler returns.
 * Fails:   when a handler returns a negative code without a reply, the server replies:
 *            E_UNKNOWN                404
 *            E_EXISTS, E_CONFLICT     409
 *            E_SYNTAX                 400
 *            E_LIMIT                  413
 *            E_DENIED                 403
 *            E_FULL, E_TIMEOUT, E_DB  503 with Retry-After
 *            everything else          500 and a line in the log
 * Threads: one at a time. */
#pragma once
#include <jansson.h>

#include "base/address.h"
#include "control/app/app.h"
#include "control/http/brake.h"
#include "control/http/certificate.h"
#include "control/http/ids.h"
#include "control/http/route.h"

enum actor_kind { ACTOR_USER = 1, ACTOR_KEY, ACTOR_PLATFORM, ACTOR_NOBODY }; /* audit.actor_kind */
struct actor {
	enum actor_kind kind;
	uint32_t org; /* 0: none */
	uint64_t id;  /* of the user or key */
	uint64_t session;
	uint64_t permits;
	bool suspended;
	bool proved;     /* the person showed a moment ago that they are there */
	bool own;        /* came with a password of their own, not as their organisation says */
	bool enrolling;  /* may do nothing but set up a second factor */
	bool test;       /* a test key: what it sends goes nowhere */
	bool old_secret; /* of a key that was regenerated */
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

/* A call without a request: a worker does what a handler does, as the platform, for one
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
struct slice call_cookie(const struct call *c, const char *name); /* exactly so; or empty */
/* What the client has shown on this connection; NULL: nothing. */
const struct http_certificate *call_certificate(const struct call *c);
struct slice call_raw_body(const struct call *c);
struct slice call_method(const struct call *c);
struct slice call_path(const struct call *c);
/* An upload: the file, and its size.  Removed after the call unless call_keep_upload() took it. */
const char *call_upload(const struct call *c, int64_t *ret_bytes);
void call_keep_upload(struct call *c);

/* Compares If-Match with the row's version: 0, or 412 and E_ANSWERED.  Without the header 0.  A
 * change that is not compared with anything is refused when it has the header. */
int call_if_match(struct call *c, int64_t version) MUST_CHECK;
/* Takes one of the tries for passwords that an address has: 0, or 429 and E_ANSWERED.  ROUTE_BRAKED
 * takes it before the handler. */
int call_brake(struct call *c) MUST_CHECK;
/* Takes one of the wrong credentials that an address may send; a handler calls it after it refused
 * one that no header has. */
int call_brake_wrong(struct call *c) MUST_CHECK;
/* The same of any rule and key; "too many <what>: try again in 7 s". */
int call_limit(struct call *c, const struct http_brake_rule *rule, struct slice key, unsigned cost,
	       const char *what) MUST_CHECK;
