/* control/federation/oidc_party.h - what a provider says of itself: its endpoints (OpenID Connect
 * Discovery 1.0) and its keys.
 *
 * Both are kept for an hour, by organisation and issuer.  A token signed with a key that is not
 * among them has them asked for again, at most once in federation.key_wait.  A provider that failed
 * is not asked again for some seconds.
 *
 * Guarantee: the document is the issuer's own: its `issuer` is the one that was asked.
 * Guarantee: every endpoint has the issuer's scheme.
 * Blocks:    on the network; call it outside of a transaction.
 * Fails:     as control/federation/fetch.h; `why` says what.
 * Threads:   any.
 * Limits:    the parties of the last PARTIES_MAX organisations and issuers are kept. */
#pragma once
#include "control/federation/fetch.h"

enum { PARTIES_MAX = 256, PARTY_URL_MAX = 1000 };
struct oidc_party {
	json_t *document, *keys; /* shared with others: read only */
};
void oidc_party_clear(struct oidc_party *p);
int oidc_party_read(const struct app *app, uint32_t org, const char *issuer, struct oidc_party *ret,
		    char why[FEDERATION_WHY_MAX]) MUST_CHECK;
/* The keys once more, if they are not fresh; else E_UNKNOWN. */
int oidc_party_renew(const struct app *app, uint32_t org, const char *issuer, struct oidc_party *p,
		     char why[FEDERATION_WHY_MAX]) MUST_CHECK;
/* "" when there is none. */
const char *oidc_party_endpoint(const struct oidc_party *p, const char *name);
bool oidc_party_says(const struct oidc_party *p, const char *name); /* true, not absent */
/* Is this word in a list of the document; `absent`: when there is no list. */
bool oidc_party_lists(const struct oidc_party *p, const char *list, const char *word, bool absent);
