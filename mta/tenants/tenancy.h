/* mta/tenants/tenancy.h - what each tenant may have, whatever the provider: a rate, connections to
 * one provider, so many recipients queued, a weight; and the weights of campaigns.
 *
 * The configuration (tenant.limit, tenant.weight) says it, and live orders (order.h) before that.
 * mta/site/lids.h keeps to rates and connections, mta/queue to weights; whoever takes mail in asks
 * tenancy_admit().
 * Guarantee: a tenant's queue never grows above its limit by what tenancy_admit() lets in; but a
 *            job that is larger than the limit is let in when nothing else of the tenant is queued,
 *            else it would wait for ever.
 * Owns:    struct tenancy is the engine's, from open() to close(); a struct tenant lives as long.
 * Threads: any; a short lock, not taken to count.
 * Limits:  TENANTS_LISTED_MAX entries in the configuration; about 200 bytes per tenant that ever
 *          had mail, and 64 per lane. */
#pragma once
#include "base/map.h"
#include "mta/core/part.h"
#include "mta/tenants/order.h"

enum { TENANTS_LISTED_MAX = 1024, TENANT_ORDERS_MAX = 4096 };

extern const struct option_set tenancy_option_set;
extern const struct part tenancy_part;

struct tenancy;
struct tenancy *tenancy_of(struct engine *e);
struct tenancy *tenancy_new(unsigned lanes);
struct tenancy *tenancy_free(struct tenancy *t);

/* ---- what holds -------------------------------------------------------------------------- */

struct tenant_limits_now {
	int64_t v[TENANT_KEYS]; /* TENANT_NONE: no limit; the weight is then not ordered */
};
struct tenant_limits_now tenancy_limits(struct tenancy *t, uint64_t tenant);
/* 1 unless ordered. */
unsigned tenancy_campaign_weight(struct tenancy *t, uint64_t campaign);
/* Any tenant has a rate, or a limit of connections. */
bool tenancy_paces(const struct tenancy *t);
unsigned tenancy_generation(const struct tenancy *t); /* grows with every change */
/* Who says so: "tenant.limit", or "order of ann at ..."; empty: nobody. */
void tenancy_origin(struct tenancy *t, uint64_t tenant, enum tenant_key key, struct buf *out);

/* ---- queues ------------------------------------------------------------------------------ */

struct tenant;
/* NULL for tenant 0, which is nobody. */
struct tenant *tenancy_tenant(struct tenancy *t, uint64_t tenant);
/* So many recipients more, of a job that is about to be put; false: the queue is full, and they are
 * not counted. */
bool tenancy_admit(struct tenancy *t, uint64_t tenant, uint32_t rows);
void tenancy_count(struct tenancy *t, uint64_t tenant, uint32_t rows);     /* without asking */
void tenancy_give_back(struct tenancy *t, uint64_t tenant, uint32_t rows); /* it was not put */
/* Not one recipient more would be let in. */
bool tenancy_is_full(struct tenancy *t, uint64_t tenant);
/* One recipient is no longer queued.  The lane's. */
void tenancy_ended(struct tenant *tenant, unsigned lane);
uint64_t tenancy_queued(struct tenancy *t, uint64_t tenant);

/* ---- orders and the configuration -------------------------------------------------------- */

/* A rule of the spool, durable or of the start; E_SYNTAX: another rule, E_LIMIT: too many. */
int tenancy_set(struct tenancy *t, struct slice rule_key, struct slice rule_value) MUST_CHECK;
int tenancy_check(struct slice rule_key, struct slice rule_value) MUST_CHECK;
/* What an order says of the tenant or campaign now; false: none was given. */
bool tenancy_order(struct tenancy *t, bool campaign, uint64_t number, struct tenant_order *ret);
/* The rule was written and is durable: it is in force when this returns, and lanes are told. */
void tenancy_rule_changed(struct engine *e, struct slice rule_key, struct slice rule_value);

struct tenancy_options {
	char *limit_list;
	struct tenant_listed {
		uint64_t tenant; /* 0: those that are not listed */
		struct tenant_words words;
	} listed[TENANTS_LISTED_MAX]; /* by tenant */
	unsigned n_listed;
};
void tenancy_configure(struct tenancy *t, const struct tenancy_options *o);

/* Calls each() for tenants that have mail queued or an order, and those the configuration lists. */
struct tenant_fact {
	uint64_t number, queued;
	struct tenant_limits_now limits;
	const struct tenant_order *order; /* NULL: none */
};
void tenancy_each(struct tenancy *t, void (*each)(void *arg, const struct tenant_fact *f),
		  void *arg);
void tenancy_each_campaign(struct tenancy *t, void (*each)(void *arg, const struct tenant_order *o),
			   void *arg);
