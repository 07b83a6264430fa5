/* mta/policy/sts_ask.h - the MTA-STS policy of a domain: its record, what is kept of it, and when
 * it is fetched (RFC 8461 sections 3 and 5).
 *
 *	a policy is kept and has not expired    it holds at once; when the record has another id, or
 *	                                        it is older than a day, it is fetched anew meanwhile
 *	none is kept, and there is a record     it is fetched; the domain waits for it
 *	neither                                 there is none
 *
 * A fetch that failed is tried again after STS_AGAIN_MS.
 * Owns:    a query is its asker's; the policy is borrowed during done().
 * Threads: the lane's.
 * Names:   sts_
 * Fails:   never: what cannot be had is no policy (section 3.3).
 * Limits:  a domain waits no longer than DNS and a fetch may take (mta/policy/fetch.h). */
#pragma once
#include "dns/resolver.h"
#include "mta/policy/part.h"

enum { STS_AGAIN_MS = 5 * 60 * 1000, STS_FRESH_MS = 86400 * 1000 };

struct sts_fetching;
struct sts_query {
	/* ttl_s: ask again then.  Also from inside sts_ask(). */
	void (*done)(struct sts_query *q, const struct sts_entry *e, uint32_t ttl_s);
	struct policies *of;
	struct slice domain; /* must live until done() */
	struct dns_query txt;
	struct list link; /* of those that wait for a fetch */
	uint32_t ttl_s;
};
void sts_ask(struct policies *p, struct sts_query *q, struct slice domain);
void sts_cancel(struct sts_query *q);  /* harmless when it is not asked */
void sts_drop_all(struct policies *p); /* at the lane's end: the resolver has gone */
/* A record of the answer, when there is exactly one (section 3.1).  ret_id holds STS_ID_MAX. */
bool sts_record_of(const struct dns_answer *a, char *ret_id);
