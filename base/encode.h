/* base/encode.h - base64 (RFC 4648), base64url without padding, hex, UTF-8.
 * Names: base64_, base64url_, hex_, utf8_
 * Fails: decoders are strict: white space, stray bits and wrong padding give E_SYNTAX. */
#pragma once
#include "base/buf.h"

int base64_encode(struct buf *out, struct slice in) MUST_CHECK;
int base64_decode(struct buf *out, struct slice in) MUST_CHECK;
int base64url_encode(struct buf *out, struct slice in) MUST_CHECK;
int base64url_decode(struct buf *out, struct slice in) MUST_CHECK;
/* Two lower-case digits for each byte. */
int hex_encode(struct buf *out, struct slice in) MUST_CHECK;
int hex_decode(struct buf *out, struct slice in) MUST_CHECK;
int hex_digit(char c); /* its value, either case; -1 when it is none */
/* A number of 1 to 16 lower-case digits. */
int hex_u64(struct slice s, uint64_t *ret) MUST_CHECK;
/* The two upper-case digits that quoted-printable and percent-encoding want. */
static inline void hex_put_upper(char *dst, unsigned char c)
{
	dst[0] = "0123456789ABCDEF"[c >> 4];
	dst[1] = "0123456789ABCDEF"[c & 15];
}
/* Length of the first well-formed UTF-8 character (RFC 3629: no overlongs, no surrogates) or 0. */
size_t utf8_length(struct slice s);
bool utf8_valid(struct slice s);
/* Of the well-formed character that begins s, which utf8_length() has found. */
uint32_t utf8_code_point(struct slice s);
