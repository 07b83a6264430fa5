/* control/domains/domains.h - sending domains: what must stand in DNS, and whether it does. */
#pragma once
#include "control/app/app.h"

/* Checks a domain as POST .../verify does; db is a cp_api connection outside a transaction.
 * Blocks: on DNS.  0, or what went wrong; E_ANSWERED when the domain may not be what it was. */
int sender_domain_recheck(struct app *app, struct db *db, uint32_t org, uint64_t id) MUST_CHECK;
