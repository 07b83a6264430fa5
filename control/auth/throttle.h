/* control/auth/throttle.h - how often an account may be guessed at, and accounts be made, invited
 * and reset.
 *
 * Guesses at an account from places where its person never logged in share one bucket, whatever
 * address they come from; each known place has a bucket of its own, so that guesses from elsewhere
 * keep nobody out.  A reset of the password fills the first again.
 *
 * Blocks: never; the buckets are in memory (control/http/brake.h).
 * Fails:  429 and E_ANSWERED. */
#pragma once
#include "control/http/call.h"

/* email is normalised; whether there is such an account makes no difference. */
bool throttle_guess(struct call *c, struct slice email);
bool throttle_guess_known(struct call *c, uint32_t org, uint64_t user);
/* The guess was right: it is given back. */
void throttle_right(struct call *c, struct slice email);
void throttle_right_known(struct call *c, uint32_t org, uint64_t user);
void throttle_lift(struct call *c, struct slice email);
int throttle_refuse(struct call *c) MUST_CHECK;

/* Guesses at a second factor: the account's from strange places, and of each known one. */
int throttle_factor(struct call *c, uint32_t org, uint64_t user, bool known) MUST_CHECK;
void throttle_factor_right(struct call *c, uint32_t org, uint64_t user, bool known);
int throttle_code(struct call *c, uint32_t org, uint64_t user) MUST_CHECK; /* codes by mail */

int throttle_session(struct call *c) MUST_CHECK; /* guesses at the own password */
int throttle_reset(struct call *c, struct slice email) MUST_CHECK;
int throttle_signup(struct call *c) MUST_CHECK;
int throttle_invite(struct call *c) MUST_CHECK; /* and resets for members */
