/* Plans of new sources, and what follows from a date for the next one. */
#include <stdarg.h>
#include <stddef.h>

#include <setjmp.h>
#include <cmocka.h>

#include "mta/warmup/days.h"

/* ---- plans ------------------------------------------------------------------------------- */

static struct warmup_plan read_plan(const char *text)
{
	struct warmup_plan p;
	const char *why = "";

	if (warmup_plan_read(slice_str(text), &p, &why) < 0)
		fail_msg("%s: %s", text, why);
	return p;
}

static void curves_and_days_say_how_many_on_which_day(void **state)
{
	struct warmup_plan p = read_plan("start=50 target=300 curve=1.5x");
	static const uint32_t days[] = { 50, 75, 112, 168, 252, 300 };

	(void)state;
	assert_int_equal(p.n, ARRAY_LEN(days));
	assert_memory_equal(p.at, days, sizeof(days));
	p = read_plan(" curve=+100/day   target=250 start=50 day=2 ");
	assert_int_equal(p.n, 3);
	assert_int_equal(p.first, 1);
	assert_int_equal(p.at[1], 150);
	assert_int_equal(p.at[2], 250);
	p = read_plan("start=1 target=5 curve=1.01/day"); /* one more a day at least */
	assert_int_equal(p.n, 5);
	p = read_plan("days=7");
	assert_int_equal(p.n, 1);
	p = read_plan("start=9 target=9 curve=2");
	assert_int_equal(p.n, 1);
	p = read_plan("off");
	assert_int_equal(p.n, 0);
}

static void what_is_no_plan_is_refused_with_a_reason(void **state)
{
	static const char *const texts[] = {
		"",
		"on",
		"off day=1",
		"days=",
		"days=1:",
		"days=1::2",
		"days=1000000001",
		"days=-1",
		"days=5 start=1",
		"days=5 days=5",
		"days=5:6 day=3",
		"days=5 day=0",
		"start=1 target=2",
		"start=0 target=9 curve=2",
		"start=9 target=8 curve=2",
		"start=1 target=9 curve=1",
		"start=1 target=9 curve=1.005",
		"start=1 target=9 curve=10.01",
		"start=1 target=9 curve=-2",
		"start=1 target=9 curve=+0",
		"start=1 target=9 curve=x",
		"start=1 target=9 curve=2xx",
		"start=1 target=1000000 curve=+1",
	};
	struct warmup_plan p;

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(texts); i++) {
		const char *why = NULL;
		if (warmup_plan_read(slice_str(texts[i]), &p, &why) == 0)
			fail_msg("\"%s\" was taken", texts[i]);
		assert_non_null(why);
	}
}

/* ---- days -------------------------------------------------------------------------------- */

static const struct warmup_bounds bounds = { .most = { [WARMUP_DEFERRED] = 100,
						       [WARMUP_BLOCKED] = 10,
						       [WARMUP_BOUNCED] = 50,
						       [WARMUP_COMPLAINTS] = 2 },
					     .sample = 20,
					     .release = 50,
					     .reached = 50 };

/* A whole date of good mail. */
static struct warmup_day *good(struct warmup_days *d, int32_t date, const struct warmup_plan *p)
{
	enum warmup_move how;
	struct warmup_day *day = warmup_days_begin(d, date, p, &bounds, &how);

	day->leaves = day->plan;
	day->n[WARMUP_TRIED] = day->n[WARMUP_DELIVERED] = (uint32_t)day->plan;
	return day;
}

static uint32_t next_step(struct warmup_days *d, int32_t date, const struct warmup_plan *p)
{
	enum warmup_move how;

	return warmup_days_begin(d, date, p, &bounds, &how)->step;
}

static void a_good_date_moves_one_step_on_and_others_stay_or_go_back(void **state)
{
	static const struct {
		enum warmup_result what;
		uint32_t n;
		int32_t leaves;
		uint8_t held;
		uint32_t step;
	} rows[] = {
		{ WARMUP_DELIVERED, 200, 200, WARMUP_GOOD, 2 },
		{ WARMUP_DELIVERED, 99, 99, WARMUP_GOOD, 1 },    /* too little */
		{ WARMUP_WAS_DEFERRED, 8, 200, WARMUP_GOOD, 2 }, /* 40 of 1000 */
		{ WARMUP_WAS_DEFERRED, 12, 200, WARMUP_GOOD, 1 },
		{ WARMUP_WAS_BLOCKED, 1, 200, WARMUP_GOOD, 2 },
		{ WARMUP_WAS_BOUNCED, 20, 200, WARMUP_GOOD, 1 },
		{ WARMUP_COMPLAINED, 1, 200, WARMUP_BLOCKED, 0 },
	};
	const struct warmup_plan p = read_plan("days=100:200:400:800");

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
		struct warmup_days d = { .n = 0 };
		struct warmup_day *day;
		(void)good(&d, 100, &p);
		day = good(&d, 101, &p);
		assert_int_equal(day->step, 1);
		day->n[rows[i].what] = rows[i].n;
		day->leaves = rows[i].leaves;
		day->held = rows[i].held;
		if (next_step(&d, 102, &p) != rows[i].step)
			fail_msg("row %u: step %u", i, d.at[2].step);
	}
}

