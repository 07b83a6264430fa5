/* control/http/routes.h - /health, /ready, /metrics for monitoring, and the API's document. */
#pragma once
#include "control/http/route.h"

extern const struct http_route http_system_routes[];
extern const size_t http_system_routes_n;
