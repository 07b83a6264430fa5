/* control/app/secrets.h - the instance's secrets: one file with two kinds of lines.
 *
 *	root <64 hex digits>
 *		what ids, cursors, tokens and peppers are derived from; never changes
 *	seal <number> <64 hex digits>
 *		AES-256-GCM keys for what is stored encrypted; the key with the highest number seals
 *		and every key opens, so a rotation is one more line
 *
 * Owns:    secrets_read() gives the caller the secrets; secrets_free() wipes them.
 * Fails:   E_SYNTAX, -errno, E_DENIED (others may read the file), E_CRYPTO (sealed bytes were
 *          changed or belong to another purpose), E_UNKNOWN (sealed with a key that is gone).
 * Threads: read-only after reading; any thread. */
#pragma once
#include "base/buf.h"

struct secrets;
struct secrets *secrets_free(struct secrets *s);
DEFINE_OWNED(secrets)

int secrets_read(struct secrets **ret, const char *path) MUST_CHECK;
int secrets_parse(struct secrets **ret, struct slice text) MUST_CHECK;
int secrets_make(const char *path) MUST_CHECK; /* a new file, mode 0600; E_EXISTS */

/* HMAC-SHA-256(root, label): one secret per purpose. */
void secrets_derive(const struct secrets *s, const char *label, uint8_t ret[32]);

/* out = nonce (12), ciphertext, tag (16).  about names what is sealed and where it belongs;
 * secrets_open() needs the same text. */
int secrets_seal(const struct secrets *s, struct slice about, struct slice plain, int *ret_id,
		 struct buf *out) MUST_CHECK;
int secrets_open(const struct secrets *s, int id, struct slice about, struct slice sealed,
		 struct buf *out) MUST_CHECK;

enum { MAC_LEN = 32 };
void secrets_mac(const uint8_t key[32], struct slice data, uint8_t ret[MAC_LEN]);
void secrets_sha256(struct slice data, uint8_t ret[32]);
