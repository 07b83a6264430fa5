/* control/federation/oidc.h - OpenID Connect: the kind, and what a configuration means.
 *
 *	{"preset": "google" | "microsoft", "tenant": ..., "issuer": ..., "client_id": ...,
 *	 "scopes": ..., "prompt": ..., "max_age": ..., "hosted_domain": ...}
 *
 * A preset knows the issuer and which claim says that an address was verified. */
#pragma once
#include "control/federation/kind.h"

extern const struct federation_kind oidc_kind;

enum { OIDC_ISSUER_MAX = 500, OIDC_URI_MAX = 300 };
/* The issuer that the tokens must be of; buf holds OIDC_ISSUER_MAX + 1. */
const char *oidc_issuer(const json_t *config, char *buf);
/* The claim that says that `email` was verified. */
const char *oidc_verified_claim(const json_t *config);
/* Where the provider sends the browser back to; "" without api.url.  buf holds OIDC_URI_MAX. */
const char *oidc_redirect_uri(const struct app *app, uint32_t org, uint64_t provider, char *buf);
