/* dns/lookup.h - asks one question and waits for the answer: for the control plane and tools, whose
 * threads may wait.
 * Owns:    lookup() gives the caller the answer; lookup_free() ends it.
 * Blocks:  at most timeout_ms.
 * Threads: any; each call runs a loop of its own.
 * Fails:   with the status of the answer: E_DNS_NXDOMAIN, E_DNS_NONE, E_DNS_TEMP (also when the
 *          time is up); E_SYNTAX when name is not a domain name. */
#pragma once
#include "dns/resolver.h"

/* o NULL: the servers of /etc/resolv.conf. */
int lookup(const struct resolver_options *o, struct slice name, enum dns_type type,
	   uint32_t timeout_ms, struct dns_answer **ret) MUST_CHECK;
struct dns_answer *lookup_free(struct dns_answer *a);
