/* mta/parts.c - read down the lists and you know what the engine is made of.  A part may use the
 * parts above it, and an option set may use the sets above it. */
#include "mta/parts.h"

#include "mta/admin/admin.h"
#include "mta/config/host.h"
#include "mta/config/spool.h"
#include "mta/core/space.h"
#include "mta/credentials/credentials.h"
#include "mta/deliver/recall.h"
#include "mta/deliver/deliverer.h"
#include "mta/link/link.h"
#include "mta/metrics/metrics.h"
#include "mta/orders/orders.h"
#include "mta/policy/part.h"
#include "mta/replies/replies.h"
#include "mta/reports/options.h"
#include "mta/reports/reading.h"
#include "mta/reports/reports.h"
#include "mta/returnpath/returnpath.h"
#include "mta/route/fed.h"
#include "mta/route/routes.h"
#include "mta/senders/options.h"
#include "mta/senders/senders.h"
#include "mta/shape/part.h"
#include "mta/site/failures.h"
#include "mta/site/learned.h"
#include "mta/submit/options.h"
#include "mta/submit/submit.h"
#include "mta/tenants/tenancy.h"
#include "mta/tlsrpt/tlsrpt.h"
#include "mta/token/tokens.h"
#include "mta/census/census.h"
#include "mta/warmup/warmup.h"

/* clang-format off */
const struct part *const mta_parts[] = {
	&space_part,
	&census_part,
	&rules_part,
	&tenancy_part,
	&senders_part,
	&credentials_part,
	&shape_part,
	&egress_part,
	&queue_part,
	&warmup_part,
	&returnpath_part,
	&policy_part,
	&tokens_part,
	&tlsrpt_part,
	&tlsrpt_keeper_part,
	&route_part,
	&site_part,
	&learned_part,
	&deliver_part,
	&recall_part,
	&submit_part,
	&reading_part,
	&reports_part,
	&orders_part,
	&uplink_part,
	&metrics_part,
	&admin_part,
};
const unsigned mta_parts_n = ARRAY_LEN(mta_parts);

const struct option_set *const mta_option_sets[] = {
	&host_option_set,
	&core_option_set,
	&spool_option_set,
	&senders_option_set,
	&credentials_option_set,
	&submit_option_set,
	&uplink_option_set,
	&metrics_option_set,
	&admin_option_set,
	&dns_option_set,
	&egress_option_set,
	&smtp_option_set,
	&failure_option_set,
	&policy_option_set,
	&tlsrpt_option_set,
	&shape_option_set,
	&warmup_option_set,
	&routes_option_set,
	&token_option_set,
	&site_option_set,
	&tenancy_option_set,
	&queue_option_set,
	&deliver_option_set,
	&replies_option_set,
	&returnpath_option_set,
	&reports_option_set,
};
/* clang-format on */
const size_t mta_option_sets_n = ARRAY_LEN(mta_option_sets);
