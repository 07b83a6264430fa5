/* control/contract/rfc3339.h - times as requests write them.
 * Fails:  E_SYNTAX.
 * Limits: 1970 to 9999, any offset; parts of a second beyond milliseconds are left away. */
#pragma once
#include "base/base.h"

int rfc3339_parse(struct slice s, int64_t *ret_ms) MUST_CHECK;
