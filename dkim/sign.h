/* dkim/sign.h - DKIM signatures (RFC 6376, RFC 8463): RSA with SHA-256 and Ed25519,
 * relaxed/relaxed, one or several over the same message.  Named sign_ because libopendkim
 * has all of dkim_.
 *
 * sign_message() is the hot path: it uses parsed keys and hashes the body once.  libopendkim is the
 * judge: sign_judge() makes the same signature at the same timestamp with libopendkim, and tests
 * compare the two byte for byte.  l= is never written.  From, To, Cc, Subject, Date and Reply-To
 * are oversigned: a copy with one of them added does not verify.
 *
 * Owns:    sign_key_load() gives the caller the key; sign_key_free() wipes and frees it.
 * Threads: one at a time per key; each lane loads its own.
 * Blocks:  never.
 * Fails:   E_CRYPTO: the key is unusable.  E_SYNTAX: not exactly one From, a line that is not a
 *          header field, a control character or a bare CR or LF in the header, a bare CR in the
 *          body.  E_LIMIT: more than 256 fields, or more than 128 that are signed.  The output is
 *          then as it was.
 * Limits:  lines of more than 998 bytes are not refused here.  A last CRLF that is missing
 *          counts as there. */
#pragma once
#include "base/buf.h"

enum sign_type { SIGN_RSA, SIGN_ED25519 };
struct sign_key;
struct sign_key *sign_key_free(struct sign_key *key);
DEFINE_OWNED(sign_key)

/* pem: PKCS#8 or traditional private key. RSA below 1024 bits is refused. */
int sign_key_load(struct sign_key **ret, struct slice pem, struct slice domain,
		  struct slice selector) MUST_CHECK;
enum sign_type sign_key_type(const struct sign_key *key);
struct slice sign_key_domain(const struct sign_key *key);
struct slice sign_key_selector(const struct sign_key *key);

/* Appends one "DKIM-Signature: ...\r\n" per key to out, in the order of the keys.  message is
 * whole: CRLF lines, an empty line between header and body.  now_s goes into t=. */
int sign_message(struct sign_key *const *keys, unsigned n, struct slice message, int64_t now_s,
		 struct buf *out) MUST_CHECK;
/* The same by libopendkim, which is slower: for tests and for a first message.  Each Ed25519 key
 * costs some 500 bytes that the library never gives back. */
int sign_judge(struct sign_key *const *keys, unsigned n, struct slice message, int64_t now_s,
	       struct buf *out) MUST_CHECK;
/* Verifies a signed message through libopendkim, with the public halves of the keys in the place of
 * DNS.  0 when each key has a signature and all signatures by these keys pass. */
int sign_verify(struct sign_key *const *keys, unsigned n, struct slice signed_message) MUST_CHECK;

/* New key: the private half as PKCS#8 PEM, the DNS TXT value ("v=DKIM1; k=rsa; p=..."). */
int sign_key_generate(enum sign_type type, struct buf *ret_pem, struct buf *ret_txt) MUST_CHECK;
/* The TXT value that belongs to a private key. */
int sign_key_txt(const struct sign_key *key, struct buf *out) MUST_CHECK;
/* Does a published TXT value carry the public half of this key?  The order of tags (but v= comes
 * first), spaces and extra tags do not matter (RFC 6376 section 3.6.1).
 * 0: yes.  E_SYNTAX: not a key record.  E_CONFLICT: another key, or h= or s= keep verifiers from
 * using it.  E_DENIED: the key is revoked (empty p=). */
int sign_key_published(const struct sign_key *key, struct slice txt) MUST_CHECK;
/* The same where only the TXT value that ought to be published is known, not the key. */
int sign_txt_published(struct slice expected, struct slice txt) MUST_CHECK;
