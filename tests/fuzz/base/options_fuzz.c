/* Law: any file is either taken or refused with a text; what was taken can be shown
 *      and taken again. */
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct conf c = { 0 };
	char error[OPTION_ERROR_MAX] = "";
	struct buf shown, first;

	options_defaults(table, ARRAY_LEN(table), &c);
	if (options_parse(table, ARRAY_LEN(table), &c, slice_of(data, size), "fuzz", error) < 0) {
		if (!error[0])
			abort();
	} else {
		buf_init(&shown, 0);
		buf_init(&first, 0);
		/* numbers only: a name may hold what starts a comment */
		for (unsigned i = 0; i < 4; i++) {
			buf_putf(&first, "%s = ", table[i].name);
			options_show(&table[i], &c, &first);
			buf_put(&first, SLICE("\n"));
		}
		struct conf again = { 0 };
		options_defaults(table, ARRAY_LEN(table), &again);
		if (options_parse(table, ARRAY_LEN(table), &again, buf_data(&first), "again",
				  error) < 0 ||
		    again.number != c.number || again.wait != c.wait || again.size != c.size ||
		    again.on != c.on)
			abort();
		options_free(table, ARRAY_LEN(table), &again);
		buf_free(&shown);
		buf_free(&first);
	}
	options_free(table, ARRAY_LEN(table), &c);
	return 0;
}
