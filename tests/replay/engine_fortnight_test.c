/* Adaptive control against the best settings that stay as they are, a day at eight modelled
 * providers: the small version of what fortnight_search runs for a fortnight. */
#include <stdarg.h>
#include <stdio.h>

#include <setjmp.h>
#include <cmocka.h>

#include "base/clock.h"
#include "tests/replay/fortnight.h"

enum { MESSAGES = 20000, DAYS = 1 }; /* for each provider */

/* What fortnight_search finds for this many messages and days. */
static const struct fortnight_settings best[PROVIDERS] = {
	[PROVIDER_RATION] = { false, 20, 35000 }, [PROVIDER_DOORMAN] = { false, 10, 35000 },
	[PROVIDER_GREY] = { false, 20, 0 },       [PROVIDER_BLOCKER] = { false, 20, 35000 },
	[PROVIDER_WARMUP] = { false, 20, 35000 }, [PROVIDER_OUTAGE] = { false, 20, 25000 },
	[PROVIDER_TARPIT] = { false, 20, 25000 }, [PROVIDER_HINTS] = { false, 20, 25000 },
};

struct totals_of {
	double hours, wait;
	uint64_t undone, deferred;
	int64_t longest_block_ms, least_block_ms;
};

static void add(struct totals_of *t, enum provider_kind kind, const struct fortnight_settings *s)
{
	struct fortnight_result r;

	fortnight_run(kind, MESSAGES, DAYS, s, &r);
	print_message("%-8s %-8s %6.1f h, %6llu undone, %6llu deferred, %u blocks\n",
		      provider_sim_name(kind), s->adaptive ? "adaptive" : "fixed", r.hours,
		      (unsigned long long)r.undone, (unsigned long long)r.deferred, r.facts.blocks);
	t->hours += r.hours;
	t->undone += r.undone;
	t->deferred += r.deferred;
	t->longest_block_ms = MAX_OF(t->longest_block_ms, r.facts.longest_block_ms);
	t->least_block_ms = r.facts.least_block_ms;
}

static void adaptive_control_takes_no_longer_and_defers_at_most_half_as_much(void **state)
{
	const struct fortnight_settings adaptive = { .adaptive = true };
	struct totals_of a = { 0 }, fixed = { 0 };

	(void)state;
	for (enum provider_kind kind = 0; kind < PROVIDERS; kind++) {
		add(&a, kind, &adaptive);
		add(&fixed, kind, &best[kind]);
	}
	print_message("adaptive %.1f h, %llu deferred; fixed %.1f h, %llu deferred\n", a.hours,
		      (unsigned long long)a.deferred, fixed.hours,
		      (unsigned long long)fixed.deferred);
	assert_int_equal(a.undone, 0);
	assert_true(a.hours <= fixed.hours);
	assert_true(a.deferred * 2 <= fixed.deferred);
	assert_true(a.longest_block_ms <= a.least_block_ms);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(
	    adaptive_control_takes_no_longer_and_defers_at_most_half_as_much) };

	return cmocka_run_group_tests_name("engine_fortnight", tests, NULL, NULL);
}
