/* control/http/system.h - routes for operators' machines. */
#pragma once
#include "control/http/route.h"

extern const struct http_route system_routes[];
extern const size_t system_routes_n;
