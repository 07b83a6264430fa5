/* tests/unit/mta/shape/written.h - a set of mta/shape in the form of a file: what is written so and
 * read again is the same. */
#pragma once
#include "mta/shape/shapes.h"

void written_shapes(const struct shapes *s, struct buf *out);
