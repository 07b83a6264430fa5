/* mta/submit/when.h - a moment as clients write it: date-time of RFC 3339 section 5.6, in any zone.
 * Fails: E_SYNTAX. */
#pragma once
#include "base/base.h"

int when_parse(struct slice text, int64_t *ret_wall_ms) MUST_CHECK;
