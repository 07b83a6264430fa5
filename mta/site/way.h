/* mta/site/way.h - from a domain to its site: when to ask DNS, and what becomes of those that wait
 * for the answer (RFC 5321 section 5.1).  While DNS has trouble, an old answer still serves for a
 * while (RFC 8767).
 * Owns:    a way is the queue's domain with our part around it; the queue frees it.
 * Threads: the lane's.
 * Limits:  256 questions at a time; the lengths of names are bounded by DNS, not here. */
#pragma once
#include "dns/route.h"
#include "mta/policy/asking.h"
#include "mta/site/site.h"

struct way {
	struct domain domain; /* first: the queue allocates the whole */
	struct sites *sites;
	struct list asking; /* waits for its turn to ask DNS */
	struct site *site;  /* NULL until known */
	struct route_query query;
	struct policy_query policy; /* once the route is known */
	bool asked;                 /* the question is out */
	int64_t asked_ms;           /* monotonic: since when */
	uint32_t took_ms;           /* the last one */
	bool draining;              /* its list is being served in slices */
	enum route_status status;   /* of the last answer */
	bool named_securely;        /* its MX records are signed */
	int64_t fresh_until_ms;     /* monotonic: then ask again */
	int64_t stale_until_ms;     /* monotonic: then do not use it any more */
	int64_t not_before_ms;      /* monotonic: DNS trouble, ask later */
	uint8_t troubles;
	struct timer later;
	struct chore serving; /* the next slice of its list */
};
static inline struct way *way_of(const struct domain *d)
{
	return container_of(d, struct way, domain);
}

void way_begin(struct queue_ways *w, struct domain *d);
bool way_busy(const struct domain *d);
/* Moves it to the pool of its site, or lets it wait for the route. */
void way_due(struct queue_ways *w, struct domain *d, rcpt_ref ref);
/* Where this recipient's mail goes: a smart host, or the domain's hosts.  NULL: not known. */
struct site *way_site(struct way *w, rcpt_ref ref);
/* Names of the site and the provider that the flow's mail to the domain goes to, "" while they are
 * not known; flow NULL: what no smart host carries. */
void way_place(const struct domain *d, const struct flow *f, struct slice *ret_site,
	       struct slice *ret_provider);
/* There are smart hosts: mail of one domain may go to different places. */
bool way_differs(const struct queue *q);
void way_end(struct way *w);   /* cancels its question, at the lane's end */
void way_retry(struct way *w); /* ends its pause */
/* The shapes changed: another site may serve its domain now.  Those that wait at the old one move
 * when their turn comes. */
void way_reshape(struct way *w);
