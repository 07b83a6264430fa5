/* control/org/org.h - the organisation itself, its audit, and the platform's view of all of them.
 */
#pragma once
#include "control/http/route.h"

extern const struct http_route org_routes[];
extern const size_t org_routes_n;
extern const struct http_route platform_routes[]; /* admin listener only */
extern const size_t platform_routes_n;
