/* mta/policy/decide.h - from what is known of a host to what a session with it must insist on.  One
 * pure function: RFC 7672 (DANE), RFC 8461 (MTA-STS), RFC 8689 (REQUIRETLS), RFC 7435 (the rest).
 *
 *	word            DANE records   MTA-STS policy   else
 *	never                                           no TLS
 *	may                                             TLS when offered
 *	encrypt                                         TLS, any certificate
 *	verify                                          TLS, chain and name
 *	dane            insist                          as may
 *	dane-only       insist                          the host is not used
 *	mta-sts                        insist           as may
 *	opportunistic   insist         insist           as may
 *
 * Records that cannot be used (RFC 7672 section 2.2) still forbid clear text; where DNS cannot tell
 * securely whether there are records (section 2.1), the host is not used.  DANE goes before MTA-STS
 * (RFC 8461 section 2).  A policy in testing is looked at and reported, and changes nothing else.
 *
 * Owns:   nothing.
 * Fails:  never; a host that must not be used has a `refusal`. */
#pragma once
#include "mta/door/tls.h"
#include "mta/smtp/session.h"
#include "mta/smtp/tls_word.h"

enum policy_dane {
	POLICY_DANE_NONE,   /* no records, or the zone is not signed */
	POLICY_DANE_USABLE, /* at least one record can authenticate the host */
	POLICY_DANE_UNUSABLE,
	POLICY_DANE_BROKEN, /* DNS gave no secure answer */
	POLICY_DANE_STATES
};
enum policy_sts { POLICY_STS_NONE, POLICY_STS_TESTING, POLICY_STS_ENFORCE, POLICY_STS_STATES };
/* What the message asks for. */
enum policy_asked {
	POLICY_ASKED_NOTHING,
	POLICY_ASKED_TLS,    /* REQUIRETLS */
	POLICY_ASKED_NO_TLS, /* TLS-Required: No (RFC 8689 section 5) */
	POLICY_ASKED_STATES
};

struct policy_case {
	enum tls_word word;
	enum policy_asked asked;
	enum policy_dane dane;
	enum policy_sts sts;
	bool sts_names_host; /* one of the policy's "mx" matches */
	bool named_securely; /* DNSSEC says that it is the domain's host */
};

/* Which policy it was; records and reports keep the names. */
enum policy_applied {
	POLICY_NEVER,
	POLICY_MAY,
	POLICY_ENCRYPT,
	POLICY_VERIFY,
	POLICY_DANE,
	POLICY_MTA_STS,
	POLICY_MTA_STS_TESTING,
	POLICY_REQUIRETLS,
	POLICY_TLS_OPTIONAL, /* the message said that TLS may be missing */
	POLICY_APPLIED
};
const char *policy_applied_name(enum policy_applied a);
const char *policy_proof_name(enum tls_proof p); /* "chain", "dane-ee", "dane-ta"; "" */

struct policy_demand {
	enum tls_policy tls;
	enum tls_demand certificate;
	bool report_only;
	bool require_tls; /* the host must offer REQUIRETLS, and MAIL asks for it */
	enum policy_applied applied;
	const char *refusal; /* NULL: the host may be used */
};
struct policy_demand policy_decide(const struct policy_case *c);
