/* mta/policy/public_host.h - the addresses of a host that HTTPS is spoken with because a record
 * says so.  Only those of the public Internet, and those that mta_sts.allow names: a record must
 * not make us speak to hosts that only we can reach.
 *
 * Owns:    it is a member of its asker's object; `host` must live until done().
 * Blocks:  never.
 * Threads: the lane's.
 * Fails:   done() with no address; `special` says that there were some, all refused. */
#pragma once
#include "dns/resolver.h"
#include "mta/policy/part.h"

struct public_host {
	/* Not from inside public_host_ask(). */
	void (*done)(struct public_host *r);
	struct policies *of;
	struct dns_query a, aaaa;
	unsigned unanswered;
	bool any;     /* the operator named it: special addresses too */
	bool special; /* an address was left out */
	struct ip ips[FETCH_IPS_MAX];
	unsigned n_ips;
};
/* E_SYNTAX: the name is none. */
int public_host_ask(struct policies *p, struct public_host *r, struct slice host,
		    void (*done)(struct public_host *r)) MUST_CHECK;
/* The same for a host that the operator named: it may have any address. */
int public_host_ask_any(struct policies *p, struct public_host *r, struct slice host,
			void (*done)(struct public_host *r)) MUST_CHECK;
void public_host_cancel(struct public_host *r); /* harmless when it is not asked */
