/* mta/site/tenants.h - what holds for one tenant's mail at a provider, or at a site that belongs to
 * none: a suspension, because of replies or by an order.
 *
 * SUSPEND_STRIKES replies with the action "suspend tenant", without a delivery of the tenant there
 * between them, suspend it for the time of the rule.  Its mail waits meanwhile, untried, and is in
 * nobody's way.  A suspension is a rule of the spool:
 *
 *	suspend-tenant/<tenant>/<provider or site>    value: <until> SP <why>   (empty: ended)
 *
 * Owns:    nothing; what is known stands in struct tenant_limits (mta/site/limits.h).
 * Threads: the lane's, but tenants_changed(), which is any's; what is shared is atomic. */
#pragma once
#include "mta/site/channel.h"

/* For how long the tenant's mail must wait here, in milliseconds; 0: it may go. */
int64_t tenants_wait_ms(struct pool *p, uint64_t tenant);
/* Anything at all is known of tenants there: then it is worth to ask. */
static inline bool tenants_matter(const struct pool *p)
{
	const struct site_limits *s = p->site->provider ? p->site->provider : p->site->shared;

	return atomic_load_explicit(&s->tenants, memory_order_relaxed) != NULL;
}
void tenants_refused(struct channel *ch, uint64_t tenant, int64_t for_ms, struct slice why);
void tenants_delivered(struct channel *ch, uint64_t tenant);

/* A rule of the spool was written and is durable, or is there at the start. */
void tenants_changed(struct limits *l, struct slice rule_key, struct slice rule_value);
int tenants_check(struct slice rule_key, struct slice rule_value) MUST_CHECK;
