/* tests/fuzz/control/guessable_fuzz.c - what a password costs those who guess.
 * Laws: a password costs no more than its characters alone; two that are joined cost no more than
 *       both; who knows more about the person pays no more; a cost is not negative. */
#include "control/auth/guessable.h"

enum { HALF = 100 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = slice_of(data, MIN_OF(size, (size_t)(2 * HALF)));
	struct slice front = slice_of(in.p, in.n / 2), back = slice_skip(in, in.n / 2);
	int whole = guessable_cost(in, NULL, 0);

	assert(whole >= 0 && whole <= (int)in.n * 55);
	assert(whole <= guessable_cost(front, NULL, 0) + guessable_cost(back, NULL, 0));
	assert(guessable_cost(in, &front, 1) <= whole);
	return 0;
}
