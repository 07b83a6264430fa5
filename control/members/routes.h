/* control/members/routes.h - /v1/me, /v1/members and /v1/auth/switch. */
#pragma once
#include "control/http/route.h"

extern const struct http_route members_me_routes[];
extern const size_t members_me_routes_n;
extern const struct http_route members_factor_routes[];
extern const size_t members_factor_routes_n;
extern const struct http_route members_address_routes[];
extern const size_t members_address_routes_n;
extern const struct http_route members_routes[];
extern const size_t members_routes_n;
extern const struct http_route members_organisation_routes[];
extern const size_t members_organisation_routes_n;
extern const struct http_route members_avatar_routes[];
extern const size_t members_avatar_routes_n;
