/* control/domains/private.h - shared by the files of control/domains. */
#pragma once
#include "control/domains/inquiry.h"
#include "control/domains/codes.h"
#include "control/domains/options.h"
#include "control/http/call.h"
#include "dns/resolver.h"

enum {
	KEYS_MAX = 8,
	RECORDS_MAX = KEYS_MAX + 6,
	RECORD_NAME_MAX = 400,
	SEEN_MAX = 1024,
	RECORD_WHY_MAX = 600,
};

/* One record that the customer is asked to publish, and what was found. */
struct sender_record {
	char kind[32];    /* "ownership", "dkim-rsa", ... */
	const char *type; /* TXT, MX, CNAME */
	enum dns_type query;
	char name[RECORD_NAME_MAX];
	char *value;  /* malloc'ed */
	int priority; /* MX */
	bool required;
	enum sender_record_state state;
	char seen[SEEN_MAX];
	char why[RECORD_WHY_MAX]; /* what decided: a term of SPF, a tag of DMARC, a fault */
	int64_t checked_ms;
};
struct sender_key {
	uint64_t id;
	char selector[64];
	enum sender_key_type type;
	enum sender_key_status status;
	char *txt; /* malloc'ed */
};
struct sender_domain {
	uint64_t id;
	char name[256], proof[64], return_path[64], tracking[64];
	int dmarc_policy;
	enum sender_domain_status status;
	int64_t created_ms, checked_ms, verified_ms, degraded_ms, version;
	struct sender_key keys[KEYS_MAX];
	unsigned n_keys;
};

void sender_domain_clear(struct sender_domain *d);
/* By id ("dom_...") or name, locked when lock; E_UNKNOWN.  In the organisation's transaction. */
int sender_domain_load(struct call *c, struct slice id_or_name, bool lock,
		       struct sender_domain *ret) MUST_CHECK;
json_t *sender_domain_json(const struct sender_domain *d);
/* Fresh keys for a new domain, private halves sealed. */
int sender_domain_make_keys(struct call *c, uint64_t domain_id, const char *name) MUST_CHECK;
/* KEY orders for the engine: every signing key, or their removal. */
int sender_domain_order_keys(struct call *c, const struct sender_domain *d, bool remove) MUST_CHECK;

/* The private half of a key, opened for the row that it was sealed for. */
int sender_key_open(struct app *app, uint32_t org, uint64_t domain, const char *selector,
		    int seal_id, struct slice sealed, struct buf *pem) MUST_CHECK;
void sender_key_wipe(struct buf *b);

/* records.c: the records to publish; returns how many. */
unsigned sender_records_expected(const struct domains_options *options,
				 const struct sender_domain *d, struct sender_record *ret);
void sender_records_clear(struct sender_record *records, unsigned n);
int sender_records_load(struct call *c, const struct sender_domain *d,
			struct sender_record *records, unsigned n) MUST_CHECK;
int sender_records_store(struct call *c, const struct sender_domain *d,
			 const struct sender_record *records, unsigned n) MUST_CHECK;
json_t *sender_records_json(const struct sender_record *records, unsigned n);
bool sender_records_fulfilled(const struct sender_record *records,
			      unsigned n); /* every required one is there */
bool sender_records_refuted(const struct sender_record *records,
			    unsigned n); /* a required one is certainly not */

/* check.c: asks DNS; blocks up to dns.timeout per record, for SPF and DMARC 20 seconds more. */
int sender_records_check(const struct domains_options *options, struct sender_record *records,
			 unsigned n) MUST_CHECK;
/* The same for one record.  Fills state, seen and why. */
void sender_record_check(struct inquiry *a, const struct domains_options *options,
			 struct sender_record *r);
/* Does one answer fulfil a record that is not evaluated?  Fills state, seen and why. */
void sender_record_judge(struct sender_record *r, int status, const struct dns_answer *answer);
extern const char *const sender_dmarc_policies[]; /* by domains.dmarc_policy */

/* verify.c */
int sender_domain_verify(struct call *c);
/* The same without a request; db is a cp_api connection outside a transaction.  Blocks on DNS.
 * Returns 0 or what went wrong; E_ANSWERED when the domain was refused. */
int sender_domain_recheck(struct app *app, struct db *db, uint32_t org, uint64_t id) MUST_CHECK;
