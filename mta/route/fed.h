/* mta/route/fed.h - smart hosts of tenants who bring their own SMTP service, as the control plane
 * tells them (SMART_ROUTE of schema/wire/facts.h; mta/senders keeps them).
 *
 *	text = *( line LF ) [ LF credentials ]    as in a file of routes and a file of credentials;
 *	                                          of keys, "host", "port", "tls", "auth", "domain",
 *	                                          "token_url"; with it, credentials are those of
 *	                                          mta/route/grant.h with "refresh_token"
 *
 * Guarantee: such a route is for mail of its own tenant alone, whatever its text says, and reads no
 *            file.  Its name is "tTENANT/rID", which no route of a file can have.
 * Owns:    smart_fed_now() gives a reference to all that are known now; smart_fed_unref() takes it
 *          back.  What it holds never changes.
 * Blocks:  smart_fed_now() on a short lock.
 * Threads: any.
 * Limits:  a token_url has no port of its own: tenants do not choose whom we knock at.
 *          FED_ROUTES_MAX routes of a tenant count, those with the lowest ids. */
#pragma once
#include "mta/core/part.h"
#include "mta/route/routes.h"
#include "schema/wire/facts.h"

enum { FED_ROUTES_MAX = 32 };

struct smart_fed {
	_Atomic unsigned refs;
	unsigned n;
	struct smart_route *at[]; /* by tenant and id, a reference each */
};
extern const struct part route_part;
struct smart_fed *smart_fed_now(struct engine *e);
struct smart_fed *smart_fed_unref(struct smart_fed *f); /* takes NULL, gives NULL */
/* The first of the subject's tenant that fits; NULL: none does. */
struct smart_route *smart_fed_find(const struct smart_fed *f, const struct smart_subject *q);
bool smart_fed_has(const struct smart_fed *f, uint64_t tenant, uint64_t id);
struct smart_route *smart_fed_named(const struct smart_fed *f, struct slice name);

/* NULL: the text makes no route, and *why says so. */
struct smart_route *smart_fed_route(const struct wire_fact *f, const char **why);
