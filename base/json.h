/* base/json.h - a value as JSON text (RFC 8259): what the command line prints for programs.  Bytes
 * that are not UTF-8 become U+FFFD, controls are escaped, NaN and infinity become null. */
#pragma once
#include "base/buf.h"
#include "base/value.h"

int json_put(struct buf *out, const struct value *v) MUST_CHECK;
