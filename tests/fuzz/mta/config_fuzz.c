/* Law: a configuration that was taken, shown option by option and read again, is the same; and it
 * is a whole one: something to retry by, a name, a source for the default pool. */
#include "mta/config/host.h"
#include "mta/deliver/deliverer.h"
#include "mta/parts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void show(const struct settings *s, struct buf *out)
{
	const struct option *row;

	for (size_t i = 0; (row = settings_row(s, i)) != NULL; i++) {
		buf_putf(out, "%s = ", row->name);
		settings_show(s, i, out);
		buf_put(out, SLICE("\n"));
	}
}

static int parse(struct settings **ret, struct slice text, const char *name)
{
	char error[OPTION_ERROR_MAX];

	return settings_parse(ret, mta_option_sets, mta_option_sets_n, text, name, error);
}

static void must_be_whole(const struct settings *s)
{
	const struct deliver_options *deliver = settings_of(s, &deliver_option_set);
	const struct egress_options *egress = settings_of(s, &egress_option_set);

	assert(deliver->n_retries && *host_options(s)->hostname && egress->n_sources);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	OWNED(settings) first = NULL;
	OWNED(settings) again = NULL;
	struct buf a, b;

	if (parse(&first, slice_of(data, size), "fuzz") < 0)
		return 0;
	must_be_whole(first);
	buf_init(&a, 0);
	buf_init(&b, 0);
	show(first, &a);
	if (parse(&again, buf_data(&a), "shown") < 0)
		abort();
	show(again, &b);
	assert(slice_eq(buf_data(&a), buf_data(&b)));
	buf_free(&a);
	buf_free(&b);
	return 0;
}
