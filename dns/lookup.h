/* dns/lookup.h - one question, answered before it returns: for the control plane and tools, whose
 * threads may wait.
 * Owns:    lookup() gives the caller the answer; lookup_free() ends it.
 * Blocks:  at most timeout_ms.  Threads: each call runs a loop of its own.
 * Fails:   gives the answer's status: 0, E_DNS_NXDOMAIN, E_DNS_NONE, E_DNS_TEMP (also when time is
 *          up); E_SYNTAX for no domain name.  The answer is written only when it gives 0. */
#pragma once
#include "dns/resolver.h"

/* o: NULL means the servers of /etc/resolv.conf. */
int lookup(const struct resolver_options *o, struct slice name, enum dns_type type,
	   uint32_t timeout_ms, struct dns_answer **ret) MUST_CHECK;
struct dns_answer *lookup_free(struct dns_answer *a);
