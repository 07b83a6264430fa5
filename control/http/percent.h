/* control/http/percent.h - percent-decoding of paths and queries (RFC 3986 section 2.1), exactly
 * once: libmicrohttpd hands both over as they came.
 *
 * Fails: E_SYNTAX for an escape that is not two hexadecimal digits, for NUL, and for what is not
 *        UTF-8; E_LIMIT without room. */
#pragma once
#include "base/base.h"

/* out may not overlap in; *ret lies in out. */
int percent_decode(struct slice in, char *out, size_t size, struct slice *ret) MUST_CHECK;
/* Is text what in stands for?  For literal segments of routes. */
bool percent_equal(struct slice in, struct slice text);
