/* Law: a configuration that was taken, shown option by option and read again, is the same; and it
 * is a whole one: something to retry by, a name, a source for the default pool. */
#include "mta/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void show(const struct mta_config *c, struct buf *out)
{
	size_t n;
	const struct option *table = config_table(&n);

	for (size_t i = 0; i < n; i++) {
		buf_putf(out, "%s = ", table[i].name);
		options_show(&table[i], c, out);
		buf_put(out, SLICE("\n"));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	OWNED(mta_config) first = NULL;
	OWNED(mta_config) again = NULL;
	char error[OPTION_ERROR_MAX];
	struct buf a, b;

	if (config_parse(&first, slice_of(data, size), "fuzz", error) < 0)
		return 0;
	assert(first->n_retries && *first->hostname && first->n_sources);
	buf_init(&a, 0);
	buf_init(&b, 0);
	show(first, &a);
	if (config_parse(&again, buf_data(&a), "shown", error) < 0)
		abort();
	show(again, &b);
	assert(slice_eq(buf_data(&a), buf_data(&b)));
	buf_free(&a);
	buf_free(&b);
	return 0;
}
