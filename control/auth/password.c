/* control/auth/password.c - argon2id with libsodium's own text form. */
#include <sodium.h>

#include "control/auth/guessable.h"
#include "control/auth/options.h"
#include "control/auth/password.h"
#include "control/http/problem.h"

enum { PASSES = 2 };
_Static_assert(PASSWORD_HASH_MAX >= crypto_pwhash_STRBYTES, "libsodium's text fits");

int password_hash(const struct app *app, struct slice password, char ret[PASSWORD_HASH_MAX])
{
	return crypto_pwhash_str_alg(ret, password.p, password.n, PASSES,
				     (size_t)auth_options(app)->password_memory,
				     crypto_pwhash_ALG_ARGON2ID13)
		   ? -ENOMEM
		   : 0;
}

int password_accept(struct call *c, const char *pointer, struct slice password,
		    const struct slice *about, size_t n_about)
{
	if (guessable_password(password, about, n_about))
		problem_add(c, pointer, "common_password",
			    "is among the passwords that are tried first (common words, names, "
			    "runs of keys, what you or your organisation are called): take three "
			    "or four words that do not belong together");
	return problem_end(c);
}

bool password_right(const struct app *app, struct slice password, struct slice stored)
{
	char hash[PASSWORD_HASH_MAX] = "";

	if (!stored.n) {
		/* Nobody may learn from the time it takes whether an account exists. */
		(void)!password_hash(app, password, hash);
		return false;
	}
	slice_copy(hash, sizeof(hash), stored);
	return crypto_pwhash_str_verify(hash, password.p, password.n) == 0;
}
