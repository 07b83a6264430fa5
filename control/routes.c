/* control/routes.c - every table of routes and the listeners it is reached on. */
#include "control/auth/routes.h"
#include "control/campaigns/routes.h"
#include "control/contacts/routes.h"
#include "control/domains/routes.h"
#include "control/http/routes.h"
#include "control/org/routes.h"
#include "control/platform/routes.h"
#include "control/suppression/routes.h"
#include "control/templates/routes.h"
#include "control/tracking/routes.h"

/* clang-format off */
const struct http_route_table http_route_tables[] = {
	{system_routes,          &system_routes_n,          LISTEN_API | LISTEN_ADMIN},
	{auth_routes,            &auth_routes_n,            LISTEN_API               },
	{me_routes,              &me_routes_n,              LISTEN_API               },
	{key_routes,             &key_routes_n,             LISTEN_API               },
	{member_routes,          &member_routes_n,          LISTEN_API               },
	{domain_routes,          &domain_routes_n,          LISTEN_API               },
	{org_routes,             &org_routes_n,             LISTEN_API               },
	{platform_routes,           &platform_routes_n,           LISTEN_ADMIN             },
	{contact_field_routes,           &contact_field_routes_n,           LISTEN_API               },
	{list_routes,            &list_routes_n,            LISTEN_API               },
	{contact_routes,         &contact_routes_n,         LISTEN_API               },
	{import_routes,          &import_routes_n,          LISTEN_API               },
	{template_routes,        &template_routes_n,        LISTEN_API               },
	{campaign_routes,        &campaign_routes_n,        LISTEN_API               },
	{campaign_action_routes, &campaign_action_routes_n, LISTEN_API               },
	{campaign_report_routes, &campaign_report_routes_n, LISTEN_API               },
	{suppression_routes,     &suppression_routes_n,     LISTEN_API               },
	{tracking_routes,          &tracking_routes_n,          LISTEN_PUBLIC            },
};
/* clang-format on */
const size_t http_route_tables_n = ARRAY_LEN(http_route_tables);
