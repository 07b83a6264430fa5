/* mta/site/explain.h - how mail to a domain would travel now: its route and the facts of its hosts,
 * asked for anew, whether or not mail for it is queued.
 * Owns:    explain_new() gives the caller the question; explain_free() ends it after done().
 * Blocks:  never.
 * Threads: one lane's, from explain_start() to done(); any before and after. */
#pragma once
#include "mta/policy/asking.h"
#include "mta/site/sites.h"

struct explain {
	char domain[DNS_NAME_MAX];
	void (*done)(struct explain *x);
	void *arg;
	struct sites *sites;
	struct route_query route_query;
	struct policy_query policy_query;
	struct route *route;        /* NULL: its name is none */
	struct policy_facts *facts; /* NULL: the route has no hosts */
};
struct explain *explain_new(struct slice domain, void (*done)(struct explain *x), void *arg);
struct explain *explain_free(struct explain *x);
void explain_start(struct explain *x, struct sites *s);
