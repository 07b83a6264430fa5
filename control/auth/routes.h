/* control/auth/routes.h - /v1/auth, /v1/me/proof, /v1/keys, /v1/oauth and /v1/roles. */
#pragma once
#include "control/http/route.h"

extern const struct http_route auth_routes[];
extern const size_t auth_routes_n;
extern const struct http_route auth_arrival_routes[];
extern const size_t auth_arrival_routes_n;
extern const struct http_route auth_role_routes[];
extern const size_t auth_role_routes_n;
extern const struct http_route auth_proof_routes[];
extern const size_t auth_proof_routes_n;
extern const struct http_route auth_key_routes[];
extern const size_t auth_key_routes_n;
extern const struct http_route auth_oauth_routes[];
extern const size_t auth_oauth_routes_n;
