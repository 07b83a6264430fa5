/* mta/policy/part.h - the policy room as a part of the engine: what a lane asks with, and what
 * lanes share: the fetched policies and the one who fetches.
 * Owns:    policies_of() is the lane's.
 * Threads: the lane's; struct policy_shared any. */
#pragma once
#include "mta/config/entries.h"
#include "mta/core/part.h"
#include "mta/policy/cache.h"
#include "mta/policy/fetch.h"

struct policy_options {
	char *allow_list;
	struct net_list allowed; /* from allow_list */
};
extern const struct option_set policy_option_set;

struct policy_counters {
	counter tlsa_usable, tlsa_broken, sts_fetches, sts_failures;
};
struct policy_shared {
	struct sts_cache *cache;
	struct fetcher *fetcher; /* NULL once the first lane has stopped */
};

struct resolver;
/* What the lane's questions need. */
struct policies {
	struct lane *lane;
	struct policy_shared *shared;
	const struct policy_options *options;
	struct resolver *resolver; /* the sites', set by them */
	uint16_t port;             /* of the hosts; TLSA records stand under it */
	bool off;                  /* nothing is asked: TLS is never used */
	bool reports;              /* whether domains want reports is asked too (mta/tlsrpt) */
	struct list fetching;      /* mta/policy/sts_ask.h */
	struct policy_counters counters;
};
extern const struct part policy_part;
struct policies *policies_of(struct lane *l);
/* At the engine's end, by whoever has fetches of his own: none calls done() any more. */
void policies_end_fetching(struct policy_shared *s);
