/* Reports about a domain.  Laws: a report that is read gives JSON within its bound and an identity,
 * and the same for the same bytes; what is none gives nothing. */
#include "message/aggregate/aggregate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf json = { 0 }, identity = { 0 }, again = { 0 }, name = { 0 };
	enum aggregate_kind kind = aggregate_read(slice_of(data, size), &json, &identity);

	assert(aggregate_read(slice_of(data, size), &again, &name) == kind);
	if (kind == AGGREGATE_NONE) {
		assert(!buf_len(&json) && !buf_len(&identity));
	} else {
		assert(buf_len(&json) <= AGGREGATE_JSON_MAX && buf_len(&identity));
		assert(slice_eq(buf_data(&json), buf_data(&again)));
		assert(slice_eq(buf_data(&identity), buf_data(&name)));
		assert(buf_data(&json).p[0] == '{');
	}
	buf_free(&json);
	buf_free(&identity);
	buf_free(&again);
	buf_free(&name);
	return 0;
}
