/* control/contacts/routes.h - /v1/contacts, /v1/fields, /v1/lists and /v1/imports. */
#pragma once
#include "control/http/route.h"

extern const struct http_route contacts_routes[];
extern const size_t contacts_routes_n;
extern const struct http_route contacts_field_routes[];
extern const size_t contacts_field_routes_n;
extern const struct http_route contacts_list_routes[];
extern const size_t contacts_list_routes_n;
extern const struct http_route contacts_import_routes[];
extern const size_t contacts_import_routes_n;
