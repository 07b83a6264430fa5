/* control/auth/proof.h - what would lock a person out, or let another in, wants to know that the
 * person is there: that they logged in, or gave password and code again, a moment ago
 * (auth.proof_life).  Who finds a browser open, or steals a session, cannot do it. */
#pragma once
#include "control/http/call.h"

int proof_need(struct call *c) MUST_CHECK; /* 0, or 403 and E_ANSWERED */
int proof_refuse(struct call *c) MUST_CHECK;
