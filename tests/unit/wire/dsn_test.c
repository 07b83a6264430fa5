/* Unit test of schema/wire/dsn.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "schema/wire/dsn.h"

static void what_was_asked_comes_back_and_nothing_costs_nothing(void **state)
{
	const struct wire_dsn asked[] = {
		{ 0 },
		{ .notify = WIRE_NOTIFY_NEVER },
		{ .notify = WIRE_NOTIFY_SUCCESS | WIRE_NOTIFY_DELAY,
		  .orcpt = SLICE("rfc822;a+2Bb@c.test") },
		{ .orcpt = SLICE("rfc822;a@c.test") },
	};
	OWNED(wire_rows) rows = NULL;
	struct buf data = { 0 };
	struct wire_dsn got;
	struct wire_row row;

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(asked); i++)
		assert_int_equal(wire_dsn_put(&data, SLICE("a@c.test"), &asked[i]), 0);
	assert_int_equal(wire_rows_open(&rows, buf_data(&data), ARRAY_LEN(asked)), 0);
	assert_int_equal(wire_rows_n_fields(rows, 0), 0);
	for (unsigned i = 0; i < ARRAY_LEN(asked); i++) {
		assert_int_equal(wire_rows_get(rows, i, &row), 0);
		wire_dsn_get(&row, &got);
		assert_int_equal(got.notify, asked[i].notify);
		assert_true(slice_eq(got.orcpt, asked[i].orcpt));
	}
	buf_free(&data);
}

static void fields_of_another_kind_say_nothing(void **state)
{
	const struct value fields[] = { { .type = VALUE_STRING, .s = SLICE("x") },
					{ .type = VALUE_INT, .i = 7 } },
			   large[] = { { .type = VALUE_INT, .i = 16 } };
	struct wire_row row = { .n_fields = 2, .fields = fields };
	struct wire_dsn got;

	(void)state;
	wire_dsn_get(&row, &got);
	assert_int_equal(got.notify, 0);
	assert_int_equal(got.orcpt.n, 0);
	row = (struct wire_row){ .n_fields = 1, .fields = large };
	wire_dsn_get(&row, &got);
	assert_int_equal(got.notify, 0);
}

static void xtext_goes_there_and_back(void **state)
{
	static const char *const bad[] = { "a b", "a=b", "+",     "+2",
					   "+2b", "+G0", "a\x7f", "\xc3\xbc" };
	struct buf out = { 0 }, back = { 0 };

	(void)state;
	wire_xtext_encode(SLICE("a+b=c d\xff"), &out);
	assert_true(slice_eq(buf_data(&out), SLICE("a+2Bb+3Dc+20d+FF")));
	assert_int_equal(wire_xtext_decode(buf_data(&out), &back), 0);
	assert_true(slice_eq(buf_data(&back), SLICE("a+b=c d\xff")));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (wire_xtext_decode(slice_str(bad[i]), &back) != E_SYNTAX)
			fail_msg("%s", bad[i]);
	buf_free(&out);
	buf_free(&back);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_asked_comes_back_and_nothing_costs_nothing),
		cmocka_unit_test(fields_of_another_kind_say_nothing),
		cmocka_unit_test(xtext_goes_there_and_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
