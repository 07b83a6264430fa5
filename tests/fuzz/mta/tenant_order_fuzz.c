/* Law: an order on limits that is read, printed and read again is the same, and every value of it
 * lies in its bounds. */
#include <assert.h>

#include "mta/tenants/order.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_bounds(const struct tenant_words *w)
{
	for (unsigned i = 0; i < TENANT_KEYS; i++)
		assert(w->v[i] >= TENANT_UNSAID);
	assert(w->v[TENANT_WEIGHT] <= TENANT_WEIGHT_MAX && w->v[TENANT_WEIGHT] != TENANT_NONE);
}

static bool same(const struct tenant_words *a, const struct tenant_words *b)
{
	return memcmp(a->v, b->v, sizeof(a->v)) == 0;
}

/* The first line is the rule's key, the rest its value. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice rest = slice_of(data, size), key = slice_take(&rest, '\n');
	struct tenant_order once, twice;
	struct buf k, v;

	if (tenant_order_read(key, rest, &once) < 0)
		return 0;
	check_bounds(&once.words);
	check_bounds(&once.before);
	buf_init(&k, 0);
	buf_init(&v, 0);
	tenant_order_print(&once, &k, &v);
	int r = tenant_order_read(buf_data(&k), buf_data(&v), &twice);
	assert(r == 0);
	assert(once.campaign == twice.campaign && once.number == twice.number);
	assert(same(&once.words, &twice.words) && same(&once.before, &twice.before));
	assert(strcmp(once.author, twice.author) == 0 && strcmp(once.reason, twice.reason) == 0);
	buf_free(&k);
	buf_free(&v);
	return 0;
}
