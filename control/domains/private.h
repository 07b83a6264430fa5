/* control/domains/private.h - shared by the files of control/domains. */
#pragma once
#include "control/domains/domains.h"
#include "control/http/call.h"
#include "dns/resolver.h"

/* domains.status, dkim_keys.status, domain_records.state */
enum domain_status { DOMAIN_PENDING = 1, DOMAIN_VERIFIED, DOMAIN_DEGRADED };
enum key_status { KEY_WAITING = 1, KEY_SIGNING, KEY_RETIRED };
enum record_state {
	RECORD_UNCHECKED = 1,
	RECORD_OK,
	RECORD_MISSING,
	RECORD_WRONG,
	RECORD_NO_ANSWER
};
/* dkim_keys.type */
enum key_type { KEY_RSA = 1, KEY_ED25519 = 2 };

enum { KEYS_MAX = 8, RECORDS_MAX = KEYS_MAX + 6, RECORD_NAME_MAX = 400, SEEN_MAX = 1024 };

/* One record that the customer is asked to publish, and what was found. */
struct record {
	char kind[32];    /* "ownership", "dkim-rsa", ... */
	const char *type; /* TXT, MX, CNAME */
	enum dns_type query;
	char name[RECORD_NAME_MAX];
	char *value;  /* malloc'ed */
	int priority; /* MX */
	bool required;
	enum record_state state;
	char seen[SEEN_MAX];
	int64_t checked_ms;
};
struct dkim_key {
	uint64_t id;
	char selector[64];
	enum key_type type;
	enum key_status status;
	char *txt; /* malloc'ed */
};
struct domain {
	uint64_t id;
	char name[256], proof[64], return_path[64], tracking[64];
	int dmarc_policy;
	enum domain_status status;
	int64_t created_ms, checked_ms, verified_ms, version;
	struct dkim_key keys[KEYS_MAX];
	unsigned n_keys;
};

void domain_clear(struct domain *d);
/* By id ("dom_...") or name, locked when lock; E_UNKNOWN.  In the organisation's transaction. */
int domain_load(struct call *c, struct slice id_or_name, bool lock, struct domain *ret) MUST_CHECK;
json_t *domain_json(const struct domain *d);
/* Fresh keys for a new domain, private halves sealed. */
int domain_make_keys(struct call *c, uint64_t domain_id, const char *name) MUST_CHECK;
/* KEY orders for the engine: every signing key, or their removal. */
int domain_order_keys(struct call *c, const struct domain *d, bool remove) MUST_CHECK;

/* records.c: what ought to be published; returns how many. */
unsigned records_expected(const struct config *config, const struct domain *d, struct record *ret);
void records_clear(struct record *records, unsigned n);
int records_load(struct call *c, const struct domain *d, struct record *records,
		 unsigned n) MUST_CHECK;
int records_store(struct call *c, const struct domain *d, const struct record *records,
		  unsigned n) MUST_CHECK;
json_t *records_json(const struct record *records, unsigned n);
bool records_fulfilled(const struct record *records, unsigned n); /* every required one is there */
bool records_refuted(const struct record *records,
		     unsigned n); /* a required one is certainly not */

/* check.c: asks DNS; blocks up to dns.timeout a record. */
int records_check(const struct config *config, struct record *records, unsigned n) MUST_CHECK;
/* Does one answer fulfil a record?  Fills state and seen. */
void record_judge(struct record *r, int status, const struct dns_answer *answer);
extern const char *const dmarc_policies[]; /* by domains.dmarc_policy */

/* verify.c */
int post_domain_verify(struct call *c);
