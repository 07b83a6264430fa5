/* control/auth/password.h - argon2id by libsodium; the stored text carries its own parameters.
 * Blocks: takes tens of milliseconds and auth.password_memory bytes, on purpose.  Do not call it
 *         within a transaction. */
#pragma once
#include "control/http/call.h"

enum { PASSWORD_HASH_MAX = 128, PASSWORD_MIN = 10, PASSWORD_MAX = 200 };
int password_hash(const struct app *app, struct slice password,
		  char ret[PASSWORD_HASH_MAX]) MUST_CHECK;
/* Refuses one that is tried first (control/auth/guessable.h): 0, or 422 with this pointer and
 * E_ANSWERED.  about: what the person and the organisation are called. */
int password_accept(struct call *c, const char *pointer, struct slice password,
		    const struct slice *about, size_t n_about) MUST_CHECK;
/* stored may be empty: the answer is then no, after the same time. */
bool password_right(const struct app *app, struct slice password, struct slice stored);
