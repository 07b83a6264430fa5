/* mta/route/routes.h - smart hosts: whose mail goes to which host:port instead of the domain's own
 * hosts, under which TLS, and as whom (postern-routes(5)).  Tenants have routes of their own:
 * mta/route/fed.h.
 *
 *	file    = *( line LF )                             "#" begins a comment
 *	line    = "[" name "]" / key "=" value
 *	key     = "host" / "port" / "mx" / "tls" / "auth" / "credentials" / "token_file"
 *	        / "token_url" / "domain" / "tenant" / "pool" / "stream"
 *
 * The last four are lists of who is meant.  The first route that fits counts; all its lists must,
 * and of a list one entry.  A domain is a name, "*.name" for those below it, or "*".
 *
 * Guarantee: AUTH needs tls = verify.  Files of credentials and tokens that others can read are
 *            refused.  Secrets are wiped when they are given back, and never shown.
 * Owns:    routes are an option's, counted: smart_route_ref(), smart_route_unref().
 * Blocks:  smart_auth_new() and reading on the disk.
 * Threads: any; a route never changes.
 * Limits:  ROUTES_MAX routes, ROUTES_LIST_MAX entries of a list, SMART_FILE_MAX bytes of a file. */
#pragma once
#include <stdatomic.h>

#include "base/settings.h"
#include "mta/smtp/auth.h"
#include "mta/smtp/tls_word.h"

enum { ROUTES_MAX = 256, ROUTES_LIST_MAX = 64, SMART_FILE_MAX = 256 * 1024 };

enum smart_list { SMART_DOMAINS, SMART_TENANTS, SMART_POOLS, SMART_STREAMS, SMART_LISTS };
struct smart_route {
	_Atomic unsigned refs;
	char *name, *host, *credentials, *token_file, *token_url;
	uint16_t port;
	bool mx;          /* the host's MX records are asked for */
	bool tls_at_once; /* before the greeting */
	enum tls_word tls;
	enum auth_mechanism auth;
	char *lists[SMART_LISTS][ROUTES_LIST_MAX];
	unsigned n[SMART_LISTS];
	uint64_t print; /* of all that matters to a connection */

	/* Of a tenant's own (mta/route/fed.h): whose, its number, and what a file of credentials
	 * would hold. */
	uint64_t tenant, id;
	char *secret;
};
struct smart_route *smart_route_ref(struct smart_route *r);
struct smart_route *smart_route_unref(struct smart_route *r); /* takes NULL, gives NULL */

struct routes {
	unsigned n;
	struct smart_route *at[ROUTES_MAX];
};
extern const struct option_set routes_option_set;
static inline const struct routes *routes_of(const struct settings *s)
{
	return settings_of(s, &routes_option_set);
}
/* Adds a file's routes.  E_SYNTAX: error (OPTION_ERROR_MAX) says where and why. */
int routes_parse(struct routes *r, struct slice text, const char *name, char *error) MUST_CHECK;
void routes_clear(struct routes *r);

static inline bool smart_route_is_fed(const struct smart_route *r)
{
	return r->tenant != 0;
}

/* Do both name the same whom? */
bool routes_same_whom(const struct smart_route *a, const struct smart_route *b);

struct smart_subject {
	struct slice domain, pool, stream;
	uint64_t tenant;
};
/* NULL: the domain's own hosts. */
struct smart_route *routes_find(const struct routes *r, const struct smart_subject *q);
struct smart_route *routes_named(const struct routes *r, struct slice name);

/* Who we are to the host, read from the files anew: a token may be another one. */
struct smart_auth {
	struct session_auth auth;
	struct buf bytes;
};
struct smart_auth *smart_auth_free(struct smart_auth *a); /* takes NULL, gives NULL */
/* What a file of credentials says; *a shows into the text.  E_SYNTAX, E_LIMIT. */
int smart_auth_read(struct session_auth *a, struct slice text) MUST_CHECK;
/* 0 with NULL: the route needs none.  E_DENIED: others can read the file; E_SYNTAX: something is
 * missing in it. */
int smart_auth_new(struct smart_auth **ret, const struct smart_route *r) MUST_CHECK;
/* The token of a route with a token_url, which smart_auth_new() leaves out (mta/token). */
void smart_auth_token(struct smart_auth *a, struct slice token);
/* Appends a file that only its owner and group may read; *ret is where, while the buf does not
 * move. */
int smart_secret_read(const char *path, struct buf *bytes, struct slice *ret) MUST_CHECK;
