/* mta/tlsrpt/results.h - what TLS sessions came to, counted by the domain whose policy held and by
 * the day in UTC: RFC 8460 section 4.  Only of domains that want reports
 * (mta/policy/reporting.h).
 *
 * A day that is over waits until its report is due: some time in the first RESULTS_SPREAD_MS of the
 * next day, so that not everybody reports at midnight (section 4.1).  What could not be handed over
 * is tried again until RESULTS_LIFE_MS later (section 5.5), then dropped.
 *
 * Guarantee: all is kept in a file beside the log (store.c), RESULTS_SAVE_MS old at most.
 * Owns:    results_new() gives the caller the results.  The folder stays the caller's.
 * Blocks:  results_new() and results_save() on the disk; a lock is held for less than a
 *          millisecond.
 * Threads: any.
 * Fails:   what is beyond a limit is counted without its details, or not at all, and says so.
 * Limits:  RESULTS_DOMAINS_MAX domains, RESULTS_POLICIES_MAX policies of a domain and day,
 *          RESULTS_ROWS_MAX kinds of failure of each, RESULTS_ALL_ROWS_MAX in all. */
#pragma once
#include "base/tree.h"
#include "mta/policy/facts.h"
#include "mta/policy/reporting.h"
#include "spool/disk.h"

enum {
	RESULTS_DOMAINS_MAX = 10000,
	RESULTS_POLICIES_MAX = 8,
	RESULTS_ROWS_MAX = 40,
	RESULTS_ALL_ROWS_MAX = 50000,
	RESULTS_SPREAD_MS = 4 * 3600 * 1000,
	RESULTS_LIFE_MS = 24 * 3600 * 1000,
	RESULTS_AGAIN_MS = 5 * 60 * 1000, /* doubled each time */
	RESULTS_SAVE_MS = 5 * 1000,
	RESULTS_WHAT_MAX = 128,
};
#define RESULTS_FILE "tls-reports"

enum results_policy { RESULTS_NO_POLICY, RESULTS_STS, RESULTS_TLSA, RESULTS_POLICIES };
/* Section 4.3; the names are results_name()'s. */
enum results_kind {
	RESULTS_SUCCESS,
	RESULTS_STARTTLS, /* it was not offered */
	RESULTS_OTHER_NAME,
	RESULTS_EXPIRED,
	RESULTS_UNTRUSTED,
	RESULTS_INVALID, /* whatever else is wrong */
	RESULTS_TLSA_INVALID,
	RESULTS_DNSSEC_INVALID,
	RESULTS_DANE_REQUIRED,
	RESULTS_STS_FETCH,
	RESULTS_STS_INVALID,
	RESULTS_STS_CERTIFICATE,
	RESULTS_KINDS
};
const char *results_name(enum results_kind k);
const char *results_policy_name(enum results_policy p);

struct results_session {
	const struct policy_facts *facts;
	unsigned host; /* of the facts' route */
	enum results_policy policy;
	enum results_kind kind;
	struct slice from, to, reason; /* addresses as text; what was wrong, in words */
};

struct results;
struct results *results_free(struct results *r);
DEFINE_OWNED(results)
struct results *results_new(const struct disk *disk, int dirfd);
bool results_lost(const struct results *r);     /* a part of the file could not be read */
int results_save(struct results *r) MUST_CHECK; /* 0 also when nothing has changed since */

/* False: there is no room for it. */
bool results_note(struct results *r, const struct results_session *s, int64_t now_ms);

/* ---- reporting --------------------------------------------------------------------------- */

/* Days that are over are put aside, and what is too old is dropped; the number of reports that were
 * never handed over. */
unsigned results_roll(struct results *r, int64_t now_ms);
/* A domain whose report is due, which the caller then has in hand until results_over().  ret holds
 * DNS_NAME_MAX.  False: there is none. */
bool results_due(struct results *r, int64_t now_ms, char *ret);
/* How it goes on: all who wanted the report have it, or it is due again later.  True: it was tried
 * for long enough and is given up. */
bool results_over(struct results *r, const char *domain, bool done, int64_t now_ms);
/* It was handed over there, or why not; for people, and so that nobody gets it twice. */
void results_tell(struct results *r, const char *domain, const char *where, const char *what,
		  bool done, int64_t now_ms);
bool results_told(struct results *r, const char *domain, const char *where);

/* The report of the day that waits.  E_UNKNOWN: there is none. */
struct results_report {
	char id[DNS_NAME_MAX + 64];
	int64_t day; /* since 1970 */
	uint64_t nonce;
	struct tree *json; /* RFC 8460 section 4.4; the caller's */
};
int results_report(struct results *r, const char *domain, const char *organization,
		   const char *contact, const char *submitter,
		   struct results_report *ret) MUST_CHECK;

/* What there is of the domain, for people: today's counts, those that wait, what was reported. */
void results_show(struct results *r, struct slice domain, struct branch *b);
