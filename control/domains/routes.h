/* control/domains/routes.h - /v1/domains. */
#pragma once
#include "control/http/route.h"

extern const struct http_route domain_routes[];
extern const size_t domain_routes_n;
