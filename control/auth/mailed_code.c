/* control/auth/mailed_code.c - codes made and compared. */
#include "control/auth/mailed_code.h"

#include <stdio.h>

#include "base/random.h"
#include "control/auth/statements.h"
#include "control/http/problem.h"

void mailed_code_new(char code[MAILED_CODE_LEN + 1])
{
	(void)snprintf(code, MAILED_CODE_LEN + 1, "%06u", (unsigned)random_below(1000000));
}

void mailed_code_hash(const struct app *app, struct slice secret, struct slice code,
		      uint8_t ret[TOKEN_HASH_LEN])
{
	struct buf both = { 0 };

	buf_put(&both, secret);
	buf_put(&both, SLICE(" "));
	buf_put(&both, code);
	token_hash(app->token_pepper, buf_data(&both), ret);
	if (both.p)
		explicit_bzero(both.p, both.cap);
	buf_free(&both);
}

bool mailed_code_right(const struct app *app, struct slice secret, struct slice code,
		       struct slice stored)
{
	uint8_t hash[TOKEN_HASH_LEN];

	mailed_code_hash(app, secret, code, hash);
	return slice_eq_secret(slice_of((char *)hash, sizeof(hash)), stored);
}

enum { C_SECRET, C_CODE, C_TRIES };

int mailed_code_check(struct call *c, const struct token *t, enum auth_token_kind kind,
		      struct slice code, struct db_result **ret_row)
{
	int r = db_run(c->db, ret_row, sql_auth_code_find, p_int(t->org), p_int(t->id),
		       p_int(c->actor.id), p_int(kind));
	struct db_result *row = *ret_row;

	if (r <= 0 || db_int(row, 0, C_TRIES) >= MAILED_CODE_TRIES ||
	    !token_right(c->app->token_pepper, t->secret, db_bytes(row, 0, C_SECRET)))
		return r < 0 ? r : 0;
	if (mailed_code_right(c->app, t->secret, code, db_bytes(row, 0, C_CODE)))
		return 1;
	r = db_run(c->db, NULL, sql_auth_code_tried, p_int(t->org), p_int(t->id));
	return r < 0 ? r : 0;
}

int mailed_code_refuse(struct call *c)
{
	return problem(c, 422, "wrong_code",
		       "the code is wrong, too old, used already or was tried too often: ask for "
		       "a new one");
}
