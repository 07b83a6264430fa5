/* control/signup/routes.h - /v1/auth/signup. */
#pragma once
#include "control/http/route.h"

extern const struct http_route signup_routes[];
extern const size_t signup_routes_n;
