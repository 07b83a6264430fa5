/* control/tracking/routes.h - what recipients of mail reach without a login. */
#pragma once
#include "control/http/route.h"

extern const struct http_route tracking_routes[];
extern const size_t tracking_routes_n;
