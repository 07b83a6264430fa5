/* control/submission/routes.h - /v1/smtp-credentials and /v1/smtp-routes. */
#pragma once
#include "control/http/route.h"

extern const struct http_route submission_credential_routes[];
extern const size_t submission_credential_routes_n;
extern const struct http_route submission_route_routes[];
extern const size_t submission_route_routes_n;
