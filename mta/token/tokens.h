/* mta/token/tokens.h - bearer tokens of smart hosts (XOAUTH2), asked for at the provider's token
 * endpoint with a refresh token (RFC 6749 section 6) and kept until they expire.
 *
 *	a token is kept, and not near its end      it is good
 *	it is near its end                         it is good, and another one is asked for
 *	none, or it has expired                    it is asked for: TOKENS_ASKING
 *	the endpoint gave none                     TOKENS_FAILED, with why, for TOKENS_AGAIN_MS
 *	the host refuses it                        it is dropped, and another one is asked for once
 *
 * All lanes share them, and only one asks at a time: a refresh token that is used twice is taken
 * for a stolen one.  Where the endpoint gives another refresh token, it goes into the route's
 * token_file at once, or of a tenant's own route into ours (mta/token/rotated.h), and counts even
 * when the file cannot be written.
 *
 * Endpoints of tenants' own routes are hosts that a stranger named: only public addresses and those
 * of token.allow are asked, and TOKENS_FED_MAX at a time, one for each tenant, so that one that
 * never answers does not hold up the fetches of others.
 *
 * Guarantee: the endpoint is asked over HTTPS alone (mta/policy/fetch.h); tokens are in no log, and
 *            wiped where they are dropped.
 * Owns:    tokens_of() is the lane's.
 * Blocks:  on the route's files; writing the refresh token is the fetcher's.
 * Threads: the lane's.
 * Limits:  an entry for each route that was ever in force; tenants' own go with their routes. */
#pragma once
#include "mta/config/entries.h"
#include "mta/core/part.h"
#include "mta/policy/part.h"
#include "mta/route/routes.h"

enum {
	TOKENS_LOOK_MS = 100,
	TOKENS_AGAIN_MS = 10 * 1000,
	TOKENS_WHY_MAX = 256,
	TOKENS_FED_MAX = 4
};
enum tokens_state { TOKENS_GOOD, TOKENS_ASKING, TOKENS_FAILED };

struct token_options {
	char *allow_list;
	struct net_list allowed; /* from allow_list */
};
extern const struct option_set token_option_set;

struct tokens;
extern const struct part tokens_part;
struct tokens *tokens_of(struct lane *l);
/* TOKENS_GOOD: it is in a->auth.secret.  TOKENS_FAILED: ret_why says why, to a postmaster. */
enum tokens_state tokens_get(struct tokens *t, const struct smart_route *r, struct smart_auth *a,
			     char ret_why[TOKENS_WHY_MAX]);
/* The host took it. */
void tokens_proved(struct tokens *t, const struct smart_route *r);
/* The host refused this one.  True: another one is asked for now; false: this was that other one,
 * and it is for the postmaster to look. */
bool tokens_refused(struct tokens *t, const struct smart_route *r, struct slice token);
