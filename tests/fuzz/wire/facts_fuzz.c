/* Laws: facts that are read are put again as the same bytes; reading stops at the first that is
 * none, and what was read before it stands at the front of the input. */
#include "schema/wire/facts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice all = slice_of(data, size), in = all;
	struct buf again = { 0 };
	struct wire_fact f;
	int r;

	while ((r = wire_fact_next(&in, &f)) > 0) {
		int put = wire_fact_put(&again, &f);
		assert(put == 0);
	}
	assert(r == 0 ? !in.n : in.n > 0);
	assert(slice_eq(buf_data(&again), slice_of(all.p, size - in.n)));
	buf_free(&again);
	return 0;
}
