/* What was learned, as bytes: it comes back, older by the time that passed, or not at all. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <setjmp.h>
#include <cmocka.h>

#include "mta/site/learned.h"
#include "mta/site/steer.h"

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE };
static const int64_t DAY = 24 * HOUR, WALL = 1700000000000, MONO = 5000000;
static const struct adapt_bounds usual = { .start = 2, .floor = 1, .most = 20, .rate_floor = 1440 };

static struct source_limits *source_at(struct limits *l, const char *site, const char *address)
{
	struct ip ip = { 0 };

	if (*address)
		assert_int_equal(ip_parse(slice_str(address), &ip), 0);
	return limits_source(limits_site(l, slice_str(site)), &ip);
}

/* A wall that was met at MONO, behind a rate. */
static void put_trouble(struct limits *l, const char *site, const char *address, int64_t trouble_ms)
{
	struct adapt a;

	adapt_begin(&a, &usual, MONO - HOUR);
	adapt_good(&a, &usual, 500, true, MONO - MINUTE);
	for (unsigned i = 0; !adapt_bad(&a, &usual, 300 * SECOND, MONO); i++)
		assert_in_range(i, 0, 20);
	steer_restore(source_at(l, site, address), &a, SLICE("421 4.7.0 slow down"), trouble_ms,
		      trouble_ms);
}

static struct limits *again(struct slice file, int64_t away_ms, unsigned *ret_n)
{
	struct limits *l = limits_new();

	assert_int_equal(learned_read(l, file, WALL + away_ms, 100 * SECOND, ret_n), 0);
	return l;
}

static void all_of_it_comes_back(void **state)
{
	struct limits *l = limits_new(), *other;
	struct steer_fact before, after;
	struct buf file = { 0 };
	unsigned n;

	(void)state;
	put_trouble(l, "mx1.test", "127.0.0.2", WALL);
	put_trouble(l, "mx1.test", "2001:db8::1", WALL - 5);
	put_trouble(l, "mx2.test (provider x)", "", WALL - 9);
	assert_true(steer_fact(source_at(l, "mx1.test", "127.0.0.2"), &before));
	assert_int_equal(learned_write(l, WALL, MONO, &file), 3);
	other = again(buf_data(&file), 0, &n);
	assert_int_equal(n, 3);
	assert_true(steer_fact(source_at(other, "mx1.test", "2001:db8::1"), &after));
	assert_true(steer_fact(source_at(other, "mx2.test (provider x)", ""), &after));
	assert_true(steer_fact(source_at(other, "mx1.test", "127.0.0.2"), &after));
	assert_int_equal(after.window, before.window);
	assert_int_equal(after.rate, before.rate);
	assert_int_equal(after.trouble_ms, before.trouble_ms);
	assert_string_equal(after.why, "421 4.7.0 slow down");
	assert_int_equal(
	    atomic_load(
		&atomic_load(&source_at(other, "mx1.test", "127.0.0.2")->steer)->closed_until_ms),
	    400 * SECOND);
	buf_free(&file);
	limits_free(l);
	limits_free(other);
}

static void a_wall_ends_by_the_clock_and_its_probe_is_still_owed(void **state)
{
	struct limits *l = limits_new(), *other;
	struct steer_fact after;
	struct buf file = { 0 };
	unsigned n;

	(void)state;
	put_trouble(l, "mx1.test", "127.0.0.2", WALL);
	(void)learned_write(l, WALL, MONO, &file);
	other = again(buf_data(&file), 2 * MINUTE, &n);
	assert_int_equal(
	    atomic_load(
		&atomic_load(&source_at(other, "mx1.test", "127.0.0.2")->steer)->closed_until_ms),
	    280 * SECOND);
	limits_free(other);
	other = again(buf_data(&file), HOUR, &n); /* over, and not known to be gone */
	assert_true(steer_probes(atomic_load(&source_at(other, "mx1.test", "127.0.0.2")->steer)));
	limits_free(other);
	other = again(buf_data(&file), 15 * DAY, &n); /* forgotten */
	assert_false(steer_fact(source_at(other, "mx1.test", "127.0.0.2"), &after));
	limits_free(other);
	other = again(buf_data(&file), -DAY, &n); /* the clock went back */
	assert_true(steer_fact(source_at(other, "mx1.test", "127.0.0.2"), &after));
	limits_free(other);
	buf_free(&file);
	limits_free(l);
}

static void the_file_is_bounded_and_the_latest_trouble_is_in_it(void **state)
{
	struct limits *l = limits_new(), *other;
	struct steer_fact fact;
	struct buf file = { 0 };
	char site[32];
	unsigned n;

	(void)state;
	for (unsigned i = 0; i < LEARNED_MAX + 500; i++) {
		(void)snprintf(site, sizeof(site), "mx%u.test", i);
		put_trouble(l, site, "127.0.0.2", WALL + i);
	}
	assert_int_equal(learned_write(l, WALL, MONO, &file), LEARNED_MAX);
	assert_in_range(buf_len(&file), 0, 4 << 20);
	other = again(buf_data(&file), 0, &n);
	assert_true(steer_fact(source_at(other, site, "127.0.0.2"), &fact));
	assert_false(steer_fact(source_at(other, "mx0.test", "127.0.0.2"), &fact));
	limits_free(l);
	limits_free(other);
	buf_free(&file);
}

static void a_damaged_file_is_not_taken_and_takes_nothing(void **state)
{
	struct limits *l = limits_new(), *other;
	struct steer_fact fact;
	struct buf file = { 0 };
	unsigned n;

	(void)state;
	put_trouble(l, "mx1.test", "127.0.0.2", WALL);
	put_trouble(l, "mx2.test", "127.0.0.2", WALL);
	(void)learned_write(l, WALL, MONO, &file);
	for (size_t i = 0; i < buf_len(&file) * 8; i++) {
		char *byte = file.p + file.start + i / 8;
		*byte = (char)(*byte ^ 1 << i % 8);
		other = limits_new();
		assert_true(learned_read(other, buf_data(&file), WALL, MONO, &n) < 0);
		assert_false(steer_fact(source_at(other, "mx1.test", "127.0.0.2"), &fact));
		limits_free(other);
		*byte = (char)(*byte ^ 1 << i % 8);
	}
	for (size_t i = 0; i < buf_len(&file); i++) {
		other = limits_new();
		assert_int_equal(
		    learned_read(other, slice_of(buf_data(&file).p, i), WALL, MONO, &n), E_CORRUPT);
		limits_free(other);
	}
	limits_free(l);
	buf_free(&file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_of_it_comes_back),
		cmocka_unit_test(a_wall_ends_by_the_clock_and_its_probe_is_still_owed),
		cmocka_unit_test(the_file_is_bounded_and_the_latest_trouble_is_in_it),
		cmocka_unit_test(a_damaged_file_is_not_taken_and_takes_nothing),
	};

	return cmocka_run_group_tests_name("mta_site_learned", tests, NULL, NULL);
}
