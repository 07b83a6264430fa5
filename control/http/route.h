/* control/http/route.h - routes: one row says method, path, who may call and how it is answered.
 * tests/house holds the rows and schema/openapi.yaml together, both ways. */
#pragma once
#include "base/base.h"

struct call;
enum { ROUTE_PARAMS_MAX = 3, BODY_MAX_DEFAULT = 1024 * 1024 };

enum route_auth {
	AUTH_NONE,     /* anybody; no organisation, no transaction */
	AUTH_MEMBER,   /* session or API key that holds `permit` (0: any) */
	AUTH_SESSION,  /* a person's session, not a key */
	AUTH_PLATFORM, /* the platform's token, on the admin listener */
};
enum route_flag {
	ROUTE_IDEMPOTENT = 1,      /* honours Idempotency-Key */
	ROUTE_IF_MATCH = 2,        /* refused with 428 without If-Match */
	ROUTE_UPLOAD = 4,          /* body goes to a file as it comes: call_upload() */
	ROUTE_NO_TX = 8,           /* handler opens its own transactions with db_tx() */
	ROUTE_BRAKED = 16,         /* counts against the address's budget of logins and sign-ups */
	ROUTE_BODY_ANY = 32,       /* body is not JSON: call_raw_body() */
	ROUTE_NO_BODY = 64,        /* a POST that takes no JSON members: body may be absent */
	ROUTE_SUSPENDED_TOO = 128, /* a change that is also open to a suspended organisation */
};
enum route_listener { LISTEN_API = 1, LISTEN_PUBLIC = 2, LISTEN_ADMIN = 4 };

/* Guarantee: the handler runs inside one transaction of the caller's organisation; a reply below
 * 400 commits it, everything else rolls it back.  It may be run again after a serialization
 * failure. Returns 0 when it replied, or a negative code: E_ANSWERED after problem(), others as
 * call.h says. */
struct route {
	const char *method, *path; /* "/v1/lists/{list_id}" */
	enum route_auth auth;
	uint64_t permit; /* control/auth/permit.h */
	unsigned flags;
	size_t body_max; /* 0: BODY_MAX_DEFAULT; uploads: http.upload_max */
	int (*handle)(struct call *c);
};

/* Tables of the modules; control/routes.c lists them with their listeners. */
struct route_table {
	const struct route *rows;
	const size_t *n;
	unsigned listeners; /* enum route_listener, or-ed */
};
extern const struct route_table route_tables[];
extern const size_t route_tables_n;

struct route_match {
	const struct route *route;
	struct slice params[ROUTE_PARAMS_MAX]; /* as in the path, still percent-encoded */
	unsigned allowed; /* of a path that exists: bits of methods[], for Allow */
};
extern const char *const route_methods[];
extern const size_t route_methods_n;
/* 0, E_UNKNOWN (no such path), E_DENIED (path exists, the method does not). */
int route_find(enum route_listener listener, struct slice method, struct slice path,
	       struct route_match *ret) MUST_CHECK;
/* Number of a route among all, for counters. */
unsigned route_number(const struct route *route);
unsigned route_count(void);
const struct route *route_at(unsigned number, unsigned *ret_listeners);
/* One line a route on standard output: method, path, auth, permission, listeners, flags; by tabs.
 */
void routes_print(void);
