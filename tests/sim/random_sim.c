/* tests/sim/random_sim.c - chance that replays from a seed. */
#include "tests/sim/random_sim.h"

static uint64_t state = 1;

void random_sim_seed(uint64_t seed)
{
	state = seed;
}

static uint64_t next(void)
{
	uint64_t z = (state += 0x9e3779b97f4a7c15ULL);

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

void random_bytes(void *dst, size_t n)
{
	unsigned char *p = dst;

	for (uint64_t w = 0; n > 0; w >>= 8, n--, p++) {
		if (((uintptr_t)p - (uintptr_t)dst) % 8 == 0)
			w = next();
		*p = (unsigned char)w;
	}
}
