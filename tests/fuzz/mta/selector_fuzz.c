/* Law: a selector that is printed and read again is the same, and holds for the same; an order
 * likewise.  What cannot be read says why. */
#include "mta/rules/rules.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_selector(struct slice text)
{
	static const struct subject somebody = {
		.knows = SELECTS_ALL & ~(1 << SELECT_SENDER),
		.tenant = 7,
		.domain = { "a.test", 6 },
		.reply = { "421 later", 9 },
		.age_ms = 7200000,
		.attempts = 2,
	};
	char one[SELECTOR_TEXT_MAX], two[SELECTOR_TEXT_MAX], fault[SELECTOR_FAULT_MAX];
	struct selector s, again;

	if (selector_read(text, &s, fault) < 0) {
		assert(*fault);
		return;
	}
	if (selector_print(&s, one, sizeof(one)) < 0)
		return; /* a little longer than it was written */
	assert(selector_parse(slice_str(one), &again) == 0);
	assert(selector_print(&again, two, sizeof(two)) == 0);
	assert(strcmp(one, two) == 0);
	assert(s.n == again.n && s.keys == again.keys);
	assert(selector_holds(&s, SELECTS_ALL, &somebody) ==
	       selector_holds(&again, SELECTS_ALL, &somebody));
}

static void check_order(struct slice text)
{
	struct order o, again;
	struct buf one, two;

	if (order_read(SLICE("order/5"), text, &o) < 0)
		return;
	buf_init(&one, 0);
	buf_init(&two, 0);
	order_print(&o, &one);
	assert(order_read(SLICE("order/5"), buf_data(&one), &again) == 0);
	order_print(&again, &two);
	assert(slice_eq(buf_data(&one), buf_data(&two)));
	buf_free(&one);
	buf_free(&two);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_selector(slice_of(data, size));
	check_order(slice_of(data, size));
	return 0;
}
