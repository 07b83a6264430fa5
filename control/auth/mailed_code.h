/* control/auth/mailed_code.h - a code of six digits, sent by mail.  It goes with a token that stays
 * with the browser: who has only one of the two has nothing.
 * Limits: MAILED_CODE_TRIES wrong codes end the token. */
#pragma once
#include "control/auth/codes.h"
#include "control/auth/token.h"
#include "control/http/call.h"

enum { MAILED_CODE_LEN = 6, MAILED_CODE_TRIES = 5 };

void mailed_code_new(char code[MAILED_CODE_LEN + 1]);
/* What the database keeps of a code; secret is the token's. */
void mailed_code_hash(const struct app *app, struct slice secret, struct slice code,
		      uint8_t ret[TOKEN_HASH_LEN]);
bool mailed_code_right(const struct app *app, struct slice secret, struct slice code,
		       struct slice stored);
/* A code that somebody logged in sends back with its token, in an open transaction: 1, or 0 when it
 * is not right.  A wrong one is counted, and this must be committed: refuse after it.
 * The row has what the code was made for and the person's address at these columns. */
enum { MAILED_CODE_DETAIL = 3, MAILED_CODE_ADDRESS };
int mailed_code_check(struct call *c, const struct token *t, enum auth_token_kind kind,
		      struct slice code, struct db_result **ret_row) MUST_CHECK;
/* 422 and E_ANSWERED: the token or its code is wrong, too old, used, or was tried too often. */
int mailed_code_refuse(struct call *c) MUST_CHECK;
