/* dns/name.h - domain names as text: lower case, no final dot, at most 253 bytes, labels of 1 to 63
 * letters, digits, '-' and '_' (RFC 1035 section 2.3.4; '_' for service labels). */
#pragma once
#include "dns/resolver.h"

/* Writes the clean name with its NUL to ret, which holds DNS_NAME_MAX bytes; gives its length.
 * E_SYNTAX when s is not such a name; the root is not one. */
int name_clean(struct slice s, char *ret) MUST_CHECK;
/* The same from an uncompressed wire name; 0 is the root.  E_SYNTAX for bytes outside the set. */
int name_from_wire(const uint8_t *wire, size_t n, char *ret) MUST_CHECK;
/* Writes a clean name in wire form; out holds 255 bytes; gives the length. */
size_t name_to_wire(struct slice clean, uint8_t *out);
