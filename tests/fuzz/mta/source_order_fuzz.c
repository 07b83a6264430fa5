/* Law: an order on a source (key, line feed, value) is taken exactly when it is understood; taken
 * back, it leaves nothing behind. */
#include "mta/egress/ordered.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice key, value = { 0 };
	struct ordered *o = ordered_new();
	struct ordered_added added[2];
	unsigned n;
	bool fine;

	if (!slice_cut(slice_of(data, size), '\n', &key, &value))
		key = slice_of(data, size);
	fine = ordered_check(key, value) == 0;
	assert(fine == (ordered_set(o, key, value) == 0));
	n = ordered_each_added(o, added, ARRAY_LEN(added));
	assert(n <= (fine && value.n));
	assert(!n ||
	       (added[0].entry->weight >= 0 && *added[0].entry->pool && *added[0].entry->ehlo));
	assert(!n || ordered_of(o, &added[0].entry->ip).use == SOURCE_IN_USE);
	if (fine)
		assert(ordered_set(o, key, (struct slice){ 0 }) == 0);
	assert(ordered_each_added(o, added, ARRAY_LEN(added)) == 0);
	(void)ordered_free(o);
	return 0;
}
