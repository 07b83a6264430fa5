/* Unit test of mta/egress/turns.h: whose turn it is. */
#include <stdarg.h>
#include <stddef.h>

#include <setjmp.h>
#include <cmocka.h>

#include "mta/egress/turns.h"

enum { MOST = 6 };

struct played {
	struct turns t;
	int64_t weights[MOST], sum;
	unsigned taken[MOST], n;
};

static void begin(struct played *p, const int64_t *weights, unsigned n)
{
	*p = (struct played){ 0 };
	(void)turns_begin(&p->t, n);
	for (unsigned i = 0; i < n; i++) {
		p->weights[i] = weights[i];
		p->sum += weights[i];
		p->t.at[i].stride = p->t.at[i].pass = turns_stride(weights[i]);
	}
}

static void take(struct played *p)
{
	unsigned first = turns_first(&p->t);

	assert_true(turns_may_take(&p->t, first));
	turns_took(&p->t, first);
	p->taken[first]++;
	p->n++;
}

static void each_is_near_its_share_after_any_number_of_messages(void **state)
{
	static const int64_t weights[][MOST] = {
		{ 1, 1 }, { 3, 1 }, { 1000, 1 }, { 5, 3, 2 }, { 1, 1, 1, 1, 1, 1 }, { 7, 1, 1, 1 }
	};
	static const unsigned n[] = { 2, 2, 2, 3, 6, 4 };
	struct played p;

	(void)state;
	for (unsigned k = 0; k < ARRAY_LEN(n); k++) {
		begin(&p, weights[k], n[k]);
		for (unsigned m = 0; m < 3000; m++) {
			take(&p);
			for (unsigned i = 0; i < n[k]; i++) {
				int64_t share = p.n * p.weights[i] / p.sum;
				assert_in_range(p.taken[i] + n[k], share, share + 2 * n[k]);
			}
		}
		turns_end(&p.t);
	}
}

static void one_that_does_not_use_its_turn_is_passed_over_until_it_takes_a_message(void **state)
{
	static const int64_t weights[] = { 1, 1 };
	struct played p;

	(void)state;
	begin(&p, weights, 2);
	take(&p);
	unsigned late = turns_first(&p.t), other = 1 - late;
	assert_false(turns_may_take(&p.t, other));
	turns_refused(&p.t, 5000);
	turns_refused(&p.t, 5900);
	assert_false(turns_is_late(&p.t, 5999));
	assert_true(turns_is_late(&p.t, 6000));
	turns_pass_over(&p.t, late);
	for (unsigned i = 0; i < 1000; i++)
		take(&p);
	assert_int_equal(p.taken[late], 0);
	turns_took(&p.t, late); /* it is back, and catches up a little */
	for (unsigned i = 0; i < 1000; i++)
		take(&p);
	assert_in_range(p.taken[late], 500, 500 + TURNS_CATCH_UP);
	turns_end(&p.t);
}

static void one_that_could_not_take_turns_does_not_catch_up(void **state)
{
	static const int64_t weights[] = { 1, 3 };
	struct played p;

	(void)state;
	begin(&p, weights, 2);
	turns_pass_over(&p.t, 1);
	for (unsigned i = 0; i < 1000; i++)
		take(&p);
	turns_wait_for_all(&p.t);
	for (unsigned i = 0; i < 400; i++)
		take(&p);
	assert_in_range(p.taken[1], 298, 302);
	turns_end(&p.t);
}

static void connections_are_opened_for_the_sources_in_turn(void **state)
{
	static const int64_t weights[] = { 2, 1 };
	unsigned opened[2] = { 0 };
	struct played p;

	(void)state;
	begin(&p, weights, 2);
	for (unsigned i = 0; i < 30; i++) {
		unsigned next = turns_next_untried(&p.t, true);
		opened[next]++;
		p.t.at[next].opening++;
		assert_int_equal(turns_next_untried(&p.t, false), 1 - next);
		assert_int_equal(turns_next_untried(&p.t, false), TURN_NONE);
	}
	assert_int_equal(opened[0], 20);
	assert_int_equal(opened[1], 10);
	turns_end(&p.t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_is_near_its_share_after_any_number_of_messages),
		cmocka_unit_test(
		    one_that_does_not_use_its_turn_is_passed_over_until_it_takes_a_message),
		cmocka_unit_test(one_that_could_not_take_turns_does_not_catch_up),
		cmocka_unit_test(connections_are_opened_for_the_sources_in_turn),
	};

	return cmocka_run_group_tests_name("mta_egress_turns", tests, NULL, NULL);
}
