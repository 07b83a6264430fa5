/* mta/policy/asking.h - asks how mail to a domain may travel: TLSA records, and MTA-STS.
 *
 * TLSA records are asked for only where the answers before them were authentic (RFC 7672 section
 * 2.2): a resolver that does not validate, or is not trusted (dns.trusted), leads to no DANE.
 *
 * Owns:    the callee of done() owns one reference to the facts.
 * Blocks:  never.
 * Threads: the lane's.
 * Fails:   never: what cannot be had securely is a fact of its own (POLICY_DANE_BROKEN). */
#pragma once
#include "mta/policy/facts.h"
#include "mta/policy/part.h"

struct policy_query {
	/* May come from inside policy_ask(). */
	void (*done)(struct policy_query *q, struct policy_facts *facts);
	struct policy_work *work; /* NULL when it is not asked */
};

void policy_ask(struct policies *p, struct policy_query *q, struct route *route);
void policy_cancel(struct policy_query *q); /* harmless when it is not asked */
