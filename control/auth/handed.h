/* control/auth/handed.h - tokens that let somebody choose a password: of an invitation, of a reset.
 * They go to the person by mail; where the platform sends none (mail.from), the admin who asked is
 * given the token to hand over.
 *
 * A token works once, for three days; one that a person asked for, an hour.
 * Blocks: on the database, in the open transaction of org. */
#pragma once
#include "control/auth/codes.h"
#include "control/auth/token.h"
#include "control/http/call.h"

/* token is "" when it went by mail. */
int handed_token(struct call *c, uint32_t org, uint64_t user, enum auth_token_kind kind,
		 char token[TOKEN_MAX]) MUST_CHECK;
/* A reset that the person asked for without being logged in: by mail, or not at all. */
int handed_reset(struct call *c, uint32_t org, uint64_t user) MUST_CHECK;
