/* control/saml/signed.h - what a signature of an element covers, as bytes (XML Signature, SAML core
 * section 5.4).  Only for the verifying process (reader.h).
 *
 * Guarantee: the bytes are those that were digested for a signature that one of the keys made: no
 *            other part of the document, and nothing that the signature does not cover.
 * Taken are RSA and ECDSA with SHA-256, SHA-384 and SHA-512; one reference, to the element itself;
 * the transforms enveloped-signature and exclusive C14N without comments.  KeyInfo is not read.
 *
 * Blocks:  never; saml_signed_prepare() reads files of OpenSSL, so it comes before the sandbox. */
#pragma once
#include <openssl/evp.h>

#include "control/saml/xml.h"

int saml_signed_prepare(void) MUST_CHECK; /* E_CRYPTO */

/* Keys of certificates (DER); an entry is NULL where it is none that is taken. */
struct saml_keys {
	EVP_PKEY *key[SAML_CERTIFICATES_MAX];
	unsigned n;
};
enum saml_fault saml_signed_keys(const struct slice *certificates, unsigned n,
				 struct saml_keys *ret);
void saml_signed_keys_free(struct saml_keys *k);

/* The element's own signature, a child of it; NULL. */
xmlNode *saml_signed_by(const xmlNode *element);
/* Verifies it and appends what it covers to out. */
enum saml_fault saml_signed_bytes(saml_xml *d, xmlNode *element, const struct saml_keys *keys,
				  struct buf *out);
