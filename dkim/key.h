/* dkim/key.h - the parts of a loaded key; only for the files of dkim/.
 * Owns:    sign_key owns its OpenSSL objects and scratch memory; sign_key_free() wipes them.
 * Threads: one at a time per key, because of its contexts and scratch memory. */
#pragma once
#include <openssl/evp.h>

#include "dkim/sign.h"

enum { SIGN_SIGNATURE_MAX = 1024, SIGN_SCRATCH_KEEP = 64 * 1024 };

struct sign_key {
	enum sign_type type;
	char *domain, *selector;
	EVP_PKEY *pkey;
	EVP_MD *sha256;
	EVP_MD_CTX *hash;   /* kept and started again: no allocation per message */
	EVP_PKEY_CTX *rsa;  /* RSA: ready for EVP_PKEY_sign, any number of times */
	EVP_MD_CTX *eddsa;  /* Ed25519: ready for EVP_DigestSign */
	struct buf headers; /* canonical header fields of the message at hand */
	struct buf field;   /* canonical form of our own field */
};

/* Signs a SHA-256 digest: PKCS#1 v1.5 for RSA, plain Ed25519 over the 32 bytes (RFC 8463
 * section 3).  out holds SIGN_SIGNATURE_MAX bytes. */
int sign_digest(struct sign_key *key, const uint8_t *digest, uint8_t *out,
		size_t *ret_n) MUST_CHECK;
/* The public half as it stands in p=: SubjectPublicKeyInfo for RSA, 32 raw bytes for Ed25519. */
int sign_key_public(const struct sign_key *key, struct buf *out) MUST_CHECK;
