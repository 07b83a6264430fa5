/* control/http/brake: buckets by rule and key. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
/* cmocka needs the headers above */
#include <cmocka.h>

#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "control/http/brake.h"

static const struct http_brake_rule rule = { "rule", 5, 60 }, other = { "other", 5, 60 };

static bool take(const struct http_brake_rule *r, const char *key, unsigned cost,
		 struct http_brake_left *left)
{
	return http_brake_take(r, slice_str(key), cost, left);
}

static void a_bucket_grants_its_burst_and_says_when_there_is_more(void **state)
{
	struct http_brake_left left;

	(void)state;
	for (int i = 4; i >= 0; i--) {
		assert_true(take(&rule, "a", 1, &left));
		assert_int_equal(left.left, i);
		assert_int_equal(left.wait_s, 0);
	}
	assert_false(take(&rule, "a", 1, &left));
	assert_in_range(left.wait_s, 59, 61); /* one a minute */
	assert_in_range(left.full_s, 299, 301);
}

static void rules_and_keys_are_apart(void **state)
{
	struct http_brake_left left;

	(void)state;
	assert_true(take(&rule, "b", 5, &left));
	assert_false(take(&rule, "b", 1, &left));
	assert_true(take(&other, "b", 1, &left));
	assert_true(take(&rule, "c", 1, &left));
}

static void what_costs_more_than_there_is_takes_nothing(void **state)
{
	struct http_brake_left left;

	(void)state;
	assert_true(take(&rule, "d", 3, &left));
	assert_false(take(&rule, "d", 3, &left));
	assert_int_equal(left.left, 2);
	assert_true(take(&rule, "d", 2, &left));
	assert_true(take(&rule, "e", 99, &left)); /* never more than the burst: it can be had */
}

static void what_is_given_back_fills_no_more_than_the_bucket(void **state)
{
	struct http_brake_left left;

	(void)state;
	assert_true(take(&rule, "f", 5, &left));
	http_brake_give(&rule, SLICE("f"), 1);
	assert_true(take(&rule, "f", 1, &left));
	assert_false(take(&rule, "f", 1, &left));
	http_brake_give(&rule, SLICE("f"), 1000);
	assert_true(take(&rule, "f", 5, &left));
	assert_false(take(&rule, "f", 1, &left));
}

static void a_flood_of_other_keys_is_bounded_in_memory_and_granted(void **state)
{
	struct http_brake_left left;
	char key[32];

	(void)state;
	for (int i = 0; i < 200000; i++) {
		(void)snprintf(key, sizeof(key), "flood %d", i);
		assert_true(take(&rule, key, 1, &left));
	}
}

static void addresses_of_one_64_are_one_key(void **state)
{
	struct ip a, b, c, four;

	(void)state;
	assert_int_equal(ip_parse(SLICE("2001:db8::1"), &a), 0);
	assert_int_equal(ip_parse(SLICE("2001:db8::ffff:1:2"), &b), 0);
	assert_int_equal(ip_parse(SLICE("2001:db8:0:1::1"), &c), 0);
	assert_int_equal(ip_parse(SLICE("192.0.2.1"), &four), 0);
	assert_true(slice_eq(http_brake_address(&a), http_brake_address(&b)));
	assert_false(slice_eq(http_brake_address(&a), http_brake_address(&c)));
	assert_int_equal(http_brake_address(&four).n, 4);
}

enum { PROCESSES = 3, HAMMER_MS = 300 };

/* How many one of them is granted while it asks as fast as it can. */
static int64_t hammer(const struct http_brake_rule *r)
{
	int64_t end = clock_mono_ms() + HAMMER_MS, granted = 0;
	struct http_brake_left left;

	while (clock_mono_ms() < end)
		granted += take(r, "all", 1, &left);
	return granted;
}

static int64_t hammer_all(const struct http_brake_rule *r)
{
	int64_t sum = 0, one;
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	for (int i = 0; i < PROCESSES; i++)
		if (fork() == 0) {
			one = hammer(r);
			_exit(write(ends[1], &one, sizeof(one)) != sizeof(one));
		}
	for (int i = 0; i < PROCESSES; i++) {
		assert_int_equal(read(ends[0], &one, sizeof(one)), sizeof(one));
		sum += one;
	}
	while (wait(NULL) > 0)
		;
	(void)close(ends[0]);
	(void)close(ends[1]);
	return sum;
}

static void three_processes_together_keep_to_the_rule(void **state UNUSED)
{
	static const struct http_brake_rule laws[] = { { "large", 90, 36000 },
						       { "uneven", 100, 3601 },
						       { "small", 2, 60 } };

	http_brake_share(PROCESSES);
	for (size_t i = 0; i < ARRAY_LEN(laws); i++) {
		int64_t began = clock_mono_ms(), sum = hammer_all(&laws[i]);
		int64_t ms = clock_mono_ms() - began;

		assert_true(sum <= laws[i].burst + laws[i].per_hour * ms / 3600000 + PROCESSES);
		assert_true(sum >= laws[i].burst - PROCESSES);
	}
	http_brake_share(1);
}

static void a_share_that_shrinks_holds_at_once(void **state UNUSED)
{
	static const struct http_brake_rule r = { "shrinks", 30, 60 };
	struct http_brake_left left;

	assert_true(take(&r, "k", 1, &left));
	assert_int_equal(left.left, 29);
	http_brake_share(3);
	assert_true(take(&r, "k", 1, &left));
	assert_int_equal(left.left, 9);
	http_brake_share(1);
	assert_true(take(&r, "k", 1, &left));
	assert_int_equal(left.left, 8); /* it fills again in its time */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_bucket_grants_its_burst_and_says_when_there_is_more),
		cmocka_unit_test(rules_and_keys_are_apart),
		cmocka_unit_test(what_costs_more_than_there_is_takes_nothing),
		cmocka_unit_test(what_is_given_back_fills_no_more_than_the_bucket),
		cmocka_unit_test(a_flood_of_other_keys_is_bounded_in_memory_and_granted),
		cmocka_unit_test(addresses_of_one_64_are_one_key),
		cmocka_unit_test(three_processes_together_keep_to_the_rule),
		cmocka_unit_test(a_share_that_shrinks_holds_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
