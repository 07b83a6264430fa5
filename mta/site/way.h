/* mta/site/way.h - from a domain to its site: when DNS is asked, and what becomes of those who
 * wait. RFC 5321 section 5.1; an answer that grew old serves for a while when DNS has trouble (RFC
 * 8767).
 * Owns:   a way is the queue's domain with our part around it; the queue frees it.
 * Limits: ROUTES_ASKED_MAX questions at a time; a site's name and a domain's name are not bounded
 *         here but by DNS. */
#pragma once
#include "dns/route.h"
#include "mta/site/site.h"

struct way {
	struct domain domain; /* first: the queue allocates the whole */
	struct sites *sites;
	struct list asking; /* waits for its turn to ask DNS */
	struct site *site;  /* NULL until known */
	struct route_query query;
	bool asked;               /* the question is out */
	bool draining;            /* its list is being finished in slices */
	enum route_status status; /* of the last answer */
	int64_t fresh_until_ms;   /* monotonic: ask again after this */
	int64_t stale_until_ms;   /* and no longer use it after this */
	int64_t not_before_ms;    /* monotonic: DNS trouble, ask later */
	uint8_t troubles;
	struct timer later;
};
static inline struct way *way_of(const struct domain *d)
{
	return container_of(d, struct way, domain);
}

void way_begin(struct queue_ways *w, struct domain *d);
bool way_busy(const struct domain *d);
/* To the pool of its site, or to wait for the route. */
void way_due(struct queue_ways *w, struct domain *d, rcpt_ref ref);
void way_end(struct way *w);   /* takes its question back, at the lane's end */
void way_retry(struct way *w); /* its pause is over */
