/* spool/compress.h - the one door to zstd: packs the rows of a job when that saves enough.
 * Fails:   -ENOMEM; E_CORRUPT when packed bytes do not unpack to exactly the declared size.
 * Limits:  output is bounded by the declared size, which the caller has bounded.
 * Threads: any; each keeps a context of its own until it ends. */
#pragma once
#include "base/buf.h"

/* 1: *ret (malloc'd, *ret_n bytes) is smaller than in; 0: it would not be, and nothing is given. */
int compress_pack(struct slice in, char **ret, size_t *ret_n) MUST_CHECK;
int compress_unpack(struct slice in, size_t raw_len, struct buf *out) MUST_CHECK;
