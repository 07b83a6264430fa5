/* mta/policy/reach.h - the addresses of a host that HTTPS is spoken with because a record says so.
 * Only those of the public Internet, and those that mta_sts.allow names: a record must not make us
 * speak to hosts that only we can reach.
 *
 * Owns:    a reach is a member of its asker's object; `host` must live until done().
 * Blocks:  never.
 * Threads: the lane's.
 * Fails:   done() with no address; `special` says that there were some, all refused. */
#pragma once
#include "dns/resolver.h"
#include "mta/policy/part.h"

struct reach {
	/* Not from inside reach_ask(). */
	void (*done)(struct reach *r);
	struct policies *of;
	struct dns_query a, aaaa;
	unsigned unanswered;
	bool special; /* an address was left out */
	struct ip ips[FETCH_IPS_MAX];
	unsigned n_ips;
};
/* E_SYNTAX: the name is none. */
int reach_ask(struct policies *p, struct reach *r, struct slice host,
	      void (*done)(struct reach *r)) MUST_CHECK;
void reach_cancel(struct reach *r); /* harmless when it is not asked */
