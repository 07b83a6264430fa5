/* tests/unit/base/base_test.c - slices, bufs, lists, maps and chance. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/base.h"
#include "base/buf.h"
#include "base/list.h"
#include "base/map.h"
#include "base/random.h"

static void a_number_is_digits_only_and_within_its_limit(void **state)
{
	uint64_t v = 7;

	(void)state;
	assert_int_equal(slice_u64(SLICE("65535"), 65535, &v), 0);
	assert_int_equal(v, 65535);
	assert_int_equal(slice_u64(SLICE("18446744073709551615"), UINT64_MAX, &v), 0);
	assert_true(v == UINT64_MAX);
	v = 7;
	assert_int_equal(slice_u64(SLICE("65536"), 65535, &v), -ERANGE);
	assert_int_equal(slice_u64(SLICE("18446744073709551616"), UINT64_MAX, &v), -ERANGE);
	assert_int_equal(slice_u64(SLICE(""), 10, &v), -EINVAL);
	assert_int_equal(slice_u64(SLICE("-1"), 10, &v), -EINVAL);
	assert_int_equal(slice_u64(SLICE(" 1"), 10, &v), -EINVAL);
	assert_int_equal(slice_u64(SLICE("1x"), 10, &v), -EINVAL);
	assert_int_equal(v, 7);
}

static void an_id_reads_back_as_it_was_written(void **state)
{
	char text[ID_TEXT_MAX];
	struct id128 id;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		struct id128 want = { random_u64() >> (i % 64), random_u64() >> (i % 61) };
		assert_int_equal(id_parse(slice_str(id_format(want, text)), &id), 0);
		assert_true(id_eq(id, want));
	}
	assert_int_equal(id_parse(SLICE("1f"), &id), E_SYNTAX);
	assert_int_equal(id_parse(SLICE("1f."), &id), E_SYNTAX);
	assert_int_equal(id_parse(SLICE("1F.0"), &id), E_SYNTAX);
	assert_int_equal(id_parse(SLICE("11111111111111111.0"), &id), E_SYNTAX);
}

static bool is(struct slice s, const char *text)
{
	return slice_eq(s, slice_str(text));
}

static void blanks_are_trimmed_at_both_ends_only(void **state)
{
	(void)state;
	assert_true(is(slice_trim(SLICE(" \t a \tb\r ")), "a \tb\r"));
	assert_true(is(slice_trim_set(SLICE("\r a\n"), " \r\n"), "a"));
	assert_int_equal(slice_trim(SLICE(" \t ")).n, 0);
	assert_int_equal(slice_trim(slice_of(NULL, 0)).n, 0);
	assert_true(slice_eq(slice_trim_set(SLICE("\0 a \0"), " "), SLICE("\0 a \0")));
}

static void a_slice_is_cut_at_the_first_or_the_last_of_a_byte(void **state)
{
	struct slice before = SLICE("old"), after = SLICE("old");

	(void)state;
	assert_false(slice_cut(SLICE("ab"), '=', &before, &after));
	assert_false(slice_cut_last(slice_of(NULL, 0), '=', &before, &after));
	assert_true(is(before, "old") && is(after, "old"));
	assert_true(slice_cut(SLICE("a=b=c"), '=', &before, &after));
	assert_true(is(before, "a") && is(after, "b=c"));
	assert_true(slice_cut_last(SLICE("a=b="), '=', &before, &after));
	assert_true(is(before, "a=b") && is(after, ""));
}

static void taking_walks_to_the_end_of_a_slice(void **state)
{
	struct slice rest = SLICE("a,,b"), empty = slice_of(NULL, 0);

	(void)state;
	assert_true(is(slice_take(&rest, ','), "a") && is(rest, ",b"));
	assert_true(is(slice_take(&rest, ','), "") && is(rest, "b"));
	assert_true(is(slice_take(&rest, ','), "b") && rest.n == 0);
	assert_int_equal(slice_take(&empty, ',').n + empty.n, 0);
}

static void a_prefix_is_stripped_only_when_it_is_there(void **state)
{
	struct slice s = SLICE("abc");

	(void)state;
	assert_false(slice_strip(&s, SLICE("aB")));
	assert_false(slice_strip(&s, SLICE("abcd")));
	assert_true(slice_strip(&s, SLICE("ab")) && is(s, "c"));
	assert_true(slice_strip(&s, SLICE("c")) && s.n == 0);
}

static void a_copy_is_cut_and_always_ends_in_nul(void **state)
{
	char small[4];

	(void)state;
	assert_int_equal(slice_copy(small, sizeof(small), SLICE("abcdef")), 3);
	assert_string_equal(small, "abc");
	assert_int_equal(slice_copy(small, sizeof(small), SLICE("")), 0);
	assert_string_equal(small, "");
}

static void secrets_compare_like_bytes(void **state)
{
	(void)state;
	assert_true(slice_eq_secret(SLICE("abc"), SLICE("abc")));
	assert_false(slice_eq_secret(SLICE("abc"), SLICE("abd")));
	assert_false(slice_eq_secret(SLICE("abc"), SLICE("abcd")));
}

static void a_buf_gives_back_what_was_appended_in_order(void **state)
{
	struct buf b;
	unsigned char want = 0, next = 0;

	(void)state;
	buf_init(&b, 0);
	for (int i = 0; i < 20000; i++) {
		if (random_below(3)) {
			char c = (char)next++;
			assert_int_equal(buf_append_byte(&b, c), 0);
		} else if (buf_len(&b)) {
			size_t n = random_below((uint32_t)buf_len(&b)) + 1;
			for (size_t k = 0; k < n; k++)
				assert_int_equal((unsigned char)buf_data(&b).p[k], want++);
			buf_consume(&b, n);
		}
	}
	buf_free(&b);
}

static void a_buf_refuses_to_grow_past_its_cap_and_keeps_what_it_has(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 10);
	assert_int_equal(buf_append(&b, SLICE("12345678")), 0);
	assert_int_equal(buf_append(&b, SLICE("abc")), E_LIMIT);
	assert_true(slice_eq(buf_data(&b), SLICE("12345678")));
	buf_consume(&b, 5);
	assert_int_equal(buf_append(&b, SLICE("1234567")), 0);
	assert_true(slice_eq(buf_data(&b), SLICE("6781234567")));
	buf_free(&b);
}

struct node {
	struct map_link link;
	uint64_t key;
	bool there;
};

static void a_map_finds_exactly_what_was_inserted_and_not_removed(void **state)
{
	enum { N = 5000 };
	struct node *nodes = must_alloc(N * sizeof(*nodes));
	struct map m;
	size_t count = 0, seen = 0, pos = 0;

	(void)state;
	map_init(&m);
	for (int i = 0; i < N * 4; i++) {
		struct node *n = &nodes[random_below(N)];
		n->key = (uint64_t)(n - nodes);
		/* few hash values, so that chains with equal hashes happen */
		if (n->there)
			map_remove(&m, &n->link);
		else
			map_insert(&m, &n->link, n->key % 97);
		n->there = !n->there;
	}
	for (size_t i = 0; i < N; i++) {
		bool found = false;
		for (struct map_link *l = map_find(&m, i % 97); l; l = map_find_next(l))
			found |= container_of(l, struct node, link)->key == i &&
				 container_of(l, struct node, link) == &nodes[i];
		assert_int_equal(found, nodes[i].there);
		count += nodes[i].there;
	}
	for (struct map_link *l = map_next(&m, &pos, NULL); l; l = map_next(&m, &pos, l))
		seen++;
	assert_int_equal(seen, count);
	assert_int_equal(m.count, count);
	map_free(&m);
	free(nodes);
}

