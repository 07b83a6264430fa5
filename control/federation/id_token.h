/* control/federation/id_token.h - what an ID token must say before it is believed (OpenID Connect
 * Core 1.0, 3.1.3.7), once its signature was right.
 *
 * Fails:   E_DENIED, and `why` says which claim.
 * Threads: any.
 * Limits:  clocks may differ by ID_TOKEN_SKEW_S; a token is taken for ten minutes after it was
 *          issued, whatever it says of its end. */
#pragma once
#include <jansson.h>

#include "control/federation/arrived.h"

enum { ID_TOKEN_SKEW_S = 60, ID_TOKEN_LIFE_S = 600 };
struct id_token_terms {
	const char *issuer, *client_id, *nonce;
	const char *hosted_domain; /* what "hd" must be; "": whatever */
	int64_t max_age;           /* seconds since the person showed who they are; < 0: whatever */
	int64_t now;               /* seconds since 1970 */
};
int id_token_check(const json_t *claims, const struct id_token_terms *t,
		   const char **why) MUST_CHECK;
/* Whom it, or an answer of the userinfo endpoint, is about; provider stays 0.  The slices are the
 * claims'. */
void id_token_person(const json_t *claims, const char *verified_claim,
		     struct federation_person *ret);
