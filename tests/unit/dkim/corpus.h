/* tests/unit/dkim/corpus.h - messages to sign: real-looking and hostile headers and bodies, and a
 * seeded maker of more.  Every header is combined with every body. */
#pragma once
#include "base/buf.h"

extern const struct slice corpus_headers[], corpus_bodies[];
extern const unsigned corpus_n_headers, corpus_n_bodies;

/* A message that is well framed but otherwise as unpleasant as the seed makes it. */
void corpus_random(uint64_t *seed, struct buf *out);