static void the_worst_rate_is_found_and_few_tries_prove_nothing(void **state)
{
	const struct warmup_plan p = read_plan("days=1000:2000");
	struct warmup_days d = { .n = 0 };
	struct warmup_day *day = good(&d, 100, &p);
	int64_t rate, percent;

	(void)state;
	day->n[WARMUP_WAS_DEFERRED] = 150;
	day->n[WARMUP_COMPLAINED] = 2;
	assert_int_equal(warmup_days_worst(&d, day, &bounds, &rate, &percent), WARMUP_DEFERRED);
	assert_int_equal(rate, 150);
	assert_int_equal(percent, 150);
	day->n[WARMUP_COMPLAINED] = 4;
	assert_int_equal(warmup_days_worst(&d, day, &bounds, &rate, &percent), WARMUP_COMPLAINTS);
	day->n[WARMUP_TRIED] = day->n[WARMUP_DELIVERED] = 19;
	assert_int_equal(warmup_days_worst(&d, day, &bounds, &rate, &percent), WARMUP_GOOD);
	day->n[WARMUP_WAS_BLOCKED] = 3; /* but so many blocks do */
	assert_int_equal(warmup_days_worst(&d, day, &bounds, &rate, &percent), WARMUP_BLOCKED);
}

static void complaints_count_for_three_dates_but_not_beyond_one_that_paid_for_them(void **state)
{
	const struct warmup_plan p = read_plan("days=100:100:100:100:100");
	struct warmup_days d = { .n = 0 };
	int64_t rate, percent;

	(void)state;
	good(&d, 100, &p)->n[WARMUP_COMPLAINED] = 3;
	(void)good(&d, 101, &p);
	assert_int_equal(warmup_days_worst(&d, good(&d, 102, &p), &bounds, &rate, &percent),
			 WARMUP_COMPLAINTS);
	assert_int_equal(rate, 10);
	assert_int_equal(warmup_days_worst(&d, good(&d, 103, &p), &bounds, &rate, &percent),
			 WARMUP_GOOD);
	d.at[0].held = WARMUP_COMPLAINTS;
	assert_int_equal(warmup_days_worst(&d, &d.at[2], &bounds, &rate, &percent), WARMUP_GOOD);
}

static void another_plan_goes_on_with_as_many_messages_or_fewer(void **state)
{
	const struct warmup_plan p = read_plan("days=100:200:400:800"),
				 slow = read_plan("start=50 target=900 curve=1.25x"),
				 named = read_plan("days=10:20:30 day=2");
	struct warmup_days d = { .n = 0 };
	struct warmup_day *day;

	(void)state;
	(void)good(&d, 100, &p);
	day = good(&d, 101, &p);
	assert_true(warmup_day_fits(day, &p) && !warmup_day_fits(day, &slow));
	warmup_day_replan(day, &slow);
	assert_in_range(day->plan, 150, 200);
	warmup_day_replan(day, &named);
	assert_int_equal(day->step, 1);
	assert_int_equal(day->plan, 20);
}

static void a_source_that_is_warmed_stays_so_and_a_full_table_drops_the_oldest(void **state)
{
	const struct warmup_plan p = read_plan("days=10:20");
	struct warmup_days d = { .n = 0 };
	enum warmup_move how;

	(void)state;
	(void)good(&d, 100, &p);
	(void)good(&d, 101, &p);
	assert_int_equal(next_step(&d, 102, &p), 2);
	assert_int_equal(d.at[2].plan, WARMUP_NO_LIMIT);
	assert_int_equal(next_step(&d, 500, &p), 2);
	for (int32_t date = 501; date < 600; date++)
		(void)warmup_days_begin(&d, date, &p, &bounds, &how);
	assert_int_equal(d.n, WARMUP_DAYS_KEPT);
	assert_int_equal(d.at[0].date, 600 - WARMUP_DAYS_KEPT);
}

static void dates_are_those_of_the_calendar(void **state)
{
	static const struct {
		const char *text;
		int32_t date;
	} rows[] = {
		{ "1970-01-01", 0 },     { "1999-12-31", 10956 }, { "2000-02-29", 11016 },
		{ "2026-11-30", 20787 }, { "2100-03-01", 47541 },
	};
	static const char *const bad[] = { "",         "2026",       "2026-02-29",  "2026-13-01",
					   "2026-1-1", "2026-11-31", "2026-11-30 ", "1969-12-31" };
	char text[WARMUP_DATE_MAX];
	int32_t date;

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(warmup_date_read(slice_str(rows[i].text), &date), 0);
		assert_int_equal(date, rows[i].date);
		warmup_date_show(date, text);
		assert_string_equal(text, rows[i].text);
	}
	for (unsigned i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(warmup_date_read(slice_str(bad[i]), &date), E_SYNTAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(curves_and_days_say_how_many_on_which_day),
		cmocka_unit_test(what_is_no_plan_is_refused_with_a_reason),
		cmocka_unit_test(a_good_date_moves_one_step_on_and_others_stay_or_go_back),
		cmocka_unit_test(the_worst_rate_is_found_and_few_tries_prove_nothing),
		cmocka_unit_test(
		    complaints_count_for_three_dates_but_not_beyond_one_that_paid_for_them),
		cmocka_unit_test(another_plan_goes_on_with_as_many_messages_or_fewer),
		cmocka_unit_test(
		    a_source_that_is_warmed_stays_so_and_a_full_table_drops_the_oldest),
		cmocka_unit_test(dates_are_those_of_the_calendar),
	};

	return cmocka_run_group_tests_name("warmup", tests, NULL, NULL);
}
