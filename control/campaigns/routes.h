/* control/campaigns/routes.h - /v1/campaigns: the documents, the actions on them, the reports. */
#pragma once
#include "control/http/route.h"

extern const struct http_route campaigns_routes[];
extern const size_t campaigns_routes_n;
extern const struct http_route campaigns_action_routes[];
extern const size_t campaigns_action_routes_n;
extern const struct http_route campaigns_recipient_routes[];
extern const size_t campaigns_recipient_routes_n;
extern const struct http_route campaigns_report_routes[];
extern const size_t campaigns_report_routes_n;
