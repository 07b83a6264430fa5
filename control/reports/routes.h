/* control/reports/routes.h - /v1/domains/{domain_id}/dmarc and /tls-reports. */
#pragma once
#include "control/http/route.h"

extern const struct http_route reports_routes[];
extern const size_t reports_routes_n;
