/* message/sevenbit.h - an 8-bit message made 7-bit for a host without 8BITMIME (RFC 6152 section
 * 3): each part that needs it becomes quoted-printable or base64 (RFC 2045 section 6).
 *
 * Guarantee: decoded, each part has the bytes that it had; structure, boundaries, order and all
 * other header fields stay.  Nothing above 127 comes out, and no line of more than 998 bytes but
 * those that came in (of a header, or of a part that is encoded already).
 *
 * A header that is 8-bit itself needs SMTPUTF8 and is not converted.  Nor is what must not be
 * encoded: multipart/signed and -encrypted (RFC 1847), message/partial and its like (RFC 2046
 * section 5.2), parts that say that they are encoded and are 8-bit all the same.  What stands
 * before the first and behind the last boundary and is 8-bit is left out.
 * Owns:    nothing.
 * Blocks:  never.
 * Fails:   E_DENIED: it must not be converted; E_SYNTAX: its structure cannot be read; E_LIMIT;
 *          what was appended until then is of no use.
 * Limits:  SEVENBIT_DEPTH levels of parts; each costs a look at all of its bytes.  Out come at most
 *          1.5 times as many bytes as went in, and a few for each part. */
#pragma once
#include "base/buf.h"

enum { SEVENBIT_DEPTH = 16 };

int sevenbit_append(struct buf *out, struct slice message) MUST_CHECK;
/* Bodies that keep their lines and have few odd bytes are easier to read as quoted-printable. */
bool sevenbit_wants_base64(struct slice body);
/* The encoders alone.  No line of quoted-printable begins with "-", so that none is a boundary. */
int sevenbit_append_quoted(struct buf *out, struct slice body) MUST_CHECK;
int sevenbit_append_base64(struct buf *out, struct slice body) MUST_CHECK;
