/* control/contacts/routes.h - /v1/contacts, /v1/fields, /v1/lists and /v1/imports. */
#pragma once
#include "control/http/route.h"

extern const struct http_route contact_routes[];
extern const size_t contact_routes_n;
extern const struct http_route contact_field_routes[];
extern const size_t contact_field_routes_n;
extern const struct http_route list_routes[];
extern const size_t list_routes_n;
extern const struct http_route import_routes[];
extern const size_t import_routes_n;
