/* control/routes.c - every table of routes and the listeners it is reached on. */
#include "control/http/system.h"

const struct route_table route_tables[] = {
	{system_routes, &system_routes_n, LISTEN_API | LISTEN_ADMIN},
};
const size_t route_tables_n = ARRAY_LEN(route_tables);
