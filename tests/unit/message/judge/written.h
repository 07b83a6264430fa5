/* tests/unit/message/judge/written.h - rules of message/judge in the form of their file: what is
 * written so and read again is the same. */
#pragma once
#include "message/judge/judge.h"

void written_rules(const struct judge *j, struct buf *out);
