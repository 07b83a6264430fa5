/* base/random.c - numbers in a range, made of random_u64(). */
#include "base/random.h"

uint64_t random_u64(void)
{
	uint64_t v;

	random_bytes(&v, sizeof(v));
	return v;
}

uint32_t random_below(uint32_t n)
{
	/* Lemire's multiplication; the bias is below n / 2^32 and removed by rejection. */
	uint32_t low_limit = (0u - n) % n;

	for (;;) {
		uint32_t x;
		random_bytes(&x, sizeof(x));
		uint64_t m = (uint64_t)x * n;
		if ((uint32_t)m >= low_limit)
			return (uint32_t)(m >> 32);
	}
}

int64_t random_jitter(int64_t span)
{
	const int64_t most = (int64_t)UINT32_MAX - 1;

	if (span <= 0)
		return 0;
	return (int64_t)random_below((uint32_t)(span < most ? span : most) + 1);
}
