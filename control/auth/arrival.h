/* control/auth/arrival.h - what follows a first factor: the one place that decides whether a second
 * one is due or a session is made.  Passwords, tokens that were handed over and sign-ups come here,
 * and so must every other way to show who one is.
 *
 * Guarantee: no session of somebody with a second factor begins without it.
 * Blocks:    on the database, in the open transaction of org. */
#pragma once
#include "control/auth/login_session.h"
#include "control/http/call.h"

/* Replies: a session with `status`, or 202 with a challenge for /v1/auth/login/factor. */
int arrival_continue(struct call *c, uint32_t org, uint64_t user, unsigned status) MUST_CHECK;
/* The same for somebody who showed more than that they are there. */
int arrival_continue_shown(struct call *c, uint32_t org, uint64_t user, unsigned status,
			   struct login_shown shown) MUST_CHECK;
