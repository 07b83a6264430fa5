/* control/federation/routes.h - /v1/identity-providers, /v1/org/sign-in, /v1/auth/federation,
 * /v1/auth/oidc, /v1/auth/saml and /v1/me/identities. */
#pragma once
#include "control/http/route.h"

extern const struct http_route federation_provider_routes[];
extern const size_t federation_provider_routes_n;
extern const struct http_route federation_sign_in_routes[];
extern const size_t federation_sign_in_routes_n;
extern const struct http_route federation_enter_routes[];
extern const size_t federation_enter_routes_n;
extern const struct http_route federation_sp_routes[];
extern const size_t federation_sp_routes_n;
extern const struct http_route federation_acs_routes[];
extern const size_t federation_acs_routes_n;
extern const struct http_route federation_identity_routes[];
extern const size_t federation_identity_routes_n;
extern const struct http_route oidc_routes[];
extern const size_t oidc_routes_n;
