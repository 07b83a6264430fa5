/* The timer wheel: fires in time whatever the clock does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "mta/door/timer.h"

struct probe {
	struct timer timer;
	struct timers *ts;
	int64_t fired_ms;
	int count;
	int64_t again_ms;
	struct probe *stops;
};

static void fire(struct timer *t)
{
	struct probe *p = container_of(t, struct probe, timer);

	p->fired_ms = timers_now(p->ts);
	p->count++;
	if (p->again_ms >= 0)
		timer_set(p->ts, t, p->again_ms);
	if (p->stops)
		timer_stop(p->ts, &p->stops->timer);
}

static void probe_init(struct probe *p, struct timers *ts)
{
	*p = (struct probe){ .ts = ts, .again_ms = -1 };
	timer_init(&p->timer, fire);
}

static uint64_t state = 7;
static uint64_t chance(uint64_t n)
{
	state = state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (state >> 20) % n;
}

/* Runs the wheel to the next deadline each time, as a simulation does. */
static void run_until(struct timers *ts, int64_t end)
{
	while (timers_now(ts) < end) {
		int64_t next = timers_next(ts);
		int64_t to = next < 0 ? end : MIN_OF(timers_now(ts) + next, end);

		(void)timers_run(ts, to);
	}
}

static void each_timer_fires_at_its_millisecond(void **unused)
{
	(void)unused;
	for (int64_t start = 0; start < 5; start++) {
		int64_t base = (int64_t[]){ 0, 63, 4095, 1LL << 36, (1LL << 36) - 5 }[start];
		OWNED(timers) ts = timers_new(base);
		static struct probe p[2000];
		int64_t at[2000];

		for (size_t i = 0; i < ARRAY_LEN(p); i++) {
			int64_t after = (int64_t)chance(1ULL << (chance(32) + 1));

			probe_init(&p[i], ts);
			timer_set(ts, &p[i].timer, after);
			at[i] = base + after;
		}
		run_until(ts, base + (1LL << 33));
		for (size_t i = 0; i < ARRAY_LEN(p); i++) {
			assert_int_equal(p[i].count, 1);
			assert_int_equal(p[i].fired_ms, at[i]);
		}
	}
}

static void a_clock_that_jumps_days_fires_all_that_is_due_once(void **unused)
{
	OWNED(timers) ts = timers_new(1000);
	struct probe p[3];

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(p); i++) {
		probe_init(&p[i], ts);
		timer_set(ts, &p[i].timer, (int64_t[]){ 5, 86400000, 10 * 86400000LL }[i]);
	}
	assert_int_equal(timers_run(ts, 1000 + 3 * 86400000LL) > 0, 1);
	assert_int_equal(p[0].count, 1);
	assert_int_equal(p[1].count, 1);
	assert_int_equal(p[2].count, 0);
	run_until(ts, 1000 + 11 * 86400000LL);
	assert_int_equal(p[2].count, 1);
	assert_int_equal(p[2].fired_ms, 1000 + 10 * 86400000LL);
	assert_int_equal(timers_next(ts), -1);
}

static void a_clock_that_steps_back_fires_nothing_twice(void **unused)
{
	OWNED(timers) ts = timers_new(1000);
	struct probe p;

	(void)unused;
	probe_init(&p, ts);
	timer_set(ts, &p.timer, 100);
	(void)timers_run(ts, 1100);
	(void)timers_run(ts, 900);
	assert_int_equal(timers_now(ts), 1100);
	assert_int_equal(p.count, 1);
}

static void moving_a_timer_keeps_one_deadline_the_last(void **unused)
{
	OWNED(timers) ts = timers_new(0);
	struct probe p;

	(void)unused;
	probe_init(&p, ts);
	timer_set(ts, &p.timer, 100);
	timer_set(ts, &p.timer, 5000); /* later: stays filed where it is */
	timer_set(ts, &p.timer, 3000); /* earlier than asked, later than filed */
	run_until(ts, 2999);
	assert_int_equal(p.count, 0);
	run_until(ts, 10000);
	assert_int_equal(p.count, 1);
	assert_int_equal(p.fired_ms, 3000);
	timer_set(ts, &p.timer, 1000);
	timer_set(ts, &p.timer, 10);
	run_until(ts, 20000);
	assert_int_equal(p.count, 2);
	assert_int_equal(p.fired_ms, 10010);
}

