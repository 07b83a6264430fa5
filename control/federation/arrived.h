/* control/federation/arrived.h - somebody whom a provider vouches for: whose account here that is,
 * or a new member's, or nobody's.
 *
 * Guarantee: an account that exists is linked by an address only when the provider verified it and
 *            its domain is on the organisation's list; otherwise its owner links it while signed in
 *            (/v1/me/identities).
 * Guarantee: everybody who is not let in hears the same.
 * Blocks:    on the database, in the open transaction of org. */
#pragma once
#include "control/http/call.h"

enum { FEDERATION_SUBJECT_MAX = 255, FEDERATION_EMAIL_MAX = 320, FEDERATION_NAME_MAX = 100 };
struct federation_person {
	uint64_t provider;
	struct slice subject, email, name;
	bool email_verified;
};
/* Replies, through arrival_continue(): a session, or a challenge for a second factor.  A refusal is
 * replied, too, and gives 0, so that its line in the audit is committed. */
int federation_arrived(struct call *c, uint32_t org, const struct federation_person *p) MUST_CHECK;
/* The signed-in caller's account is this person's from now on; gives the identity's id. */
int federation_link(struct call *c, const struct federation_person *p, uint64_t *ret_id) MUST_CHECK;
