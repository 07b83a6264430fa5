/* tests/unit/message/parsed.h - HTML as a parser that follows the standard reads it (gumbo): for
 * tests and fuzzers of message/sanitise. */
#pragma once
#include "base/base.h"

/* What mail must not have, told by names and values that the sanitiser's own tables do not share;
 * NULL when there is nothing.  The text is valid until the next call. */
const char *parsed_find_bad(struct slice html);
