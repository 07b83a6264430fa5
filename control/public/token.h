/* control/public/token.h - signed tokens for links that go out in mail: who they were sent to,
 * without saying so to anybody else.
 *
 *	token   = base64url( version: u8 = 1, key: u8, sealed: 16 bytes, mac: 16 bytes )
 *	payload = org: u32, campaign: u64, seq: u32                        (big-endian)
 *	mac     = first 16 bytes of HMAC-SHA-256( k1, version key payload )
 *	sealed  = payload XOR ChaCha20( k2, nonce = first 8 bytes of mac )
 *
 * The payload is masked because sequence numbers would tell a reader how much an organisation
 * sends; the same recipient always gets the same token, so feeding again changes nothing.
 * Guarantee: token_open() accepts only what token_make() made with the same key, and compares in
 * constant time.
 *
 * Fails:  E_SYNTAX (no token), E_DENIED (forged, or an unknown key).
 * Threads: a token_key is immutable after token_key_init. */
#pragma once
#include "base/base.h"

enum { TOKEN_TEXT_MAX = 48, TOKEN_SECRET_MIN = 32 };

struct token_key {
	uint8_t id;
	uint8_t mac[32], mask[32];
};
struct token_subject {
	uint32_t org;
	uint64_t campaign;
	uint32_t seq;
};

/* E_LIMIT when the secret is shorter than TOKEN_SECRET_MIN. */
int token_key_init(struct token_key *key, uint8_t id, struct slice secret) MUST_CHECK;
/* buf holds TOKEN_TEXT_MAX bytes; gives buf. */
char *token_make(const struct token_key *key, const struct token_subject *subject, char *buf);
int token_open(const struct token_key *key, struct slice text, struct token_subject *ret) MUST_CHECK;
