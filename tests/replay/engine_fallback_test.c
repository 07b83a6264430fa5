/* A pool that has no source to use at a site borrows those of its fallback. */
#include <stdarg.h>
#include <stdio.h>

#include <setjmp.h>
#include <cmocka.h>

#include "base/clock.h"
#include "mta/inspect/inspect.h"
#include "tests/replay/engine_world.h"

#define A "127.0.0.2"
#define B "127.0.0.3"
#define C "127.0.0.4"
#define POOLS                                                                                      \
	CONFIG "egress.sources = default " A " a.test, spare " B " b.test, last " C " c.test\n"    \
	       "pool.fallback = default spare, spare last\n"
#define FROM(ip) conn_sim_messages_from(SLICE(ip))

static void mail(struct world *w, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		world_submit(w, one_rcpt, 1, DAY, "control", w->next_id);
	world_run(w, MINUTE);
}

static void suspend_for(struct world *w, const char *source, int64_t ms)
{
	char key[100], value[64] = "";

	(void)snprintf(key, sizeof(key), "suspend/%s/mx1.test", source);
	if (ms)
		(void)snprintf(value, sizeof(value), "%lld 1 by a test",
			       (long long)(clock_wall_ms() + ms));
	world_rule(w, key, value);
}

static int note(void *arg, const struct inspect_fallback *f)
{
	(void)snprintf(arg, 200, "%s from %s at %.*s", f->pool, f->from, (int)f->site.n, f->site.p);
	return 0;
}

static const char *seen(struct world *w)
{
	static char text[200];

	*text = '\0';
	(void)inspect_fallbacks(engine_lane(w->engine, 0), note, text);
	return text;
}

static void
a_pool_whose_sources_are_suspended_leaves_from_its_fallback_until_they_are_not(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, POOLS, decent);
	mail(&w, 5);
	assert_int_equal(FROM(A), 5);
	suspend_for(&w, A, HOUR);
	mail(&w, 5);
	assert_int_equal(FROM(A), 5);
	assert_int_equal(FROM(B), 5);
	assert_string_equal(seen(&w), "default from spare at mx1.test");
	assert_int_equal(COUNTER(&w, pools_on_fallback), 1);
	world_restart(&w);
	mail(&w, 5);
	assert_int_equal(FROM(B), 10);
	world_run(&w, HOUR); /* then one message shows whether the rest may follow */
	mail(&w, 10);
	mail(&w, 10);
	assert_true(FROM(A) > 15);
	assert_int_equal(world_books(&w).delivered, 35);
	assert_string_equal(seen(&w), "");
	assert_int_equal(COUNTER(&w, pools_on_fallback), 0);
	assert_int_equal(COUNTER(&w, deferred), 0);
	world_end(&w);
}

static void a_suspension_by_an_order_counts_as_any_other(void **state UNUSED)
{
	struct world w;

	world_open(&w, POOLS, decent);
	world_rule(&w, "order/7",
		   "kind suspend\nwhat source/" A "\nauthor ann\nreason moving\nat_ms 1\n");
	mail(&w, 5);
	assert_int_equal(FROM(B), 5);
	world_rule(&w, "order/7", "");
	mail(&w, 5);
	assert_int_equal(FROM(A), 5);
	world_end(&w);
}

static void a_source_of_another_family_does_not_serve(void **state UNUSED)
{
	struct world w;

	world_open(&w,
		   CONFIG "egress.sources = default " A " a.test, default ::2 six.test, "
			  "spare " B " b.test\npool.fallback = default spare\n",
		   decent);
	suspend_for(&w, A, HOUR);
	mail(&w, 5);
	assert_int_equal(FROM(B), 5);
	assert_int_equal(COUNTER(&w, deferred), 0);
	world_end(&w);
}

static void an_order_brings_a_pool_to_its_fallback_and_back(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, POOLS, decent);
	world_rule(&w, "source-state/" A, "disable 1 by a test");
	mail(&w, 5);
	assert_int_equal(FROM(B), 5);
	world_rule(&w, "source-state/" B, "drain 1 by a test");
	mail(&w, 5);
	assert_int_equal(FROM(C), 5); /* the chain goes on */
	world_rule(&w, "source-state/" A, "");
	mail(&w, 5);
	assert_int_equal(FROM(A), 5);
	assert_string_equal(seen(&w), "");
	world_end(&w);
}

static void mail_waits_when_the_whole_chain_is_out_of_use(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, POOLS, decent);
	suspend_for(&w, A, 2 * HOUR);
	suspend_for(&w, B, HOUR);
	suspend_for(&w, C, HOUR);
	mail(&w, 5);
	assert_int_equal(world_books(&w).queued, 5);
	suspend_for(&w, C, 0);
	world_run(&w, MINUTE);
	assert_int_equal(FROM(C), 5);
	world_end(&w);
}

static void another_pool_is_not_touched_by_it(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, POOLS, decent);
	suspend_for(&w, A, HOUR);
	w.pool = "last";
	mail(&w, 5);
	assert_int_equal(FROM(C), 5);
	w.pool = "spare";
	mail(&w, 5);
	assert_int_equal(FROM(B), 5);
	assert_string_equal(seen(&w), "");
	world_end(&w);
}

static void a_reload_gives_and_takes_a_fallback(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, CONFIG "egress.sources = default " A " a.test, spare " B " b.test\n",
		   decent);
	suspend_for(&w, A, HOUR);
	mail(&w, 5);
	assert_int_equal(world_books(&w).queued, 5);
	world_reload(&w, POOLS);
	world_run(&w, MINUTE);
	assert_int_equal(FROM(B), 5);
	world_reload(&w, CONFIG "egress.sources = default " A " a.test, spare " B " b.test\n");
	mail(&w, 5);
	assert_int_equal(world_books(&w).queued, 5);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_pool_whose_sources_are_suspended_leaves_from_its_fallback_until_they_are_not),
		cmocka_unit_test(a_suspension_by_an_order_counts_as_any_other),
		cmocka_unit_test(a_source_of_another_family_does_not_serve),
		cmocka_unit_test(an_order_brings_a_pool_to_its_fallback_and_back),
		cmocka_unit_test(mail_waits_when_the_whole_chain_is_out_of_use),
		cmocka_unit_test(another_pool_is_not_touched_by_it),
		cmocka_unit_test(a_reload_gives_and_takes_a_fallback),
	};
	return cmocka_run_group_tests_name("engine_fallback", tests, NULL, NULL);
}
