/* control/auth/password.h - argon2id by libsodium; the stored text carries its own parameters.
 * Blocks: takes tens of milliseconds and auth.password_memory bytes, on purpose.  Do not call it
 *         within a transaction. */
#pragma once
#include "control/app/app.h"

enum { PASSWORD_HASH_MAX = 128, PASSWORD_MIN = 10, PASSWORD_MAX = 200 };
int password_hash(const struct app *app, struct slice password,
		  char ret[PASSWORD_HASH_MAX]) MUST_CHECK;
/* stored may be empty: the answer is then no, after the same time. */
bool password_right(const struct app *app, struct slice password, struct slice stored);
