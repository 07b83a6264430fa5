/* tests/unit/wire/rows_test.c - rows of a job. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>

#include "base/clock.h"
#include "schema/wire/rows.h"

static struct value string_value(const char *s)
{
	return (struct value){ .type = VALUE_STRING, .s = slice_str(s) };
}

static int open_copy(struct wire_rows **ret, const struct buf *b, size_t n, uint32_t rows,
		     char **ret_copy)
{
	/* An exact allocation, so that a sanitizer sees the first byte past the end. */
	*ret_copy = malloc(n ? n : 1);
	memcpy(*ret_copy, b->p + b->start, n);
	return wire_rows_open(ret, slice_of(*ret_copy, n), rows);
}

static void put_three(struct buf *b)
{
	struct value items[] = { { .type = VALUE_INT, .i = -7 },
				 { .type = VALUE_BOOL, .b = true } };
	struct value_member members[] = { { SLICE("name"), string_value("Ada") },
					  { SLICE("list"),
					    { .type = VALUE_LIST, .count = 2, .items = items } } };
	struct value fields[] = { string_value("Łódź"),
				  { .type = VALUE_REAL, .d = 0.1 },
				  { .type = VALUE_NULL },
				  { .type = VALUE_MAP, .count = 2, .members = members } };

	assert_int_equal(wire_row_put(b, SLICE("a@one.example"), 1, fields, 4), 0);
	assert_int_equal(wire_row_put(b, SLICE("b@two.example"), UINT64_MAX, NULL, 0), 0);
	assert_int_equal(wire_row_put(b, SLICE("c@three.example"), 3, fields, 1), 0);
}

static void rows_come_back_as_they_were_put(void **state)
{
	struct buf b = { 0 };
	OWNED(wire_rows) rows = NULL;
	struct wire_row row;

	(void)state;
	put_three(&b);
	assert_int_equal(wire_rows_open(&rows, buf_data(&b), 3), 0);
	assert_true(slice_eq(wire_rows_address(rows, 2), SLICE("c@three.example")));
	assert_int_equal(wire_rows_get(rows, 0, &row), 0);
	assert_true(slice_eq(row.address, SLICE("a@one.example")));
	assert_int_equal(row.ref, 1);
	assert_int_equal(row.n_fields, 4);
	assert_true(slice_eq(row.fields[0].s, SLICE("Łódź")));
	assert_true(row.fields[1].d == 0.1);
	assert_int_equal(row.fields[2].type, VALUE_NULL);
	const struct value *list = value_member(&row.fields[3], SLICE("list"));
	assert_non_null(list);
	assert_int_equal(list->items[0].i, -7);
	assert_true(list->items[1].b);
	assert_int_equal(wire_rows_get(rows, 1, &row), 0);
	assert_int_equal(row.n_fields, 0);
	assert_true(row.ref == UINT64_MAX);
	buf_free(&b);
}

static void asking_twice_for_a_row_gives_the_same_values(void **state)
{
	struct buf b = { 0 };
	OWNED(wire_rows) rows = NULL;
	struct wire_row one, two;

	(void)state;
	put_three(&b);
	assert_int_equal(wire_rows_open(&rows, buf_data(&b), 3), 0);
	assert_int_equal(wire_rows_get(rows, 0, &one), 0);
	assert_int_equal(wire_rows_get(rows, 0, &two), 0);
	assert_ptr_equal(one.fields, two.fields);
	buf_free(&b);
}

static void rows_cut_anywhere_are_refused(void **state)
{
	struct buf b = { 0 };

	(void)state;
	put_three(&b);
	for (size_t n = 0; n < buf_len(&b); n++) {
		OWNED(wire_rows) rows = NULL;
		char *copy;
		assert_true(open_copy(&rows, &b, n, 3, &copy) < 0);
		free(copy);
	}
	buf_free(&b);
}

static void another_number_of_rows_than_expected_is_refused(void **state)
{
	struct buf b = { 0 };
	OWNED(wire_rows) rows = NULL;

	(void)state;
	put_three(&b);
	assert_int_equal(wire_rows_open(&rows, buf_data(&b), 2), E_SYNTAX);
	assert_int_equal(wire_rows_open(&rows, buf_data(&b), 4), E_SYNTAX);
	assert_int_equal(wire_rows_open(&rows, SLICE(""), 65535), E_SYNTAX);
	assert_int_equal(wire_rows_open(&rows, buf_data(&b), 65536), E_LIMIT);
	buf_free(&b);
}

static void rows_that_claim_more_than_they_bring_are_refused(void **state)
{
	static const struct {
		const char *what;
		struct slice bytes;
	} bombs[] = {
		{ "list of 2^32-1", SLICE("\xdd\xff\xff\xff\xff"
					  "aaaa") },
		{ "list of 65535", SLICE("\xdc\xff\xff"
					 "aaaa") },
		{ "field list of 2^32-1", SLICE("\x93\xa1"
						"a\x01\xdd\xff\xff\xff\xff") },
		{ "field map of 2^32-1", SLICE("\x93\xa1"
					       "a\x01\xdf\xff\xff\xff\xff") },
		{ "string longer than the bytes", SLICE("\x92\xdb\xff\xff\xff\xff\x01") },
		{ "number where the address stands", SLICE("\x92\x01\x01\x01") },
		{ "string where the ref stands", SLICE("\x92\xa1"
						       "a\xa1"
						       "b") },
		{ "negative ref", SLICE("\x92\xa1"
					"a\xff") },
		{ "one entry", SLICE("\x91\xa1"
				     "a") },
		{ "extension type", SLICE("\x93\xa1"
					  "a\x01\xd4\x01\x01") },
		{ "the byte that is never used", SLICE("\x93\xa1"
						       "a\x01\xc1") },
		{ "a number as a name", SLICE("\x93\xa1"
					      "a\x01\x81\x01\x01") },
		{ "an integer past int64", SLICE("\x93\xa1"
						 "a\x01\xcf\xff\xff\xff\xff\xff\xff\xff\xff") },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bombs); i++) {
		OWNED(wire_rows) rows = NULL;
		int r = wire_rows_open(&rows, bombs[i].bytes, 1);
		if (r != E_SYNTAX)
			fail_msg("%s gave %d", bombs[i].what, r);
	}
}

