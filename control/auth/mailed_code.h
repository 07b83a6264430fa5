/* control/auth/mailed_code.h - a code of six digits, sent by mail.  It goes with a token that stays
 * with the browser: who has only one of the two has nothing.
 * Limits: MAILED_CODE_TRIES wrong codes end the token. */
#pragma once
#include "control/auth/token.h"
#include "control/http/call.h"

enum { MAILED_CODE_LEN = 6, MAILED_CODE_TRIES = 5 };

void mailed_code_new(char code[MAILED_CODE_LEN + 1]);
/* What the database keeps of a code; secret is the token's. */
void mailed_code_hash(const struct app *app, struct slice secret, struct slice code,
		      uint8_t ret[TOKEN_HASH_LEN]);
bool mailed_code_right(const struct app *app, struct slice secret, struct slice code,
		       struct slice stored);
/* 422 and E_ANSWERED: the token or its code is wrong, too old, used, or was tried too often. */
int mailed_code_refuse(struct call *c) MUST_CHECK;
