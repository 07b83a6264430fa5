/* mta/site/lids.h - the limits that tenants have of their own: connections that carry a tenant's
 * mail, messages and bytes per time, at a site, at a provider and in all; and the same over one
 * source.  Shapes say them, and mta/tenants/tenancy.h.
 *
 * They hold beside the limits of all; whatever stops a tenant's mail stops nobody else's
 * (mta/site/gate.h).  Where a limit of a tenant over one source stops it, the other sources of the
 * pool take it; when they may not either, it waits at the gate.
 * Guarantee: over all lanes there are never more connections with mail of the tenant, and never
 *            more messages in a time than its rate and what a tenth of a second lets through.
 * Owns:    the pool owns what is known of its tenants; a seat is its delivery's, from lids_take()
 *          until lids_leave().
 * Threads: the lane's; what is counted is shared by the lanes.
 * Limits:  LIDS_KNOWN_MAX tenants are known at a pool, each over each source where shapes say
 *          something about that; a bytes rate lets a message through before its bytes count. */
#pragma once
#include "mta/site/channel.h"
#include "mta/site/gate.h"

#define LIDS_EVERYWHERE "all providers" /* the name of what counts in all */
enum { LIDS_MAX = 14, LIDS_KNOWN_MAX = 4096 };
struct lids {
	struct map_link link;
	uint64_t tenant;
	struct ip source; /* family 0: shapes say nothing about a tenant over a source */
	unsigned n;
	struct lid at[]; /* those over the source are the last ones */
};
/* Those of a tenant at a pool, over this source; NULL: it has none there. */
const struct lids *lids_of(struct pool *p, uint64_t tenant, const struct ip *source);
void lids_forget(struct pool *p); /* the limits are other ones, or the pool ends */

enum { LIDS_SEATS = 5 };
struct lids_seat {
	struct list link; /* the channel's */
	struct sites *sites;
	struct channel *channel;
	struct tenant_limits *at[LIDS_SEATS]; /* whose connections it is counted in */
	unsigned n;
};
/* May one more message of the flow's tenant go over the channel?  Else what the pool has of it
 * waits; the recipient at hand is the caller's to put back before. */
const struct lid *lids_stop(const struct channel *ch, const struct lids *l);
/* What the pool has of the flow's tenant waits, because of `stop`.  False: another source of the
 * pool may take it, so that it does not. */
bool lids_wait(struct pool *p, const struct flow *flow, const struct lid *stop);
/* The tenant's limit that stops it over this source, or over all of the pool's (source NULL); NULL:
 * none does. */
const struct lid *lids_stopping(struct pool *p, uint64_t tenant, const struct ip *source);
/* Source i of those that take turns at the pool, or may; NULL: past the last. */
const struct source *lids_source(const struct pool *p, unsigned i);
/* The channel found nobody but those that may not go over its source: the pool opens none from it
 * for a moment, and looks again. */
void lids_passed_over(struct channel *ch, int64_t wait_us);
/* It goes.  False: another lane was faster, and nothing was taken. */
bool lids_take(struct lids_seat *seat, struct channel *ch, const struct lids *l);
/* It went.  When that was the last for now, the tenant's other mail waits. */
void lids_sent(struct channel *ch, const struct lids *l, const struct flow *flow, size_t bytes);
void lids_leave(struct lids_seat *seat); /* harmless when it has none */
