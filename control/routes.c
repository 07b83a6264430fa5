/* control/routes.c - every table of routes and the listeners it is reached on; and what one room
 * has to tell another. */
#include "control/auth/routes.h"
#include "control/campaigns/leaving.h"
#include "control/campaigns/routes.h"
#include "control/contacts/routes.h"
#include "control/domains/routes.h"
#include "control/federation/routes.h"
#include "control/http/routes.h"
#include "control/members/routes.h"
#include "control/org/routes.h"
#include "control/platform/routes.h"
#include "control/reports/routes.h"
#include "control/returns/routes.h"
#include "control/signup/routes.h"
#include "control/submission/routes.h"
#include "control/suppression/routes.h"
#include "control/templates/routes.h"
#include "control/tracking/routes.h"
#include "control/web/routes.h"

#define TABLE(name, listeners)                                                                     \
	{                                                                                          \
		name, &name##_n, listeners                                                         \
	}
const struct http_route_table http_route_tables[] = {
	TABLE(http_system_routes, LISTEN_API | LISTEN_ADMIN),
	TABLE(auth_routes, LISTEN_API),
	TABLE(signup_routes, LISTEN_API),
	TABLE(auth_arrival_routes, LISTEN_API),
	TABLE(members_factor_routes, LISTEN_API),
	TABLE(auth_proof_routes, LISTEN_API),
	TABLE(members_me_routes, LISTEN_API),
	TABLE(members_address_routes, LISTEN_API),
	TABLE(members_organisation_routes, LISTEN_API),
	TABLE(members_avatar_routes, LISTEN_API),
	TABLE(auth_key_routes, LISTEN_API),
	TABLE(members_routes, LISTEN_API),
	TABLE(auth_oauth_routes, LISTEN_API),
	TABLE(auth_role_routes, LISTEN_API),
	TABLE(federation_provider_routes, LISTEN_API),
	TABLE(federation_sign_in_routes, LISTEN_API),
	TABLE(federation_enter_routes, LISTEN_API),
	TABLE(federation_sp_routes, LISTEN_API),
	TABLE(federation_acs_routes, LISTEN_API),
	TABLE(federation_identity_routes, LISTEN_API),
	TABLE(oidc_routes, LISTEN_API),
	TABLE(domains_routes, LISTEN_API),
	TABLE(reports_routes, LISTEN_API),
	TABLE(returns_routes, LISTEN_API),
	TABLE(org_routes, LISTEN_API),
	TABLE(platform_routes, LISTEN_ADMIN),
	TABLE(platform_factor_routes, LISTEN_ADMIN),
	TABLE(contacts_field_routes, LISTEN_API),
	TABLE(contacts_list_routes, LISTEN_API),
	TABLE(contacts_routes, LISTEN_API),
	TABLE(contacts_import_routes, LISTEN_API),
	TABLE(templates_routes, LISTEN_API),
	TABLE(campaigns_routes, LISTEN_API),
	TABLE(campaigns_action_routes, LISTEN_API),
	TABLE(campaigns_report_routes, LISTEN_API),
	TABLE(campaigns_recipient_routes, LISTEN_API),
	TABLE(suppression_routes, LISTEN_API),
	TABLE(submission_credential_routes, LISTEN_API),
	TABLE(submission_route_routes, LISTEN_API),
	TABLE(tracking_routes, LISTEN_PUBLIC),
	TABLE(web_routes, LISTEN_API),
};
const size_t http_route_tables_n = ARRAY_LEN(http_route_tables);

const struct contacts_leaving *const contacts_leaving = &campaigns_leaving;