static void random_below_stays_below_and_reaches_every_value(void **state)
{
	unsigned hits[7] = { 0 };

	(void)state;
	for (int i = 0; i < 7000; i++)
		hits[random_below(7)]++;
	for (int i = 0; i < 7; i++)
		assert_in_range(hits[i], 700, 1300);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_number_is_digits_only_and_within_its_limit),
		cmocka_unit_test(an_id_reads_back_as_it_was_written),
		cmocka_unit_test(blanks_are_trimmed_at_both_ends_only),
		cmocka_unit_test(a_slice_is_cut_at_the_first_or_the_last_of_a_byte),
		cmocka_unit_test(taking_walks_to_the_end_of_a_slice),
		cmocka_unit_test(a_prefix_is_stripped_only_when_it_is_there),
		cmocka_unit_test(a_copy_is_cut_and_always_ends_in_nul),
		cmocka_unit_test(secrets_compare_like_bytes),
		cmocka_unit_test(a_buf_gives_back_what_was_appended_in_order),
		cmocka_unit_test(a_buf_refuses_to_grow_past_its_cap_and_keeps_what_it_has),
		cmocka_unit_test(a_map_finds_exactly_what_was_inserted_and_not_removed),
		cmocka_unit_test(random_below_stays_below_and_reaches_every_value),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
