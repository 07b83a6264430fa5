/* control/routes.c - every table of routes and the listeners it is reached on. */
#include "control/auth/session.h"
#include "control/domains/domains.h"
#include "control/http/system.h"
#include "control/org/org.h"

const struct route_table route_tables[] = {
	{system_routes, &system_routes_n, LISTEN_API | LISTEN_ADMIN},
	{auth_routes,   &auth_routes_n,   LISTEN_API               },
	{me_routes,     &me_routes_n,     LISTEN_API               },
	{key_routes,    &key_routes_n,    LISTEN_API               },
	{member_routes, &member_routes_n, LISTEN_API               },
	{domain_routes, &domain_routes_n, LISTEN_API               },
	{org_routes,    &org_routes_n,    LISTEN_API               },
	{admin_routes,  &admin_routes_n,  LISTEN_ADMIN             },
};
const size_t route_tables_n = ARRAY_LEN(route_tables);
