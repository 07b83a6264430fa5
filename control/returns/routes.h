/* control/returns/routes.h - /v1/returns. */
#pragma once
#include "control/http/route.h"

extern const struct http_route returns_routes[];
extern const size_t returns_routes_n;
