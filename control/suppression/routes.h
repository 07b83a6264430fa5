/* control/suppression/routes.h - /v1/suppressions. */
#pragma once
#include "control/http/route.h"

extern const struct http_route suppression_routes[];
extern const size_t suppression_routes_n;
