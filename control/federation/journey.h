/* control/federation/journey.h - a browser on its way to a provider and back.
 *
 *	begin   the browser gets a cookie and goes to the provider with a state
 *	back    it comes back with the state, which counts once
 *	hand    the provider vouched for somebody: the browser goes on to return_to, behind
 *		whose "#" stands a token (federation=tok_...), or an error (federation_error=...)
 *	claim   the page there exchanges the token, which counts once, for a session
 *
 * The session itself begins with a request of a page of ours: its cookie is SameSite=Strict, and
 * what starts it, no other site can send.
 *
 * Guarantee: the token is worth something only in the browser that began the journey, so that
 *            nobody is signed in as somebody else by a link or a form (login CSRF).
 * Guarantee: return_to is a path of ours, or has an origin that the operator or the organisation
 *            lists.
 * Blocks:    on the database.  begin and hand in the caller's open transaction; back and claim
 *            in one of their own, which commits that the secret was used.
 * Limits:    a journey takes at most ten minutes, an exchange two. */
#pragma once
#include "control/auth/token.h"
#include "control/federation/arrived.h"

enum { JOURNEY_RETURN_MAX = 1000, JOURNEY_DETAIL_MAX = 1000 };
struct journey {
	uint32_t org;
	uint64_t id, provider;
	char return_to[JOURNEY_RETURN_MAX + 1], detail[JOURNEY_DETAIL_MAX + 1];
	/* Of the state, 43 letters: what the kind derives secrets from (nonce, verifier). */
	char secret[TOKEN_SECRET_LEN + 1];
};

/* In a transaction of org.  Reads the query parameter return_to, sets the cookie, fills j but
 * `detail`, which it stores as it is; state (TOKEN_MAX) goes to the provider and back. */
int journey_begin(struct call *c, uint32_t org, uint64_t provider, struct journey *j,
		  char *state) MUST_CHECK;
/* 0, or 422 `unknown_state` and E_ANSWERED: wrong, used or too old.  same_browser: the cookie must
 * have come, too; a POST from another site has none, so that SAML leaves it to the claim. */
int journey_back(struct call *c, struct slice state, bool same_browser,
		 struct journey *ret) MUST_CHECK;
/* Replies 303 to return_to with a token, in a transaction of j->org. */
int journey_hand(struct call *c, const struct journey *j,
		 const struct federation_person *p) MUST_CHECK;
/* Replies 303 to return_to with an error's code, and logs why. */
int journey_fail(struct call *c, const struct journey *j, const char *code, const char *why);
/* Called with whom the token stands for, in the transaction of org that uses the token up. */
typedef int (*journey_met)(struct call *c, uint32_t org, const struct federation_person *p);
int journey_claim(struct call *c, struct slice token, journey_met met) MUST_CHECK;
