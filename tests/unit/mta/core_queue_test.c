/* Slab, lists and wheel: what ten million recipients stand on. */
#include <stdarg.h>
#include <stdio.h>

#include <setjmp.h>
#include <cmocka.h>

#include "mta/limits.h"
#include "mta/wheel.h"

static void a_number_is_lent_again_after_it_was_given_back(void **state)
{
	struct slab s = { .free = RCPT_NONE };
	rcpt_ref a = rcpt_new(&s), b = rcpt_new(&s);

	(void)state;
	rcpt_at(&s, a)->state = RCPT_READY;
	rcpt_free(&s, a);
	assert_int_equal(rcpt_new(&s), a);
	assert_int_not_equal(a, b);
	assert_int_equal(s.live, 2);
	slab_free(&s);
}

static void numbers_reach_over_many_chunks(void **state)
{
	struct slab s = { .free = RCPT_NONE };

	(void)state;
	for (uint32_t i = 0; i < 3 * SLAB_SIZE; i++) {
		rcpt_ref ref = rcpt_new(&s);
		assert_int_equal(ref, i);
		rcpt_at(&s, ref)->job = i;
	}
	for (uint32_t i = 0; i < 3 * SLAB_SIZE; i++)
		assert_int_equal(rcpt_at(&s, i)->job, i);
	assert_int_equal(s.n_chunks, 3);
	slab_free(&s);
}

static void lists_keep_their_order(void **state)
{
	struct slab s = { .free = RCPT_NONE };
	struct fifo f = FIFO_EMPTY, g = FIFO_EMPTY;

	(void)state;
	for (unsigned i = 0; i < 6; i++)
		fifo_push(&s, i < 3 ? &f : &g, rcpt_new(&s));
	fifo_push_front(&s, &f, rcpt_new(&s)); /* number 6 */
	fifo_join(&s, &f, &g);
	assert_int_equal(g.count, 0);
	assert_int_equal(f.count, 7);
	static const rcpt_ref order[] = { 6, 0, 1, 2, 3, 4, 5, RCPT_NONE };
	for (unsigned i = 0; i < ARRAY_LEN(order); i++)
		assert_int_equal(fifo_pop(&s, &f), order[i]);
	fifo_push(&s, &f, 3); /* an emptied list may be used again */
	assert_int_equal(fifo_pop(&s, &f), 3);
	slab_free(&s);
}

static rcpt_ref deferred(struct slab *s, struct wheel *w, uint32_t due_s)
{
	rcpt_ref ref = rcpt_new(s);

	rcpt_at(s, ref)->state = RCPT_DEFERRED;
	rcpt_at(s, ref)->due_s = due_s;
	wheel_add(w, s, ref);
	return ref;
}

static void nobody_leaves_the_wheel_before_his_second(void **state)
{
	static const uint32_t after[] = {
		1, 2, 59, 3600, WHEEL_SLOTS - 1, WHEEL_SLOTS, WHEEL_SLOTS + 1, 3 * WHEEL_SLOTS + 7
	};
	struct slab s = { .free = RCPT_NONE };
	struct wheel w;

	(void)state;
	wheel_init(&w, 1000);
	for (unsigned i = 0; i < ARRAY_LEN(after); i++)
		(void)deferred(&s, &w, 1000 + after[i]);
	for (unsigned i = 0; i < ARRAY_LEN(after); i++) {
		assert_int_equal(wheel_take(&w, &s, 1000 + after[i] - 1), RCPT_NONE);
		assert_int_equal(wheel_take(&w, &s, 1000 + after[i]), i);
	}
	assert_int_equal(w.count, 0);
	wheel_free(&w);
	slab_free(&s);
}

static void a_clock_that_jumps_ahead_makes_all_it_passed_due(void **state)
{
	struct slab s = { .free = RCPT_NONE };
	struct wheel w;
	unsigned n = 0;

	(void)state;
	wheel_init(&w, 1000);
	for (uint32_t i = 0; i < 1000; i++)
		(void)deferred(&s, &w, 1001 + i * 977);
	while (wheel_take(&w, &s, 1000 + 10 * WHEEL_SLOTS) != RCPT_NONE)
		n++;
	assert_int_equal(n, 1000);
	wheel_free(&w);
	slab_free(&s);
}

static void a_clock_that_jumps_back_loses_nobody(void **state)
{
	struct slab s = { .free = RCPT_NONE };
	struct wheel w;

	(void)state;
	wheel_init(&w, 100000);
	assert_int_equal(wheel_take(&w, &s, 50000), RCPT_NONE);
	rcpt_ref ref = deferred(&s, &w, 50010); /* by the clock that was set back */
	assert_int_equal(wheel_take(&w, &s, 100001), ref);
	wheel_free(&w);
	slab_free(&s);
}

static void changed_times_count_after_a_redo(void **state)
{
	struct slab s = { .free = RCPT_NONE };
	struct wheel w;

	(void)state;
	wheel_init(&w, 1000);
	rcpt_ref a = deferred(&s, &w, 5000), b = deferred(&s, &w, 6000);
	rcpt_at(&s, b)->due_s = 1000;
	wheel_redo(&w, &s);
	assert_int_equal(wheel_take(&w, &s, 1000), b);
	assert_int_equal(wheel_take(&w, &s, 4999), RCPT_NONE);
	assert_int_equal(wheel_take(&w, &s, 5000), a);
	assert_int_equal(w.count, 0);
	wheel_free(&w);
	slab_free(&s);
}

static void slots_are_taken_up_to_the_limit_and_no_further(void **state)
{
	_Atomic int n = 0;

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		assert_true(limits_take(&n, 3));
	assert_false(limits_take(&n, 3));
	limits_give(&n);
	assert_true(limits_take(&n, 3));
}

static void a_rate_holds_over_a_second(void **state)
{
	struct limits *l = limits_new();
	struct site_limits *s = limits_site(l, SLICE("mx.test"));
	unsigned gone = 0;
	int64_t wait, now = 1000000000;

	(void)state;
	assert_ptr_equal(s, limits_site(l, SLICE("mx.test")));
	assert_ptr_not_equal(s, limits_site(l, SLICE("mx2.test")));
	for (int64_t at = now; at < now + 1000000; at += wait) {
		wait = limits_rate(s, 50, at);
		if (wait)
			continue;
		gone++;
		wait = 1;
	}
	assert_in_range(gone, 50, 57); /* and a burst of a tenth of a second */
	assert_int_equal(limits_rate(s, 0, now), 0);
	limits_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_number_is_lent_again_after_it_was_given_back),
		cmocka_unit_test(numbers_reach_over_many_chunks),
		cmocka_unit_test(lists_keep_their_order),
		cmocka_unit_test(nobody_leaves_the_wheel_before_his_second),
		cmocka_unit_test(a_clock_that_jumps_ahead_makes_all_it_passed_due),
		cmocka_unit_test(a_clock_that_jumps_back_loses_nobody),
		cmocka_unit_test(changed_times_count_after_a_redo),
		cmocka_unit_test(slots_are_taken_up_to_the_limit_and_no_further),
		cmocka_unit_test(a_rate_holds_over_a_second),
	};

	return cmocka_run_group_tests_name("core_queue", tests, NULL, NULL);
}