static void nesting_past_the_limit_is_refused_without_recursion(void **state)
{
	struct buf b = { 0 };
	OWNED(wire_rows) rows = NULL;

	(void)state;
	buf_put(&b, SLICE("\x93\xa1"
			  "a\x01"));
	for (int i = 0; i < 100000; i++)
		buf_put(&b, SLICE("\x91"));
	buf_put(&b, SLICE("\xc0"));
	assert_int_equal(wire_rows_open(&rows, buf_data(&b), 1), E_LIMIT);
	buf_free(&b);
}

static void nesting_up_to_the_limit_is_read(void **state)
{
	struct value levels[VALUE_DEPTH_MAX + 2];
	struct buf b = { 0 };
	OWNED(wire_rows) rows = NULL;
	struct wire_row row;

	(void)state;
	levels[0] = (struct value){ .type = VALUE_NULL };
	for (int i = 1; i < VALUE_DEPTH_MAX + 2; i++)
		levels[i] =
		    (struct value){ .type = VALUE_LIST, .count = 1, .items = &levels[i - 1] };
	assert_int_equal(wire_row_put(&b, SLICE("a"), 1, &levels[VALUE_DEPTH_MAX + 1], 1), E_LIMIT);
	assert_int_equal(buf_len(&b), 0);
	assert_int_equal(wire_row_put(&b, SLICE("a"), 1, &levels[VALUE_DEPTH_MAX], 1), 0);
	assert_int_equal(wire_rows_open(&rows, buf_data(&b), 1), 0);
	assert_int_equal(wire_rows_get(rows, 0, &row), 0);
	const struct value *v = &row.fields[0];
	for (int i = 0; i < VALUE_DEPTH_MAX; i++)
		v = v->items;
	assert_int_equal(v->type, VALUE_NULL);
	buf_free(&b);
}

static void a_put_that_fails_leaves_the_buf_as_it_was(void **state)
{
	static char long_text[WIRE_STRING_MAX + 1];
	struct value big = { .type = VALUE_STRING, .s = slice_of(long_text, sizeof(long_text)) };
	static struct value many[WIRE_FIELDS_MAX + 1];
	struct buf b = { .max = 40 };

	(void)state;
	assert_int_equal(wire_row_put(&b, SLICE("a@b.example"), 1, NULL, 0), 0);
	size_t before = buf_len(&b);
	assert_int_equal(wire_row_put(&b, SLICE("a@b.example"), 1, many, 40), E_LIMIT);
	assert_int_equal(wire_row_put(&b, SLICE("a@b.example"), 1, &big, 1), E_LIMIT);
	assert_int_equal(wire_row_put(&b, SLICE("a@b.example"), 1, many, WIRE_FIELDS_MAX + 1),
			 E_LIMIT);
	assert_int_equal(wire_row_put(&b, big.s, 1, NULL, 0), E_LIMIT);
	assert_int_equal(buf_len(&b), before);
	buf_free(&b);
}

/* The figure is printed for whoever looks; what is held is only that it all opens. */
static void a_full_chunk_of_rows_opens(void **state)
{
	struct value fields[] = { string_value("Ada"), string_value("Lovelace"),
				  string_value("London") };
	struct buf b = { 0 };
	int64_t start;

	(void)state;
	for (unsigned i = 0; i < WIRE_ROWS_MAX; i++) {
		char address[64];
		int n = snprintf(address, sizeof(address), "recipient%u@d%u.example", i, i % 200);
		assert_int_equal(wire_row_put(&b, slice_of(address, (size_t)n), i, fields, 3), 0);
	}
	start = clock_mono_us();
	for (int i = 0; i < 16; i++) {
		OWNED(wire_rows) rows = NULL;
		assert_int_equal(wire_rows_open(&rows, buf_data(&b), WIRE_ROWS_MAX), 0);
		assert_true(wire_rows_address(rows, WIRE_ROWS_MAX - 1).n > 0);
	}
	print_message("opened %.1f million rows/s\n",
		      16.0 * WIRE_ROWS_MAX / (double)(clock_mono_us() - start + 1));
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_come_back_as_they_were_put),
		cmocka_unit_test(asking_twice_for_a_row_gives_the_same_values),
		cmocka_unit_test(rows_cut_anywhere_are_refused),
		cmocka_unit_test(another_number_of_rows_than_expected_is_refused),
		cmocka_unit_test(rows_that_claim_more_than_they_bring_are_refused),
		cmocka_unit_test(nesting_past_the_limit_is_refused_without_recursion),
		cmocka_unit_test(nesting_up_to_the_limit_is_read),
		cmocka_unit_test(a_put_that_fails_leaves_the_buf_as_it_was),
		cmocka_unit_test(a_full_chunk_of_rows_opens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
