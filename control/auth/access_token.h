/* control/auth/access_token.h - access tokens of OAuth 2.0: good for ten minutes, for one key.
 *
 *	token   = "mk_token_" org key "_" payload mac
 *	payload = 32 of base64url: expiry in seconds, scopes, chance; 8 bytes each
 *	mac     = 43 of base64url: HMAC-SHA-256(secret of the instance, all before it, hash of the
 *	          key's secret)
 *
 * Nothing is stored.  The key's row is read at each request, as for the key itself: a token ends
 * with its key, and with the secret of the key that it was given for.
 *
 * Fails: E_SYNTAX. */
#pragma once
#include "base/base.h"

enum { ACCESS_TOKEN_MAX = 128, ACCESS_TOKEN_LIFE_S = 600, ACCESS_TOKEN_KEY_LEN = 32 };
struct access_token {
	uint32_t org;
	uint64_t key;
	uint64_t expires_s, scopes, chance;
	struct slice signed_text, mac; /* of a token that was parsed */
};
int access_token_parse(struct slice text, struct access_token *ret) MUST_CHECK;
/* buf holds ACCESS_TOKEN_MAX. */
char *access_token_format(const uint8_t key[ACCESS_TOKEN_KEY_LEN], const struct access_token *t,
			  struct slice secret_hash, char *buf);
/* In constant time. */
bool access_token_right(const uint8_t key[ACCESS_TOKEN_KEY_LEN], const struct access_token *t,
			struct slice secret_hash);
