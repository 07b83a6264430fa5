/* base/encode.h - base64 (RFC 4648), base64url without padding, hex.
 * Decoders are strict: no white space, no stray bits, right padding; E_SYNTAX otherwise. */
#pragma once
#include "base/buf.h"

int base64_encode(struct buf *out, struct slice in) MUST_CHECK;
int base64_decode(struct buf *out, struct slice in) MUST_CHECK;
int base64url_encode(struct buf *out, struct slice in) MUST_CHECK;
int base64url_decode(struct buf *out, struct slice in) MUST_CHECK;
int hex_encode(struct buf *out, struct slice in) MUST_CHECK;
int hex_decode(struct buf *out, struct slice in) MUST_CHECK;
/* Length of the first well-formed UTF-8 character (RFC 3629: no overlongs, no surrogates) or 0. */
size_t utf8_length(struct slice s);
bool utf8_valid(struct slice s);
