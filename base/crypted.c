/* base/crypted.c - passwords by crypt(3). */
#include "base/crypted.h"

#include <crypt.h>

#include "base/random.h"

static_assert(CRYPTED_HASH_MAX + 1 >= CRYPT_OUTPUT_SIZE, "a hash must fit");
static_assert(CRYPTED_PASSWORD_MAX + 1 <= CRYPT_MAX_PASSPHRASE_SIZE, "crypt(3) takes it");

/* 32 KiB of work, wiped afterwards. */
static int run(struct slice password, const char *setting, char ret[CRYPTED_HASH_MAX + 1])
{
	struct crypt_data *work;
	char text[CRYPTED_PASSWORD_MAX + 1];
	const char *out;

	if (password.n > CRYPTED_PASSWORD_MAX)
		return E_LIMIT;
	if (!password.n || memchr(password.p, '\0', password.n))
		return E_SYNTAX;
	work = calloc(1, sizeof(*work));
	if (!work)
		return -ENOMEM;
	slice_copy(text, sizeof(text), password);
	out = crypt_r(text, setting, work);
	if (out && *out != '*')
		slice_copy(ret, CRYPTED_HASH_MAX + 1, slice_str(out));
	else
		out = NULL;
	explicit_bzero(text, sizeof(text));
	explicit_bzero(work, sizeof(*work));
	free(work);
	return out ? 0 : E_CRYPTO;
}

int crypted_make(struct slice password, char ret[CRYPTED_HASH_MAX + 1])
{
	char setting[CRYPT_GENSALT_OUTPUT_SIZE], chance[32];

	random_bytes(chance, sizeof(chance));
	if (!crypt_gensalt_rn("$y$", 0, chance, sizeof(chance), setting, sizeof(setting)))
		return E_CRYPTO;
	return run(password, setting, ret);
}

bool crypted_is_good(struct slice hash)
{
	char text[CRYPTED_HASH_MAX + 1];

	if (!hash.n || hash.n > CRYPTED_HASH_MAX || hash.p[0] != '$')
		return false;
	slice_copy(text, sizeof(text), hash);
	return crypt_checksalt(text) == CRYPT_SALT_OK;
}

bool crypted_matches(struct slice password, const char *hash)
{
	char out[CRYPTED_HASH_MAX + 1];

	return run(password, hash, out) == 0 && slice_eq_secret(slice_str(out), slice_str(hash));
}
