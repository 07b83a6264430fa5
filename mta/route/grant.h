/* mta/route/grant.h - what a route asks a token endpoint with: RFC 6749 section 6, refresh_token.
 *
 *	credentials = *( ( "user" / "client_id" / "client_secret" / "scope" ) "=" value LF )
 *	token_file  = the refresh token alone
 *
 * A tenant's own route has no file, and "refresh_token" among its credentials.
 *
 * Guarantee: the bytes are wiped when they are given back.
 * Owns:    grant_new() gives the caller the grant.
 * Blocks:  on the two files.
 * Fails:   E_DENIED: others can read one of them; E_SYNTAX: something is missing; -errno. */
#pragma once
#include "mta/route/routes.h"

struct grant {
	struct slice user, client_id, client_secret, scope; /* secret and scope may be empty */
	struct slice refresh;
	struct buf bytes;
};
struct grant *grant_free(struct grant *g); /* takes NULL, gives NULL */
int grant_new(struct grant **ret, const struct smart_route *r) MUST_CHECK;
/* What a file of credentials says; the slices show into the text. */
int grant_read(struct grant *g, struct slice text) MUST_CHECK;
/* The body of the request, application/x-www-form-urlencoded; `refresh` is the token to use. */
void grant_form(const struct grant *g, struct slice refresh, struct buf *out);
