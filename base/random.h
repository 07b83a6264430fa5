/* base/random.h - the door to chance.  The real one asks the kernel (getrandom) through a buffer
 * per thread; tests link tests/sim/random_sim.c, which replays from a seed.
 * Blocks: never after boot.
 * Fails:  never; a kernel without getrandom ends the process. */
#pragma once
#include <stddef.h>
#include <stdint.h>

void random_bytes(void *dst, size_t n);
uint64_t random_u64(void);
uint32_t random_below(uint32_t n); /* uniform in [0, n), n > 0 */
/* Uniform in [0, span]; 0 when span is not positive.  Spans past 2^32 - 2 count as that. */
int64_t random_jitter(int64_t span);