static void a_stopped_timer_leaves_no_deadline(void **unused)
{
	OWNED(timers) ts = timers_new(0);
	struct probe p[2];

	(void)unused;
	probe_init(&p[0], ts);
	probe_init(&p[1], ts);
	timer_set(ts, &p[0].timer, 50);
	timer_set(ts, &p[1].timer, 50);
	timer_stop(ts, &p[0].timer);
	timer_stop(ts, &p[0].timer);
	assert_int_equal(timers_next(ts) >= 0, 1);
	timer_stop(ts, &p[1].timer);
	assert_int_equal(timers_next(ts), -1);
	run_until(ts, 1000);
	assert_int_equal(p[0].count + p[1].count, 0);
}

static void a_timer_may_stop_its_neighbour_while_both_are_due(void **unused)
{
	OWNED(timers) ts = timers_new(0);
	struct probe p[2];

	(void)unused;
	probe_init(&p[0], ts);
	probe_init(&p[1], ts);
	p[0].stops = &p[1];
	timer_set(ts, &p[0].timer, 50);
	timer_set(ts, &p[1].timer, 50);
	run_until(ts, 100);
	assert_int_equal(p[0].count, 1);
	assert_int_equal(p[1].count, 0);
}

static void a_timer_that_rearms_with_zero_does_not_hold_the_loop(void **unused)
{
	OWNED(timers) ts = timers_new(0);
	struct probe p;

	(void)unused;
	probe_init(&p, ts);
	p.again_ms = 0;
	timer_set(ts, &p.timer, 0);
	assert_int_equal(timers_run(ts, 0), 0);
	assert_true(p.count <= 2);
	timer_stop(ts, &p.timer);
	assert_int_equal(timers_next(ts), -1);
}

static void random_moves_and_stops_agree_with_a_plain_list(void **unused)
{
	OWNED(timers) ts = timers_new(123456789);
	static struct probe p[64];
	int64_t want[64];

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(p); i++) {
		probe_init(&p[i], ts);
		want[i] = -1;
	}
	for (int step = 0; step < 20000; step++) {
		size_t i = chance(ARRAY_LEN(p));
		int64_t to = timers_now(ts) + (int64_t)chance(1ULL << chance(22));

		if (chance(4) == 0) {
			timer_stop(ts, &p[i].timer);
			want[i] = -1;
		} else {
			int64_t after = 1 + (int64_t)chance(1ULL << chance(24));

			timer_set(ts, &p[i].timer, after);
			want[i] = timers_now(ts) + after;
		}
		if (chance(3) == 0)
			run_until(ts, to);
		for (size_t k = 0; k < ARRAY_LEN(p); k++) {
			if (want[k] < 0 || want[k] > timers_now(ts)) {
				assert_int_equal(timer_running(&p[k].timer), want[k] >= 0);
				continue;
			}
			assert_int_equal(p[k].fired_ms, want[k]);
			assert_false(timer_running(&p[k].timer));
			want[k] = -1;
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_timer_fires_at_its_millisecond),
		cmocka_unit_test(a_clock_that_jumps_days_fires_all_that_is_due_once),
		cmocka_unit_test(a_clock_that_steps_back_fires_nothing_twice),
		cmocka_unit_test(moving_a_timer_keeps_one_deadline_the_last),
		cmocka_unit_test(a_stopped_timer_leaves_no_deadline),
		cmocka_unit_test(a_timer_may_stop_its_neighbour_while_both_are_due),
		cmocka_unit_test(a_timer_that_rearms_with_zero_does_not_hold_the_loop),
		cmocka_unit_test(random_moves_and_stops_agree_with_a_plain_list),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
