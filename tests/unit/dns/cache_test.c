/* tests/unit/dns/cache_test.c - the cache. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "dns/cache.h"

static void store(struct cache *c, const char *name, enum dns_type type, int64_t expires_ms,
		  size_t bytes)
{
	struct answer *w = answer_new(0, bytes);

	w->expires_ms = expires_ms;
	cache_store(c, w, slice_str(name), type);
	answer_unref(w);
}

static bool holds(struct cache *c, const char *name, enum dns_type type, int64_t now_ms)
{
	return cache_find(c, slice_str(name), type, now_ms) != NULL;
}

static void an_answer_is_found_by_name_and_type_until_it_expires(void **state UNUSED)
{
	struct cache c;

	cache_init(&c, 10);
	store(&c, "a.example", DNS_A, 1000, 0);
	assert_true(holds(&c, "a.example", DNS_A, 999));
	assert_false(holds(&c, "a.example", DNS_AAAA, 0));
	assert_false(holds(&c, "b.example", DNS_A, 0));
	assert_false(holds(&c, "a.example", DNS_A, 1000));
	assert_int_equal(c.map.count, 0);
	assert_int_equal(c.bytes, 0);
	cache_free(&c);
}

static void a_newer_answer_replaces_the_older(void **state UNUSED)
{
	struct cache c;

	cache_init(&c, 10);
	store(&c, "a.example", DNS_A, 1000, 0);
	store(&c, "a.example", DNS_A, 2000, 0);
	assert_int_equal(c.map.count, 1);
	assert_true(holds(&c, "a.example", DNS_A, 1500));
	cache_free(&c);
}

static void the_least_recently_used_leave_first(void **state UNUSED)
{
	struct cache c;
	char name[32];

	cache_init(&c, 10);
	for (int i = 0; i < 10; i++) {
		(void)snprintf(name, sizeof(name), "n%d.example", i);
		store(&c, name, DNS_A, 1000, 0);
	}
	assert_true(holds(&c, "n0.example", DNS_A, 0));
	store(&c, "new.example", DNS_A, 1000, 0);
	assert_int_equal(c.map.count, 10);
	assert_true(holds(&c, "n0.example", DNS_A, 0));
	assert_false(holds(&c, "n1.example", DNS_A, 0));
	cache_free(&c);
}

static void large_answers_count_by_their_bytes(void **state UNUSED)
{
	struct cache c;
	char name[32];

	cache_init(&c, 100);
	for (int i = 0; i < 100; i++) {
		(void)snprintf(name, sizeof(name), "n%d.example", i);
		store(&c, name, DNS_TXT, 1000, 50000);
		assert_true(c.bytes <= 100 * CACHE_ENTRY_BYTES);
	}
	assert_int_equal(c.map.count, 2);
	assert_true(holds(&c, "n99.example", DNS_TXT, 0));
	cache_free(&c);
}

static void an_answer_in_use_outlives_its_place_in_the_cache(void **state UNUSED)
{
	struct answer *w;
	struct cache c;

	cache_init(&c, 1);
	store(&c, "a.example", DNS_A, 1000, 0);
	w = answer_ref(cache_find(&c, SLICE("a.example"), DNS_A, 0));
	store(&c, "b.example", DNS_A, 1000, 0);
	cache_flush(&c, SLICE("b.example"));
	assert_int_equal(c.map.count, 0);
	assert_string_equal(w->name, "a.example");
	answer_unref(w);
	cache_free(&c);
}

static void a_cache_without_entries_keeps_nothing(void **state UNUSED)
{
	struct cache c;

	cache_init(&c, 0);
	store(&c, "a.example", DNS_A, 1000, 0);
	assert_int_equal(c.map.count, 0);
	cache_free(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_is_found_by_name_and_type_until_it_expires),
		cmocka_unit_test(a_newer_answer_replaces_the_older),
		cmocka_unit_test(the_least_recently_used_leave_first),
		cmocka_unit_test(large_answers_count_by_their_bytes),
		cmocka_unit_test(an_answer_in_use_outlives_its_place_in_the_cache),
		cmocka_unit_test(a_cache_without_entries_keeps_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
