/* control/platform/routes.h - /v1/admin: the operators' view of all organisations, on the admin
 * listener. */
#pragma once
#include "control/http/route.h"

extern const struct http_route platform_routes[];
extern const size_t platform_routes_n;
