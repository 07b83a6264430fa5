/* control/platform/routes.h - /v1/admin, on the admin listener: the operators' view of all
 * organisations. */
#pragma once
#include "control/http/route.h"

extern const struct http_route platform_routes[];
extern const size_t platform_routes_n;
extern const struct http_route platform_factor_routes[];
extern const size_t platform_factor_routes_n;
