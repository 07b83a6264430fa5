/* control/public/routes.h - what recipients of mail reach without a login. */
#pragma once
#include "control/http/call.h"

extern const struct route public_routes[];
extern const size_t public_routes_n;
