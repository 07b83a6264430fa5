/* control/campaigns/routes.h - /v1/campaigns: the document, what is done with it, what came of
 * it. */
#pragma once
#include "control/http/route.h"

extern const struct http_route campaigns_routes[];
extern const size_t campaigns_routes_n;
extern const struct http_route campaigns_action_routes[];
extern const size_t campaigns_action_routes_n;
extern const struct http_route campaigns_report_routes[];
extern const size_t campaigns_report_routes_n;
