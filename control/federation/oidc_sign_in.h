/* control/federation/oidc_sign_in.h - the authorization code flow (OpenID Connect Core 1.0, 3.1)
 * with PKCE S256 (RFC 7636): what is asked of the provider, and what its answer is worth.
 *
 * nonce and verifier follow from the journey's secret and a key of the instance: nothing of them is
 * stored, and who sees the state in an address cannot make them.
 *
 * Blocks: on the network; call it outside of a transaction. */
#pragma once
#include "control/federation/journey.h"
#include "control/federation/oidc_party.h"
#include "control/federation/provider.h"

/* Where the browser is sent: the provider's endpoint with the request. */
void oidc_sign_in_url(const struct call *c, const struct federation_provider *p,
		      const struct oidc_party *party, const struct journey *j, const char *state,
		      struct buf *out);
/* What a code stands for.  The person's slices are of *ret_claims, which is the caller's.
 * Fails: as control/federation/fetch.h and jws.h; `why` says what went wrong. */
int oidc_sign_in_redeem(const struct call *c, const struct federation_provider *p,
			struct oidc_party *party, const struct journey *j, struct slice code,
			struct federation_person *ret, json_t **ret_claims,
			char why[FEDERATION_WHY_MAX]) MUST_CHECK;
