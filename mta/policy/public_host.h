/* mta/policy/public_host.h - the addresses of a host that HTTPS is spoken with because a record
 * or a tenant says so.  Only those of the public Internet, and those that the operator allows: a
 * record must not make us speak to hosts that only we can reach.
 *
 * Owns:    it is a member of its asker's object, which must live until done() or until the resolver
 *          has gone; `host` until done().
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
	bool any; /* the operator named it: special addresses too */
	const struct net_list *(*allowed)(const struct policies *p);
	bool special; /* an address was left out */
	struct ip ips[FETCH_IPS_MAX];
	unsigned n_ips;
};
/* E_SYNTAX: the name is none.  mta_sts.allow is what the operator allows. */
int public_host_ask(struct policies *p, struct public_host *r, struct slice host,
		    void (*done)(struct public_host *r)) MUST_CHECK;
/* The same with another list; it is asked for anew, for options are reloaded. */
int public_host_ask_allowed(struct policies *p, struct public_host *r, struct slice host,
			    const struct net_list *(*allowed)(const struct policies *p),
			    void (*done)(struct public_host *r)) MUST_CHECK;
/* The same for a host that the operator named: it may have any address. */
int public_host_ask_any(struct policies *p, struct public_host *r, struct slice host,
			void (*done)(struct public_host *r)) MUST_CHECK;
