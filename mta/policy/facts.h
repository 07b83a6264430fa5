/* mta/policy/facts.h - what DNS and policies say about how a domain's mail may travel to the hosts
 * of a route: gathered by mta/policy/asking.h, read by decisions.
 * Owns:    references are counted; the facts hold one to their route.
 * Threads: the lane's.
 * Limits:  TLS_RECORDS_MAX TLSA records of a host; those beyond are not looked at, which can only
 *          refuse a host. */
#pragma once
#include "dns/route.h"
#include "mta/policy/decide.h"
#include "mta/policy/sts.h"

struct policy_host {
	enum policy_dane dane;
	bool sts_names; /* the domain's MTA-STS policy names it */
	/* Where its records stand (RFC 7672 section 2.2.2); "" where there are none. */
	char base[DNS_NAME_MAX];
	unsigned n_records;
	struct tls_record records[TLS_RECORDS_MAX];
	uint8_t *bytes; /* of the records */
};

enum { POLICY_ID_MAX = 33, POLICY_FAULT_MAX = 128 };
struct policy_facts {
	unsigned refs;
	struct route *route;
	bool named_securely; /* the MX records came with DNSSEC */
	enum policy_sts sts;
	char sts_id[POLICY_ID_MAX];
	struct sts_policy *sts_policy; /* the same, as it was fetched; NULL: there is none */
	/* There is a record and no policy: "sts-policy-invalid: ..." and the like; or "". */
	char sts_fault[POLICY_FAULT_MAX];
	bool reports; /* the domain wants reports (RFC 8460), and we make them */
	uint32_t ttl_s;
	/* Of all that matters for a connection: who shares it needs the same one. */
	uint64_t digest;
	unsigned n_hosts;
	struct policy_host hosts[];
};

/* Without any policy; takes a reference to the route.  Filled in by who made it, then sealed. */
struct policy_facts *policy_facts_new(struct route *route);
void policy_facts_seal(struct policy_facts *f); /* computes the digest */
struct policy_facts *policy_facts_ref(struct policy_facts *f);
struct policy_facts *policy_facts_unref(struct policy_facts *f); /* takes NULL, gives NULL */
/* Copies what a TLSA answer says; a record's bytes are bounded. */
void policy_host_take(struct policy_host *h, const struct dns_answer *a, struct slice base);

/* The policy of the domain itself: it must not share connections with other domains. */
bool policy_facts_apart(const struct policy_facts *f);
/* What sets connections under these facts apart from those under none, for the name of a site: ""
 * or " dane" and the like; the domain is added by who needs it. */
const char *policy_facts_kind(const struct policy_facts *f);

/* What a session to the route's host `i` must insist on.  named_securely is of the recipients'
 * domain: others may share these facts. */
struct policy_demand policy_facts_decide(const struct policy_facts *f, unsigned i,
					 enum tls_word word, enum policy_asked asked,
					 bool named_securely);
/* The demand in the words of the door; *ret shows into facts and route. */
void policy_facts_check(const struct policy_facts *f, unsigned i, const struct policy_demand *d,
			struct tls_check *ret);
/* Of the check: sessions may be resumed only under an equal one. */
uint64_t policy_check_digest(const struct tls_check *check);
