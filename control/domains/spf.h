/* control/domains/spf.h - what a verifier says of mail that leaves from an address or a network:
 * check_host() of RFC 7208, and whether a domain's record lets all of the operator's mail pass.
 * Owns:   nothing; the answers stay the inquiry's.
 * Blocks: on the inquiry.
 * Limits: section 4.6.4: 10 terms that ask DNS, 2 that find nothing, 10 hosts in an MX.  Macros are
 *         not expanded, nor is ptr for a network: such a term counts as a look-up and never
 *         matches, and every verdict after it but a pass is SPF_UNSURE.  exp= is checked and not
 *         fetched.  At most SPF_NETS_MOST networks of the operator are looked at. */
#pragma once
#include "base/address.h"
#include "control/domains/inquiry.h"

enum { SPF_WHY_MAX = 600, SPF_NETS_MOST = 64 };
enum spf_verdict {
	SPF_NONE,
	SPF_NEUTRAL,
	SPF_PASS,
	SPF_FAIL,
	SPF_SOFTFAIL,
	SPF_TEMPERROR,
	SPF_PERMERROR,
	SPF_UNSURE, /* parts of the record are beyond us */
};
struct spf_result {
	enum spf_verdict verdict;
	char why[SPF_WHY_MAX]; /* which term decided, and in whose record */
};

const char *spf_verdict_text(enum spf_verdict v);
/* Mail from net with an envelope sender at domain.  Parts of a network that are treated differently
 * are judged apart; the result is the first that does not pass. */
void spf_check(struct inquiry *a, const struct ip_net *net, struct slice domain,
	       struct spf_result *ret);
/* The same for everything that ours names: mechanisms as in a record, without the version.  What
 * stands for no address that we can find (a macro, exists) has to be reached itself. */
void spf_check_ours(struct inquiry *a, struct slice ours, struct slice domain,
		    struct spf_result *ret);
