/* control/members/joining.h - one more organisation for the person logged in: by an invitation that
 * they accept, or by a session there, which they show beside the one here.
 *
 * Both sides are proved: the session here and the one there were begun, or confirmed, with the
 * person's own password within auth.proof_life; an invitation is a secret that was sent to them.
 * Both sides are told, by mail and audit, and neither is named to the other.
 * Blocks: on the database. */
#pragma once
#include "control/http/call.h"

int joining_post(struct call *c) MUST_CHECK; /* POST /v1/me/organisations */
/* 0, or 403 for a session that the organisation's own sign-in began. */
int joining_own(struct call *c) MUST_CHECK;
int joining_sso_only(struct call *c) MUST_CHECK; /* 403 */
/* A row of org, name, handle, status, role, own role, last login. */
json_t *joining_json(const struct call *c, const struct db_result *res, unsigned row);
