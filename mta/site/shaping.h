/* mta/site/shaping.h - the shape (mta/shape/shapes.h) of a site's pools: resolved when a pool
 * begins and whenever the shapes change, so that delivering only reads numbers.
 *
 * Domains with the same MX hosts are one site, except those that a section or a provider names:
 * they are a site of their own, with connections of its own.
 * Owns:    a site's group is the site's; resolved shapes are members of their pools.
 * Threads: the lane's. */
#pragma once
#include "mta/site/pool.h"

struct channel;

/* What holds for this subject; what explain shows is what is in force. */
void shaping_resolve(const struct shapes *set, const struct shape_subject *q,
		     const struct settings *all, struct shape *ret);
/* The name of the site that serves this domain by this route. */
void shaping_site_name(const struct sites *s, const struct route *route, struct slice domain,
		       struct buf *ret);
void shaping_site(struct site *s); /* its provider, after the shapes changed */
void shaping_pool(struct pool *p); /* its shape, likewise */
/* The shape of a connection of the pool from this source, which the caller frees; NULL: it is the
 * pool's. */
struct shape *shaping_source(const struct pool *p, const struct ip *source);
/* The limits that a tenant, a source (tenant 0), or a tenant over a source has of its own here;
 * source NULL: whatever it is. */
void shaping_limits(const struct pool *p, uint64_t tenant, const struct ip *source,
		    struct shape *ret);
/* Where a value of this rule is counted; NULL: at a provider that there is not. */
struct site_limits *shaping_counted_at(const struct pool *p, uint16_t rule, bool provider);
struct smtp_timeouts shaping_timeouts(const struct shape *shape);
/* Most recipients of a transaction with the tenant's mail over such a connection. */
unsigned shaping_recipients(const struct channel *ch, uint64_t tenant);
/* The schedule and the life of a tenant's mail; *room may get it. */
const struct shape *shaping_tenant(const struct pool *p, uint64_t tenant, struct shape *room);

/* May one more message go, by the rates of site and provider?  Else *ret_wait_us.  Where several
 * sites wait for a provider's pace, chance decides whose turn it is. */
/* Until a message may go by the rates, in microseconds; 0: now.  Nothing changes. */
int64_t shaping_left_us(const struct pool *p);
bool shaping_may_send(struct pool *p, int64_t *ret_wait_us);
/* So many connections may be opening: one, and what a second's pace needs. */
unsigned shaping_opening_max(const struct pool *p);
void shaping_sent(const struct pool *p, size_t bytes); /* one message went */
void shaping_idle(struct pool *p);                     /* it waits for no pace */
