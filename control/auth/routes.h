/* control/auth/routes.h - /v1/auth, /v1/me, /v1/keys and /v1/members. */
#pragma once
#include "control/http/route.h"

extern const struct http_route auth_routes[];
extern const size_t auth_routes_n;
extern const struct http_route me_routes[];
extern const size_t me_routes_n;
extern const struct http_route key_routes[];
extern const size_t key_routes_n;
extern const struct http_route member_routes[];
extern const size_t member_routes_n;
