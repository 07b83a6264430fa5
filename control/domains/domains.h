/* control/domains/domains.h - sending domains: what must stand in DNS, and whether it does. */
#pragma once
#include "control/http/route.h"

extern const struct route domain_routes[];
extern const size_t domain_routes_n;
