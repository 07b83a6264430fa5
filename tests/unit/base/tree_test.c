/* tests/unit/base/tree_test.c - trees of values and JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>

#include "base/json.h"
#include "base/tree.h"

static void expect_json(const struct value *v, const char *text)
{
	struct buf out = { 0 };

	assert_int_equal(json_put(&out, v), 0);
	assert_string_equal(buf_cstr(&out), text);
	buf_free(&out);
}

static void a_tree_reads_in_the_order_it_was_built(void **state)
{
	OWNED(tree) t = tree_new();
	struct branch *root = tree_map(t), *rows = branch_list(root, "rows"), *row;

	(void)state;
	branch_int(root, "n", -5);
	row = branch_map(rows, NULL);
	branch_str(row, "name", "a");
	branch_bool(row, "on", true);
	branch_list(row, "none");
	branch_int(rows, NULL, 7);
	assert_int_equal(branch_count(rows), 2);
	expect_json(tree_value(t),
		    "{\"rows\": [{\"name\": \"a\", \"on\": true, \"none\": []}, 7], \"n\": -5}");
}

static void texts_are_copied_and_the_tree_may_grow_after_it_was_read(void **state)
{
	OWNED(tree) t = tree_new();
	char text[] = "before";

	(void)state;
	branch_str(tree_map(t), "a", text);
	memcpy(text, "after!", 6);
	expect_json(tree_value(t), "{\"a\": \"before\"}");
	branch_int(tree_map(t), "b", 1);
	expect_json(tree_value(t), "{\"a\": \"before\", \"b\": 1}");
}

static void a_tree_holds_more_than_a_block(void **state)
{
	OWNED(tree) t = tree_new();
	struct branch *list = branch_list(tree_map(t), "list");
	static char big[10000];

	(void)state;
	memset(big, 'x', sizeof(big));
	for (int i = 0; i < 1000; i++)
		branch_int(branch_map(list, NULL), "i", i);
	branch_slice(list, NULL, slice_of(big, sizeof(big)));
	const struct value *v = &tree_value(t)->members[0].value;
	assert_int_equal(v->count, 1001);
	assert_int_equal(v->items[999].members[0].value.i, 999);
	assert_int_equal(v->items[1000].s.n, sizeof(big));
}

static void json_escapes_what_a_peer_wrote(void **state)
{
	static const struct {
		struct slice in;
		const char *out;
	} cases[] = {
		{ SLICE("a\"b\\c"), "\"a\\\"b\\\\c\"" },
		{ SLICE("\x1b[31m\r\n\t\0\x7f"),
		  "\"\\u001b[31m\\u000d\\u000a\\u0009\\u0000\\u007f\"" },
		{ SLICE("Gr\xc3\xbc\xc3\x9f"), "\"Gr\xc3\xbc\xc3\x9f\"" },
		{ SLICE("\xff\xc3"), "\"\xef\xbf\xbd\xef\xbf\xbd\"" },
		{ SLICE("\xed\xa0\x80"),
		  "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" }, /* a surrogate is no UTF-8 */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		expect_json(&(struct value){ .type = VALUE_STRING, .s = cases[i].in },
			    cases[i].out);
	expect_json(&(struct value){ .type = VALUE_REAL, .d = NAN }, "null");
	expect_json(&(struct value){ .type = VALUE_REAL, .d = 0.5 }, "0.5");
	expect_json(&(struct value){ .type = VALUE_INT, .i = INT64_MIN }, "-9223372036854775808");
	expect_json(&(struct value){ .type = VALUE_NULL }, "null");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_tree_reads_in_the_order_it_was_built),
		cmocka_unit_test(texts_are_copied_and_the_tree_may_grow_after_it_was_read),
		cmocka_unit_test(a_tree_holds_more_than_a_block),
		cmocka_unit_test(json_escapes_what_a_peer_wrote),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
