/* Unit test of mta/egress/egress.h: names of pools, and sources in turn. */
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <setjmp.h>
#include <cmocka.h>

#include "mta/config/host.h"
#include "mta/core/engine_run.h"
#include "mta/core/lane_int.h"
#include "mta/egress/egress.h"

static const struct part *const parts[] = { &egress_part };
static const struct option_set *const sets[] = { &host_option_set, &core_option_set,
						 &egress_option_set };

/* The loop under a lane: nothing ever happens on it. */
void lane_loop_open(struct lane *l)
{
	l->loop = (struct loop){ .timers = timers_new(0) };
	list_init(&l->loop.turn_end);
}
void lane_loop_wake(struct lane *l)
{
	(void)l;
}
void lane_loop_run(struct lane *l)
{
	(void)l;
}
void lane_loop_stop(struct lane *l)
{
	(void)l;
}
void lane_loop_close(struct lane *l)
{
	l->loop.timers = timers_free(l->loop.timers);
}

struct one {
	struct engine *engine;
	struct egress *egress;
	char dir[64];
};

static void one_begin(struct one *o, const char *config)
{
	struct spool_options so = { .dir = o->dir, .segment_bytes = 1 << 20, .clean_ratio = 300 };
	char error[OPTION_ERROR_MAX];
	const char *what;
	struct settings *s;
	struct spool *sp;

	(void)snprintf(o->dir, sizeof(o->dir), "/tmp/postern-egress.XXXXXX");
	assert_non_null(mkdtemp(o->dir));
	assert_int_equal(
	    0, settings_parse(&s, sets, ARRAY_LEN(sets), slice_str(config), "test", error));
	assert_int_equal(0, spool_open(&sp, &so));
	assert_int_equal(0, engine_new(&o->engine, s, sp, parts, ARRAY_LEN(parts), false));
	assert_int_equal(0, engine_start(o->engine, &what));
	o->egress = egress_of(engine_lane(o->engine, 0));
}

static void one_end(struct one *o)
{
	char command[128];

	engine_free(o->engine);
	(void)snprintf(command, sizeof(command), "rm -rf '%s'", o->dir);
	assert_int_equal(0, system(command));
}

static void sources_of_a_pool_take_turns(void **state)
{
	struct one o;
	unsigned turn = 0, a;

	(void)state;
	one_begin(&o, "lanes = 1\negress.sources = a 192.0.2.1 x.test, b 192.0.2.2 y.test, "
		      "a 192.0.2.3 z.test\n");
	a = egress_pool(o.egress, SLICE("a"));
	assert_string_equal("x.test", egress_source(o.egress, a, &turn)->ehlo);
	assert_string_equal("z.test", egress_source(o.egress, a, &turn)->ehlo);
	assert_string_equal("x.test", egress_source(o.egress, a, &turn)->ehlo);
	assert_int_equal(a, egress_pool(o.egress, SLICE("a")));
	assert_string_equal("a", egress_pool_name(o.egress, a));
	assert_int_equal(egress_pool(o.egress, SLICE("")), egress_pool(o.egress, SLICE("default")));
	one_end(&o);
}

static void a_pool_that_is_not_configured_has_no_source_and_says_so(void **state)
{
	struct one o;
	unsigned turn = 0, pool;
	char text[160];

	(void)state;
	one_begin(&o, "lanes = 1\n");
	pool = egress_pool(o.egress, SLICE("nowhere"));
	assert_null(egress_source(o.egress, pool, &turn));
	egress_no_source(o.egress, pool, text, sizeof(text));
	assert_string_equal("egress.sources has no source for pool \"nowhere\"", text);
	one_end(&o);
}

static void names_past_the_limit_never_share_another_pools_sources(void **state)
{
	struct one o;
	unsigned turn = 0;
	char name[32], text[160];

	(void)state;
	one_begin(&o,
		  "lanes = 1\negress.sources = p4095 192.0.2.1 x.test, late 192.0.2.2 y.test\n");
	for (unsigned i = 0; i < POOLS_MAX; i++) {
		(void)snprintf(name, sizeof(name), "p%u", i);
		assert_int_equal(i, egress_pool(o.egress, slice_str(name)));
	}
	assert_non_null(egress_source(o.egress, POOLS_MAX - 1, &turn));
	assert_int_equal(EGRESS_SURPLUS, egress_pool(o.egress, SLICE("late")));
	assert_null(egress_source(o.egress, EGRESS_SURPLUS, &turn));
	egress_no_source(o.egress, EGRESS_SURPLUS, text, sizeof(text));
	assert_string_equal("queued mail names more than 4096 pools", text);
	one_end(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sources_of_a_pool_take_turns),
		cmocka_unit_test(a_pool_that_is_not_configured_has_no_source_and_says_so),
		cmocka_unit_test(names_past_the_limit_never_share_another_pools_sources),
	};

	return cmocka_run_group_tests_name("mta_egress", tests, NULL, NULL);
}
