/* dkim/sign.h - DKIM signatures (RFC 6376, RFC 8463): RSA-2048 with SHA-256 and Ed25519, relaxed/
 * relaxed, one or several over the same message.  Named sign_ because libopendkim has all of dkim_.
 *
 * The hot path (sign_message) keeps parsed keys and hashes the body once; libopendkim is the judge:
 * sign_judge() makes the same signature at the same timestamp with libopendkim, and tests hold the
 * two byte for byte together.  Never emits l=.  From, To, Cc, Subject, Date and
 * Reply-To are oversigned: a copy with one of them added does not verify.
 *
 * Owns:    sign_key_load() gives the caller the key; sign_key_free() wipes and frees it.
 * Threads: a key may be used by one thread at a time; load one a lane.
 * Blocks:  never.
 * Fails:   E_CRYPTO: key unusable.  E_SYNTAX: not exactly one From, a line that is no header field,
 *          a control character or bare CR or LF in the header, a bare CR in the body.  E_LIMIT:
 *          more than 256 fields, or more than 128 that are signed.  The output is then as it was.
 * Limits:  998-byte lines are not checked here.  A missing last CRLF counts as there. */
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

/* Appends one "DKIM-Signature: ...\r\n" a key to out, in the order of the keys.  message is whole,
 * CRLF lines, header and body parted by an empty line.  now_s goes into t=. */
int sign_message(struct sign_key *const *keys, unsigned n, struct slice message, int64_t now_s,
		 struct buf *out) MUST_CHECK;
/* The same by libopendkim, at its own pace: for tests and for a first message.  Each Ed25519 key
 * costs some 500 bytes the library never gives back. */
int sign_judge(struct sign_key *const *keys, unsigned n, struct slice message, int64_t now_s,
	       struct buf *out) MUST_CHECK;
/* Verifies a signed message through libopendkim with the keys' own public halves standing in for
 * DNS. 0 when every signature by one of the keys passes and there is one a key. */
int sign_verify(struct sign_key *const *keys, unsigned n, struct slice signed_message) MUST_CHECK;

/* New key: the private half as PKCS#8 PEM, the DNS TXT value ("v=DKIM1; k=rsa; p=..."). */
int sign_key_generate(enum sign_type type, struct buf *ret_pem, struct buf *ret_txt) MUST_CHECK;
/* The TXT value that belongs to a private key. */
int sign_key_txt(const struct sign_key *key, struct buf *out) MUST_CHECK;
/* Does a published TXT value carry this key's public half?  Order (but v= comes first), spaces and
 * extra tags do not matter (RFC 6376 section 3.6.1).  0 yes; E_SYNTAX not a key record; E_CONFLICT
 * another key, or one whose h= or s= keeps verifiers from using it; E_DENIED revoked (empty p=). */
int sign_key_published(const struct sign_key *key, struct slice txt) MUST_CHECK;
/* The same where only the TXT value that ought to be published is known, not the key. */
int sign_txt_published(struct slice expected, struct slice txt) MUST_CHECK;
