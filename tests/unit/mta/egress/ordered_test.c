/* Unit test of mta/egress/ordered.h, entry.h and numbered.h: orders on sources, as rules. */
#include <stdarg.h>
#include <stdio.h>

#include <setjmp.h>
#include <cmocka.h>

#include "mta/egress/ordered.h"
#include "mta/egress/numbered.h"

static struct ip ip_of(const char *text)
{
	struct ip ip;

	assert_int_equal(ip_parse(slice_str(text), &ip), 0);
	return ip;
}

static void set(struct ordered *s, const char *key, const char *value)
{
	assert_int_equal(ordered_set(s, slice_str(key), slice_str(value)), 0);
}

static void an_order_on_an_address_is_in_force_until_it_is_taken_back(void **state)
{
	struct ordered *s = ordered_new();
	struct ip a = ip_of("192.0.2.1"), any = { 0 };

	(void)state;
	assert_int_equal(ordered_of(s, &a).use, SOURCE_IN_USE);
	set(s, "source-state/192.0.2.1", "drain 1700000000000 by ann: too slow");
	assert_int_equal(ordered_of(s, &a).use, SOURCE_DRAINED);
	assert_int_equal(ordered_of(s, &a).since_ms, 1700000000000);
	assert_string_equal(ordered_of(s, &a).why, "by ann: too slow");
	assert_int_equal(ordered_of(s, &any).use, SOURCE_IN_USE);
	set(s, "source-state/*", "disable 5 by bob");
	assert_int_equal(ordered_of(s, &any).use, SOURCE_DISABLED);
	set(s, "source-state/192.0.2.1", "");
	assert_int_equal(ordered_of(s, &a).use, SOURCE_IN_USE);
	assert_int_equal(ordered_of(s, &any).use, SOURCE_DISABLED);
	(void)ordered_free(s);
}

static void an_entry_that_was_added_is_replaced_and_taken_back(void **state)
{
	struct ordered *s = ordered_new();
	struct ordered_added got[4];

	(void)state;
	set(s, "source-add/a/192.0.2.1", "7 x.test weight=3 by ann");
	set(s, "source-add/b/192.0.2.1", "8 x.test weight=1 via=dmz by ann: a try");
	assert_int_equal(ordered_each_added(s, got, 4), 2);
	set(s, "source-add/a/192.0.2.1", "9 x.test weight=5 by bob");
	assert_int_equal(ordered_each_added(s, got, 4), 2);
	for (unsigned i = 0; i < 2; i++) {
		bool is_b = strcmp(got[i].entry->pool, "b") == 0;
		assert_int_equal(got[i].entry->weight, is_b ? 1 : 5);
		assert_int_equal(got[i].since_ms, is_b ? 8 : 9);
		assert_string_equal(got[i].why, is_b ? "by ann: a try" : "by bob");
		assert_string_equal(is_b ? got[i].entry->proxy : "dmz", "dmz");
	}
	set(s, "source-add/a/192.0.2.1", "");
	assert_int_equal(ordered_each_added(s, got, 4), 1);
	(void)ordered_free(s);
}

static void what_is_no_order_changes_nothing(void **state)
{
	static const char *const bad[][2] = {
		{ "source-state/", "drain 1 by x" },
		{ "source-state/mx.test", "drain 1 by x" },
		{ "source-state/192.0.2.1", "stop 1 by x" },
		{ "source-state/192.0.2.1", "drain by x" },
		{ "source-add/192.0.2.1", "1 x.test weight=1 by x" },
		{ "source-add/a/192.0.2.1", "1 x.test weight=1001 by x" },
		{ "source-add/a/192.0.2.1", "1 x.test weight=1 weight=2 by x" },
		{ "source-add/a/192.0.2.1", "1 x.test weight=1" },
		{ "source-add/a/192.0.2.1", "1 <x> by x" },
		{ "source-add/a/*", "1 x.test via=p by x" },
		{ "hold/all", "by x" },
	};
	struct ordered *s = ordered_new();

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(ordered_set(s, slice_str(bad[i][0]), slice_str(bad[i][1])),
				 E_SYNTAX);
		assert_int_equal(ordered_check(slice_str(bad[i][0]), slice_str(bad[i][1])),
				 E_SYNTAX);
	}
	assert_int_equal(ordered_generation(s), 0);
	(void)ordered_free(s);
}

static void too_many_orders_are_refused(void **state)
{
	struct ordered *s = ordered_new();
	char key[64];

	(void)state;
	for (int i = 0; i <= ORDERED_MAX; i++) {
		(void)snprintf(key, sizeof(key), "source-state/10.0.%d.%d", i / 250, i % 250);
		assert_int_equal(ordered_set(s, slice_str(key), SLICE("drain 1 by x")),
				 i < ORDERED_MAX ? 0 : E_LIMIT);
		(void)snprintf(key, sizeof(key), "source-add/p/10.0.%d.%d", i / 250, i % 250);
		assert_int_equal(ordered_set(s, slice_str(key), SLICE("1 x.test by x")),
				 i < ORDERED_MAX ? 0 : E_LIMIT);
	}
	(void)ordered_free(s);
}

static void an_entry_keeps_its_number(void **state)
{
	struct numbered *t = numbered_new();
	struct egress_source a, b;

	(void)state;
	assert_int_equal(entry_read(SLICE("p 192.0.2.1 x.test weight=2"), &a), 0);
	assert_int_equal(entry_read(SLICE("p 192.0.2.1 x.test weight=3"), &b), 0);
	assert_int_equal(numbered_number(t, &a), 0);
	assert_int_equal(numbered_number(t, &b), 1);
	assert_int_equal(numbered_number(t, &a), 0);
	entry_clear(&a);
	entry_clear(&b);
	(void)numbered_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_order_on_an_address_is_in_force_until_it_is_taken_back),
		cmocka_unit_test(an_entry_that_was_added_is_replaced_and_taken_back),
		cmocka_unit_test(what_is_no_order_changes_nothing),
		cmocka_unit_test(too_many_orders_are_refused),
		cmocka_unit_test(an_entry_keeps_its_number),
	};
	return cmocka_run_group_tests_name("ordered", tests, NULL, NULL);
}
