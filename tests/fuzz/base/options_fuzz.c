/* Law: any file is either taken or refused with a text; what was taken can be shown, and what was
 *      shown is taken as the same. */
#include "base/options.h"

struct conf {
	bool on;
	int64_t number, wait, size;
	char *name, *list;
};
static const struct option table[] = {
	{ "on", T_BOOL, offsetof(struct conf, on), 0, 0, "yes", false, "h" },
	{ "number", T_INT, offsetof(struct conf, number), -5, 1000000, "7", true, "h" },
	{ "wait", T_DURATION, offsetof(struct conf, wait), 0, INT64_MAX, "30s", true, "h" },
	{ "size", T_SIZE, offsetof(struct conf, size), 0, INT64_MAX, "64K", false, "h" },
	{ "name", T_STR, offsetof(struct conf, name), 0, 0, "bob", false, "h" },
	{ "list", T_LIST, offsetof(struct conf, list), 0, 0, "x, y", false, "h" },
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void show(const struct conf *c, struct buf *out)
{
	for (unsigned i = 0; i < ARRAY_LEN(table); i++) {
		buf_putf(out, "%s = ", table[i].name);
		options_show(&table[i], c, out);
		buf_put(out, SLICE("\n"));
	}
}

static void must_read_as_shown(const struct conf *c)
{
	struct conf again = { 0 };
	char error[OPTION_ERROR_MAX];
	struct buf first, second;

	buf_init(&first, 0);
	buf_init(&second, 0);
	show(c, &first);
	if (options_parse(table, ARRAY_LEN(table), &again, buf_data(&first), "shown", error) < 0)
		abort();
	show(&again, &second);
	assert(slice_eq(buf_data(&first), buf_data(&second)));
	assert(strcmp(again.name, c->name) == 0 && strcmp(again.list, c->list) == 0);
	options_free(table, ARRAY_LEN(table), &again);
	buf_free(&first);
	buf_free(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct conf c = { 0 };
	char error[OPTION_ERROR_MAX] = "";

	options_defaults(table, ARRAY_LEN(table), &c);
	if (options_parse(table, ARRAY_LEN(table), &c, slice_of(data, size), "fuzz", error) == 0)
		must_read_as_shown(&c);
	else if (!error[0])
		abort();
	options_free(table, ARRAY_LEN(table), &c);
	return 0;
}
