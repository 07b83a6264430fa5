/* control/org/org.h - the organisation itself, its audit, and the platform's view of all of them.
 */
#pragma once
#include "control/http/route.h"

extern const struct route org_routes[];
extern const size_t org_routes_n;
extern const struct route admin_routes[]; /* admin listener only */
extern const size_t admin_routes_n;
