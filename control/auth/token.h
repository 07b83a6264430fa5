/* control/auth/token.h - credentials as text.  Each names its organisation, so that no table is
 * ever searched across organisations.
 *
 *	session      = "ses_" org session "_" secret
 *	mailed token = "tok_" org token "_" secret
 *	key          = ("mk_live_" / "mk_test_") org key "_" secret
 *	org, session, token, key = 13 letters (control/http/ids.h)
 *	secret       = 43 of base64url, 256 random bits
 *
 * The database holds only HMAC-SHA-256(pepper, secret); comparison takes constant time. */
#pragma once
#include "base/buf.h"
#include "control/http/ids.h"

enum { TOKEN_MAX = 96, TOKEN_SECRET_LEN = 43, TOKEN_HASH_LEN = 32 };
struct token {
	enum id_kind kind; /* ID_SESSION, ID_KEY, ID_TOKEN */
	bool test;         /* "mk_test_" */
	uint32_t org;
	uint64_t id;
	struct slice secret;
};
int token_parse(struct slice text, struct token *ret) MUST_CHECK; /* E_SYNTAX */
void token_secret(char secret[TOKEN_SECRET_LEN + 1]);             /* a new one */
char *token_format(enum id_kind kind, uint32_t org, uint64_t id, const char *secret, char *buf);
char *token_format_key(bool test, uint32_t org, uint64_t id, const char *secret, char *buf);
void token_hash(const uint8_t pepper[32], struct slice secret, uint8_t ret[TOKEN_HASH_LEN]);
bool token_right(const uint8_t pepper[32], struct slice secret, struct slice stored_hash);
