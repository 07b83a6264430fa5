/* control/http/etag.h - If-Match and If-None-Match (RFC 9110, 13.1.1 and 13.1.2).
 * Our ETags are strong: the object's version in quotes.
 * Fails: never; what cannot be read matches nothing. */
#pragma once
#include "base/base.h"

/* Does a field value, `*` or a list of entity tags, name this version?  weak: W/"3" counts as "3".
 * What is no entity tag matches nothing, and ends the list. */
bool etag_matches(struct slice field, int64_t version, bool weak);
