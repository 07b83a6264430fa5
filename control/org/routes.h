/* control/org/routes.h - /v1/org and /v1/audit. */
#pragma once
#include "control/http/route.h"

extern const struct http_route org_routes[];
extern const size_t org_routes_n;
