/* control/contacts/routes.h - the route tables of contacts, and what their handlers share. */
#pragma once
#include "control/http/call.h"

extern const struct http_route contact_routes[], contact_field_routes[], list_routes[],
    import_routes[];
extern const size_t contact_routes_n, contact_field_routes_n, list_routes_n, import_routes_n;

/* Notes that a list grew or shrank by n; sums the notes now and then. */
int contact_list_grow(struct db *db, uint32_t org, uint64_t list, int64_t n) MUST_CHECK;
