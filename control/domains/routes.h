/* control/domains/routes.h - /v1/domains. */
#pragma once
#include "control/http/route.h"

extern const struct http_route domains_routes[];
extern const size_t domains_routes_n;
