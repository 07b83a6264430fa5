/* control/templates/routes.h - /v1/templates and /v1/render. */
#pragma once
#include "control/http/route.h"

extern const struct http_route templates_routes[];
extern const size_t templates_routes_n;
