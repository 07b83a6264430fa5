/* dkim/canon.h - the relaxed canonicalisations of RFC 6376 sections 3.4.2 and 3.4.4.  All bytes are
 * in memory, and those that do not change are passed on in runs as long as possible.
 * Fails: E_SYNTAX for a bare CR in the body; E_CRYPTO, -ENOMEM. */
#pragma once
#include <openssl/evp.h>

#include "base/buf.h"
#include "dkim/frame.h"

/* Appends "name:value CRLF", or without the CRLF for our own field. */
int canon_field(struct slice text, size_t name_n, size_t colon, bool crlf,
		struct buf *out) MUST_CHECK;
/* Feeds the canonical body to a started hash.  A missing last CRLF counts as there. */
int canon_body(struct slice body, EVP_MD_CTX *hash) MUST_CHECK;
