/* control/http/route.h - routes: one row says method, path, who may call and how it is answered.
 * What a request may hold is in schema/openapi.yaml alone: control/http/contract.c asks it.
 * tests/house/check_routes compares the rows with the document, both ways. */
#pragma once
#include "base/base.h"

struct call;
enum { ROUTE_PARAMS_MAX = 3, BODY_MAX_DEFAULT = 1024 * 1024 };

enum http_route_auth {
	AUTH_NONE,     /* anybody; no organisation, no transaction */
	AUTH_MEMBER,   /* session or API key that holds `permit` (0: any) */
	AUTH_SESSION,  /* a person's session, not a key */
	AUTH_PLATFORM, /* the platform's token, on the admin listener */
};
enum http_route_flag {
	ROUTE_IDEMPOTENT = 1,       /* honours Idempotency-Key */
	ROUTE_IF_MATCH = 2,         /* refused with 428 without If-Match */
	ROUTE_UPLOAD = 4,           /* body goes to a file as it comes: call_upload() */
	ROUTE_NO_TX = 8,            /* handler opens its own transactions with db_tx() */
	ROUTE_BRAKED = 16,          /* takes one of the client address's logins and sign-ups */
	ROUTE_BODY_ANY = 32,        /* body is not JSON: call_raw_body() */
	ROUTE_NO_BODY = 64,         /* a POST that takes no JSON members: body may be absent */
	ROUTE_SUSPENDED_TOO = 128,  /* a change that is also open to a suspended organisation */
	ROUTE_AT_ONCE = 256,        /* answered without a worker and without the database */
	ROUTE_ENROLLING_TOO = 1024, /* open to a member who must set up a second factor first */
	ROUTE_COSTLY = 512,         /* counts for many requests: control/http/limits.c */
	ROUTE_REAL = 2048,          /* mail leaves by it: not for test keys */
};
enum http_route_listener { LISTEN_API = 1, LISTEN_PUBLIC = 2, LISTEN_ADMIN = 4 };

/* Guarantee: the handler runs inside one transaction of the caller's organisation.  A reply below
 * 400 commits it, everything else rolls it back.  It may run again after a serialization failure.
 * The handler returns 0 when it replied, or a negative code: E_ANSWERED after problem(), others as
 * control/http/call.h says. */
struct http_route {
	const char *method, *path; /* "/v1/lists/{list_id}" */
	enum http_route_auth auth;
	uint64_t permit; /* bits; http_gate.permit_name() says which */
	unsigned flags;
	size_t body_max; /* 0: BODY_MAX_DEFAULT; uploads: http.upload_max */
	int (*handle)(struct call *c);
};

/* A room's table; control/routes.c lists all of them with their listeners. */
struct http_route_table {
	const struct http_route *rows;
	const size_t *n;
	unsigned listeners; /* enum http_route_listener, or-ed */
};
extern const struct http_route_table http_route_tables[];
extern const size_t http_route_tables_n;

struct http_route_match {
	const struct http_route *route;
	struct slice params[ROUTE_PARAMS_MAX]; /* as in the path, still percent-encoded */
	unsigned allowed; /* of a path that exists: bits of methods[], for Allow */
};
extern const char *const http_route_methods[];
extern const size_t http_route_methods_n;
/* "GET, PATCH"; buf holds ROUTE_METHODS_TEXT_MAX. */
enum { ROUTE_METHODS_TEXT_MAX = 64 };
char *http_route_methods_text(unsigned methods, char *buf);
/* 0, E_UNKNOWN (no such path), E_DENIED (path exists, the method does not). */
int http_route_find(enum http_route_listener listener, struct slice method, struct slice path,
		    struct http_route_match *ret) MUST_CHECK;
/* Number of a route among all, for counters. */
unsigned http_route_number(const struct http_route *route);
unsigned http_route_count(void);
const struct http_route *http_route_at(unsigned number, unsigned *ret_listeners);
/* Prints one line per route: method, path, auth, permission, listeners, flags, between
 * tabs. */
struct http_gate;
void http_route_print(const struct http_gate *gate);
